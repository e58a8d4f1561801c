import NIOCore

/// Compresses the messages of one connection; takes memory from the first of them on.
struct WebSocketCompressor: Sendable {
    private let configuration: WebSocketDeflateConfiguration
    private let windowBits: Int
    private let forgets: Bool
    private var stream: DeflateStream?

    init(
        _ agreement: WebSocketDeflateAgreement,
        _ configuration: WebSocketDeflateConfiguration,
        role: WebSocketConnection.Role
    ) {
        let isServer = role == .server
        self.configuration = configuration
        self.windowBits = isServer ? agreement.serverMaxWindowBits : agreement.clientMaxWindowBits
        self.forgets = isServer ? agreement.serverNoContextTakeover : agreement.clientNoContextTakeover
    }

    /// The message compressed; nil if it is to be sent as it is.
    mutating func compress(_ message: ByteBuffer) -> ByteBuffer? {
        // zlib has no raw window of 256 bytes to compress with; and an empty message is as short as can be.
        guard self.windowBits >= 9, message.readableBytes >= max(1, self.configuration.minimumSize) else { return nil }
        if self.stream == nil {
            self.stream = DeflateStream(
                windowBits: self.windowBits,
                level: min(max(self.configuration.level, 1), 9),
                memoryLevel: min(max(self.configuration.memoryLevel, 1), 9)
            )
        }
        return self.stream?.compress(message, forgetting: self.forgets)
    }
}

/// Decompresses the messages of one connection; takes memory from the first of them on.
struct WebSocketDecompressor: Sendable {
    private let windowBits: Int
    private let forgets: Bool
    private var stream: InflateStream?

    init(_ agreement: WebSocketDeflateAgreement, role: WebSocketConnection.Role) {
        let isServer = role == .server
        let windowBits = isServer ? agreement.clientMaxWindowBits : agreement.serverMaxWindowBits
        // A larger window reads what was written with a smaller one, and zlib writes no smaller.
        self.windowBits = max(9, windowBits)
        self.forgets = isServer ? agreement.clientNoContextTakeover : agreement.serverNoContextTakeover
    }

    /// Decompresses a piece of a message behind what there is of it.
    ///
    /// - Returns: The code to close with if that cannot be; nil if it could.
    mutating func decompress(
        _ piece: ByteBuffer,
        isLast: Bool,
        into payload: inout ByteBuffer,
        limit: Int
    ) -> WebSocketCloseCode? {
        if self.stream == nil { self.stream = InflateStream(windowBits: self.windowBits) }
        guard let stream = self.stream else { return .internalError }
        do throws(InflateStream.Failure) {
            try stream.decompress(piece, into: &payload, limit: limit)
            if isLast { try stream.finish(into: &payload, limit: limit, forgetting: self.forgets) }
            return nil
        } catch {
            return error == .tooLarge ? .messageTooBig : .invalidPayload
        }
    }
}
