import RTCSignaling

/// Lets pages of other origins use a service (WHATWG Fetch, CORS protocol).
enum CrossOrigin {
    /// Whether a browser asks if a page may send a request.
    static func isPreflight(_ request: SignalingRequest) -> Bool {
        request.method == "OPTIONS" && request.headers.first("origin") != nil
            && request.headers.first("access-control-request-method") != nil
    }

    /// Adds what allows a page to read a response, and to send what it asks for.
    ///
    /// - Parameter allowed: The origins; nil for all.
    static func add(to response: inout SignalingResponse, _ request: SignalingRequest, allowed: [String]?) {
        if let allowed {
            response.headers.add("vary", "origin")
            guard let origin = request.headers.first("origin"), allowed.contains(origin) else { return }
            response.headers.set("access-control-allow-origin", origin)
        } else {
            response.headers.set("access-control-allow-origin", "*")
        }
        let exposed = "accept-patch, accept-post, etag, link, location, retry-after, www-authenticate"
        response.headers.set("access-control-expose-headers", exposed)
        guard self.isPreflight(request) else { return }
        response.headers.set("access-control-allow-methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST")
        response.headers.set("access-control-allow-headers", "authorization, content-type, if-match, link")
        response.headers.set("access-control-max-age", "86400")
    }
}
