public import RTCSignaling

/// Why a request is refused: a status, and a reason that the client gets as problem details (RFC 9457).
public struct WHIPRefusal: Error, Sendable, Hashable {
    /// The status code.
    public var status: Int
    /// What is wrong, for people; clients do not match it.
    public var reason: String
    /// Further header fields.
    public var headers: SignalingHeaders

    /// A refusal.
    public init(_ status: Int, _ reason: String, headers: SignalingHeaders = [:]) {
        self.status = status
        self.reason = reason
        self.headers = headers
    }

    /// 401: a bearer token is missing, or unknown (RFC 6750 section 3).
    public static let unauthorized = WHIPRefusal(401, "a valid bearer token is needed")
    /// 403: the token does not allow this.
    public static let forbidden = WHIPRefusal(403, "the token does not allow this")
    /// 404: there is no such stream, session or path.
    public static let notFound = WHIPRefusal(404, "there is nothing under this path")

    /// 409: not now; for WHEP, nobody publishes (draft-ietf-wish-whep, section 4.3.7).
    public static func conflict(_ reason: String, retryAfter: Duration? = nil) -> WHIPRefusal {
        WHIPRefusal(409, reason, headers: Self.headers(retryAfter: retryAfter))
    }

    /// 503: too much to do at present (RFC 9725 section 4.5).
    public static func unavailable(_ reason: String, retryAfter: Duration? = nil) -> WHIPRefusal {
        WHIPRefusal(503, reason, headers: Self.headers(retryAfter: retryAfter))
    }

    /// 429: this client asks too much (RFC 6585 section 4).
    public static func tooMany(_ reason: String, retryAfter: Duration? = nil) -> WHIPRefusal {
        WHIPRefusal(429, reason, headers: Self.headers(retryAfter: retryAfter))
    }

    /// 307: another server has room (RFC 9725 section 4.5).
    ///
    /// - Parameter url: Where to, absolute or relative to the URL of the request.
    public static func redirect(to url: String) -> WHIPRefusal {
        WHIPRefusal(307, "served elsewhere", headers: ["location": url])
    }

    private static func headers(retryAfter: Duration?) -> SignalingHeaders {
        guard let retryAfter else { return [:] }
        return ["retry-after": RetryAfter.text(retryAfter)]
    }

    /// The refusal as a response.
    var response: SignalingResponse {
        var headers = self.headers
        guard self.status >= 400 else { return SignalingResponse(self.status, headers: headers) }
        headers.set("content-type", MediaType.problem)
        let body = #"{"status":\#(self.status),"detail":\#(JSONStrings.encode(self.reason))}"#
        return SignalingResponse(self.status, headers: headers, text: body)
    }
}
