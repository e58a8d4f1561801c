extension SignalingResponse {
    /// The response to what a browser asks before a request from another origin (Fetch, CORS preflight).
    ///
    /// - Parameter methods: The methods beside `OPTIONS`.
    static func preflight(_ request: SignalingRequest, allowing methods: String) -> SignalingResponse {
        var headers: SignalingHeaders = [
            "access-control-allow-methods": "OPTIONS, " + methods, "access-control-max-age": "31536000",
        ]
        headers.allowCachingForAYear()
        headers.allowOrigin(of: request)
        return SignalingResponse(204, headers: headers)
    }
}

extension SignalingHeaders {
    /// The same for everybody, for a year.
    mutating func allowCachingForAYear() {
        self.set("cache-control", "public, max-age=31536000")
        self.set("expires", "Thu, 31 Dec 2099 23:59:59 GMT")
    }

    /// Different every time.
    mutating func forbidCaching() {
        self.set("cache-control", "no-store, no-cache, must-revalidate, max-age=0")
    }

    /// Lets the page that asked read the response, with cookies (Fetch, CORS protocol).
    mutating func allowOrigin(of request: SignalingRequest) {
        let origin = request.headers.first("origin") ?? "null"
        self.set("access-control-allow-origin", origin == "null" ? "*" : origin)
        self.set("access-control-allow-credentials", "true")
        self.set("vary", "Origin")
        if let wanted = request.headers.first("access-control-request-headers"), !wanted.isEmpty {
            self.set("access-control-allow-headers", wanted)
        }
    }
}
