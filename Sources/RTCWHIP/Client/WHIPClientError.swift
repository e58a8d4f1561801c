public import RTCBase

/// Why a ``WHIPClient`` or ``WHEPClient`` has no session, or has none any more.
public enum WHIPClientError: Error, Sendable, Hashable {
    /// The text is no `http:` or `https:` URL.
    case invalidURL(String)
    /// There was no response.
    case unreachable(reason: String)
    /// The server refused, with a status of 4xx or 5xx, and the body of its response as far as it is text.
    case refused(status: Int, reason: String)
    /// The server redirects in a way that is not followed: a status that loses the method, from TLS to none, in circles.
    case redirected(status: Int, location: String)
    /// The response is not what the protocol has here.
    case badResponse(reason: String)
    /// The descriptions do not fit.
    case negotiation(RTCError)
    /// No way to the server's media was found, or it was lost.
    case connectionFailed
    /// The server has ended the session.
    case endedByServer
    /// The session was begun already, or stopped meanwhile.
    case invalidState
}

extension WHIPClientError: CustomStringConvertible {
    /// What happened, in words.
    public var description: String {
        switch self {
        case .invalidURL(let text): "'\(text)' is no http: or https: URL"
        case .unreachable(let reason): "the server did not respond: \(reason)"
        case .refused(let status, let reason): "the server refused with \(status): \(reason)"
        case .redirected(let status, let location): "the server redirects with \(status) to '\(location)'"
        case .badResponse(let reason): "the response is not of the protocol: \(reason)"
        case .negotiation(let error): "the descriptions do not fit: \(error)"
        case .connectionFailed: "the connection for media failed"
        case .endedByServer: "the server ended the session"
        case .invalidState: "the session was begun already, or stopped"
        }
    }
}
