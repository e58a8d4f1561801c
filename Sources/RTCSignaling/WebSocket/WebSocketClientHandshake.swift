public import NIOCore
public import RTCBase

/// The opening handshake of a WebSocket client (RFC 6455 section 4.1), doing no input or output: a request to write, and what is
/// made of the server's bytes.
public struct WebSocketClientHandshake: Sendable {
    /// What came of the server's bytes so far.
    public enum Progress: Sendable, Hashable {
        /// The response is not there as a whole.
        case needsMore
        /// The connection is a WebSocket.
        case opened(Opening)
        /// It never will be one; nothing more is looked at.
        case failed(SignalingChannelError)
    }

    /// What the server agreed to.
    public struct Opening: Sendable, Hashable {
        /// The subprotocol that the server chose from those that were offered; nil for none.
        public let subprotocol: String?
        /// The header fields of the response.
        public let headers: SignalingHeaders
        /// What was agreed upon about compression; nil for none.
        public let deflate: WebSocketDeflateAgreement?
        /// What came behind the response: the beginning of the first frames.
        public let remainder: ByteBuffer
    }

    /// Header fields that a caller may not set.
    private static let reserved: Set<String> = [
        "host", "upgrade", "connection", "content-length", "transfer-encoding", "sec-websocket-key",
        "sec-websocket-version", "sec-websocket-protocol", "sec-websocket-extensions", "sec-websocket-accept",
    ]

    /// The bytes of the request.
    public let request: ByteBuffer

    private let accept: String
    private let subprotocols: [String]
    private let deflate: WebSocketDeflateConfiguration?
    private var reader = ResponseHeadReader()
    private var isOver = false

    /// A handshake that has not begun.
    ///
    /// - Parameters:
    ///   - url: Where to; of any scheme.
    ///   - subprotocols: What this side speaks, the best first.
    ///   - deflate: The compression that is offered; nil for none.
    ///   - headers: More header fields: `Origin`, `Cookie`, `Authorization`.
    ///   - random: Gives the key.
    /// - Throws: ``SignalingChannelError/invalidArgument(reason:)`` for subprotocols and headers that cannot be.
    public init(
        url: SignalingURL,
        subprotocols: [String] = [],
        deflate: WebSocketDeflateConfiguration? = nil,
        headers: SignalingHeaders = [:],
        random: RandomSource = .system
    ) throws(SignalingChannelError) {
        try headers.validate(reserved: Self.reserved)
        guard subprotocols.allSatisfy(SignalingHeaders.isToken), Set(subprotocols).count == subprotocols.count else {
            throw .invalidArgument(reason: "subprotocols are different tokens")
        }
        var random = random
        let key = Base64.encode(random.bytes(count: 16))
        var fields: SignalingHeaders = [
            "Host": url.authority, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Key": key,
            "Sec-WebSocket-Version": "13",
        ]
        if !subprotocols.isEmpty { fields.add("Sec-WebSocket-Protocol", subprotocols.joined(separator: ", ")) }
        if let deflate { fields.add("Sec-WebSocket-Extensions", deflate.offer) }
        for field in headers.fields { fields.add(field.name, field.value) }
        var request = ByteBuffer(string: "GET \(url.target) HTTP/1.1\r\n")
        for field in fields.fields { request.writeString("\(field.name): \(field.value)\r\n") }
        request.writeString("\r\n")
        self.request = request
        self.accept = WebSocketHandshake.accept(key: key)
        self.subprotocols = subprotocols
        self.deflate = deflate
    }

    /// Takes bytes of the server.
    public mutating func receive(_ bytes: ByteBuffer) -> Progress {
        guard !self.isOver else { return .needsMore }
        self.reader.append(bytes)
        while true {
            switch self.reader.next() {
            case .needsMore: return .needsMore
            case .failure(let reason):
                self.isOver = true
                return .failed(.protocolViolation(reason: reason))
            case .head(let head):
                // Other informational responses may come before the one that counts (RFC 9110 section 15.2).
                if head.status < 200, head.status != 101 { continue }
                self.isOver = true
                do throws(SignalingChannelError) {
                    return .opened(try self.check(head))
                } catch {
                    return .failed(error)
                }
            }
        }
    }

    /// Checks a response (RFC 6455 section 4.1, page 19).
    private func check(_ head: ResponseHead) throws(SignalingChannelError) -> Opening {
        guard head.status == 101 else { throw Self.refusal(head) }
        let headers = head.headers
        guard headers.list("upgrade").map({ $0.lowercased() }) == ["websocket"] else {
            throw .protocolViolation(reason: "the response does not upgrade to websocket")
        }
        guard headers.list("connection").contains(where: { $0.lowercased() == "upgrade" }) else {
            throw .protocolViolation(reason: "the connection is not upgraded")
        }
        guard headers.all("sec-websocket-accept") == [self.accept] else {
            throw .protocolViolation(reason: "Sec-WebSocket-Accept does not answer the key")
        }
        let agreement = try self.agreement(headers.all("sec-websocket-extensions"))
        let chosen = headers.all("sec-websocket-protocol")
        guard chosen.count <= 1, chosen.allSatisfy(self.subprotocols.contains) else {
            throw .protocolViolation(reason: "a subprotocol that was not offered")
        }
        return Opening(
            subprotocol: chosen.first,
            headers: headers,
            deflate: agreement,
            remainder: self.reader.remainder
        )
    }

    private func agreement(_ extensions: [String]) throws(SignalingChannelError) -> WebSocketDeflateAgreement? {
        guard let deflate = self.deflate else {
            guard extensions.isEmpty else { throw .protocolViolation(reason: "an extension that was not offered") }
            return nil
        }
        do throws(WebSocketDeflateAgreement.Mismatch) {
            return try WebSocketDeflateAgreement.answered(extensions, deflate)
        } catch {
            throw .protocolViolation(reason: "an extension that was not offered so")
        }
    }

    private static func refusal(_ head: ResponseHead) -> SignalingChannelError {
        guard (300...399).contains(head.status), let location = head.headers.first("location") else {
            return .refused(status: head.status, reason: head.reason)
        }
        return .refused(status: head.status, reason: "redirects are not followed: to \(location)")
    }
}
