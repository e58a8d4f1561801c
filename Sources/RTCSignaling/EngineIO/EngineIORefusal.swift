/// Why a request is refused; the raw value is the code that clients are told.
public enum EngineIORefusal: Int, Error, Sendable, Hashable {
    /// There is no such transport, or it is switched off.
    case unknownTransport = 0
    /// There is no such session, or no more.
    case unknownSession = 1
    /// A session can only be begun with `GET`.
    case badHandshakeMethod = 2
    /// The request does not fit the session: another transport than its own, a poll beside another.
    case badRequest = 3
    /// There are as many sessions as allowed. Status 403; all others have 400.
    case forbidden = 4
    /// Another revision of the protocol than 3.
    case unsupportedProtocolVersion = 5

    /// The text beside the code.
    public var message: String {
        switch self {
        case .unknownTransport: return "Transport unknown"
        case .unknownSession: return "Session ID unknown"
        case .badHandshakeMethod: return "Bad handshake method"
        case .badRequest: return "Bad request"
        case .forbidden: return "Forbidden"
        case .unsupportedProtocolVersion: return "Unsupported protocol version"
        }
    }

    /// The response that says so.
    public func response(to request: SignalingRequest) -> SignalingResponse {
        var response = SignalingResponse(
            self == .forbidden ? 403 : 400,
            headers: ["content-type": "application/json"],
            text: "{\"code\":\(self.rawValue),\"message\":\"\(self.message)\"}"
        )
        response.headers.allowOrigin(of: request)
        response.headers.forbidCaching()
        return response
    }
}
