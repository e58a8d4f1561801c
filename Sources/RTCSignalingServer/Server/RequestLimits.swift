import NIOCore
import RTCSignaling

/// What a request may have of line, fields and body.
struct RequestLimits {
    var targetSize: Int
    var headSize: Int
    var bodySize: Int

    init(_ configuration: SignalingServerConfiguration) {
        self.targetSize = configuration.maximumTargetSize
        self.headSize = configuration.maximumHeadSize
        self.bodySize = configuration.maximumBodySize
    }

    /// Why a head is refused; nil if it is not.
    func refusal(target: String, headSize: Int, contentLength: String?) -> ServerRefusal? {
        if target.utf8.count > self.targetSize { return .targetTooLong }
        if headSize > self.headSize { return .headTooLarge }
        guard let contentLength else { return nil }
        guard Self.isNumber(contentLength) else { return .malformedLength }
        return Int(contentLength) ?? .max > self.bodySize ? .bodyTooLarge : nil
    }

    /// Whether a text is one digit or more (RFC 9110 section 8.6): no sign, no list.
    private static func isNumber(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
}

/// Why a connection or a request was not served, as it is counted.
enum ServerRefusal: String, CaseIterable {
    case tooManyConnections = "connections"
    case tooManyConnectionsFromAddress = "address"
    case targetTooLong = "target"
    case headTooLarge = "head"
    case bodyTooLarge = "body"
    case malformedLength = "length"
    case headTimeout = "head_timeout"
    case bodyTimeout = "body_timeout"
    case notAdmitted = "admission"
    case notAHandshake = "handshake"
    case notFound = "not_found"
    case draining = "draining"
    case responsesNotTaken = "responses"

    /// The response to a request that is refused for it.
    var response: SignalingResponse {
        switch self {
        case .targetTooLong: return SignalingResponse(414, text: "The path is too long.")
        case .headTooLarge: return SignalingResponse(431, text: "The header is too large.")
        case .bodyTooLarge: return SignalingResponse(413, text: "The body is too large.")
        case .malformedLength: return SignalingResponse(400, text: "The length is no number.")
        case .headTimeout, .bodyTimeout: return SignalingResponse(408, text: "The request took too long.")
        case .notAdmitted: return SignalingResponse(403)
        case .notAHandshake: return SignalingResponse(400)
        case .notFound: return SignalingResponse(404, text: "There is nothing under this path.")
        case .tooManyConnections, .tooManyConnectionsFromAddress, .draining:
            return SignalingResponse(503, text: "The server has no room.")
        // Nothing more of it may have to be kept.
        case .responsesNotTaken: return SignalingResponse(503)
        }
    }
}
