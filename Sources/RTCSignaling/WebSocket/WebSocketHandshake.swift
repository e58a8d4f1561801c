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

    /// The value of `Sec-WebSocket-Accept`.
    public let accept: String
    /// The subprotocol that both sides have, for `Sec-WebSocket-Protocol`; nil for none.
    public let subprotocol: String?

    /// Checks a request.
    ///
    /// - Parameters:
    ///   - request: The request; its path is not looked at.
    ///   - subprotocols: What this side speaks; of those that the client offers, the first that stands here is taken.
    public init(_ request: SignalingRequest, subprotocols: [String] = []) throws(Refusal) {
        guard request.headers.list("upgrade").contains(where: { $0.lowercased() == "websocket" }) else {
            throw request.method == "GET" ? .notAnUpgrade : .methodNotAllowed
        }
        guard request.method == "GET" else { throw .methodNotAllowed }
        guard request.headers.list("connection").contains(where: { $0.lowercased() == "upgrade" }) else {
            throw .connectionNotUpgrade
        }
        let key = request.headers.all("sec-websocket-key")
        guard key.count == 1, Self.isKey(key[0]) else { throw .invalidKey }
        guard request.headers.first("sec-websocket-version") == "13" else { throw .unsupportedVersion }
        self.accept = Self.accept(key: key[0])
        self.subprotocol = request.headers.list("sec-websocket-protocol").first(where: subprotocols.contains)
    }

    /// The headers of the 101 response.
    public var responseHeaders: SignalingHeaders {
        var headers: SignalingHeaders = [
            "upgrade": "websocket", "connection": "upgrade", "sec-websocket-accept": self.accept,
        ]
        if let subprotocol = self.subprotocol { headers.add("sec-websocket-protocol", subprotocol) }
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
