internal import RTCCrypto

/// The opening handshake of a WebSocket server (RFC 6455 section 4.2), apart from any HTTP library.
public struct WebSocketHandshake: Sendable, Hashable {
    /// Why a request opens no WebSocket.
    public enum Refusal: Error, Sendable, Hashable {
        /// The method is not `GET`: status 405.
        case methodNotAllowed
        /// There is no `Upgrade: websocket`: status 400, or whatever else the path has.
        case notAnUpgrade
        /// `Connection` has no `Upgrade`, as behind some proxies: status 400.
        case connectionNotUpgrade
        /// The version is not 13: status 426 with `Sec-WebSocket-Version: 13`.
        case unsupportedVersion
        /// The key is missing, repeated or not of 16 bytes: status 400.
        case invalidKey
    }

    /// The value of `Sec-WebSocket-Accept`; nil over HTTP/2, which has none.
    public let accept: String?
    /// The subprotocol that both sides have, for `Sec-WebSocket-Protocol`; nil for none.
    public let subprotocol: String?
    /// What both sides can about compression; nil for nothing.
    public let deflate: WebSocketDeflateAgreement?

    /// Checks a request.
    ///
    /// - Parameters:
    ///   - request: The request; its path is not looked at.
    ///   - subprotocols: What this side speaks; of those that the client offers, the first that stands here is taken.
    ///   - deflate: How this side compresses, if the client can; nil for never.
    ///   - isExtendedConnect: Whether it is a `CONNECT` of HTTP/2 for the protocol `websocket` (RFC 8441 section 5).
    public init(
        _ request: SignalingRequest,
        subprotocols: [String] = [],
        deflate: WebSocketDeflateConfiguration? = nil,
        isExtendedConnect: Bool = false
    ) throws(Refusal) {
        self.accept = isExtendedConnect ? nil : try Self.acceptUpgrade(request)
        guard request.headers.first("sec-websocket-version") == "13" else { throw .unsupportedVersion }
        self.subprotocol = request.headers.list("sec-websocket-protocol").first(where: subprotocols.contains)
        self.deflate = deflate.flatMap { .accepting(request.headers.all("sec-websocket-extensions"), $0) }
    }

    /// Checks what only HTTP/1.1 has.
    private static func acceptUpgrade(_ request: SignalingRequest) throws(Refusal) -> String {
        guard request.headers.list("upgrade").contains(where: { $0.lowercased() == "websocket" }) else {
            throw request.method == "GET" ? .notAnUpgrade : .methodNotAllowed
        }
        guard request.method == "GET" else { throw .methodNotAllowed }
        guard request.headers.list("connection").contains(where: { $0.lowercased() == "upgrade" }) else {
            throw .connectionNotUpgrade
        }
        let key = request.headers.all("sec-websocket-key")
        guard key.count == 1, Self.isKey(key[0]) else { throw .invalidKey }
        return Self.accept(key: key[0])
    }

    /// The headers of the response with 101, or with 200 over HTTP/2.
    public var responseHeaders: SignalingHeaders {
        var headers = SignalingHeaders()
        if let accept = self.accept {
            headers = ["upgrade": "websocket", "connection": "upgrade", "sec-websocket-accept": accept]
        }
        if let subprotocol = self.subprotocol { headers.add("sec-websocket-protocol", subprotocol) }
        if let deflate = self.deflate { headers.add("sec-websocket-extensions", deflate.response) }
        return headers
    }

    /// Whether `text` is 16 bytes in base64: 22 digits and two signs of padding.
    private static func isKey(_ text: String) -> Bool {
        let bytes = text.utf8
        return bytes.count == 24 && text.hasSuffix("==")
            && bytes.dropLast(2).allSatisfy { Base64.alphabet.contains($0) }
    }

    /// What a server answers to a key.
    static func accept(key: String) -> String {
        let bytes = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        return Base64.encode(HashAlgorithm.sha1.digest(of: bytes.span.bytes))
    }
}
