import NIOCore

/// Puts packets together from the messages of one client.
struct SocketIOPacketReader: Sendable {
    enum Result: Sendable, Hashable {
        /// A packet.
        case packet(SocketIOPacket)
        /// Attachments are missing yet.
        case needsMore
        /// The client broke the protocol, or a limit.
        case failure
    }

    private struct Partial: Sendable {
        var packet: SocketIOPacket
        var missing: Int
        var attachments: [ByteBuffer] = []
        var bytes = 0
    }

    private let limits: SocketIOConfiguration
    private var partial: Partial?

    init(limits: SocketIOConfiguration) { self.limits = limits }

    mutating func receive(_ message: WebSocketMessage) -> Result {
        switch message {
        case .text(let text):
            guard self.partial == nil, let (packet, attachments) = SocketIOPacket.parse(text, limits: self.limits)
            else {
                self.partial = nil
                return .failure
            }
            self.partial = Partial(packet: packet, missing: attachments)
        case .binary(let bytes):
            guard var partial = self.partial else { return .failure }
            self.partial = nil
            partial.bytes += bytes.readableBytes
            guard partial.bytes <= self.limits.maximumAttachmentBytes else { return .failure }
            partial.attachments.append(bytes)
            partial.missing -= 1
            self.partial = partial
        }
        guard var partial = self.partial, partial.missing == 0 else { return .needsMore }
        self.partial = nil
        guard !partial.attachments.isEmpty else { return .packet(partial.packet) }
        guard let data = partial.packet.data?.filled(with: partial.attachments) else { return .failure }
        partial.packet.data = data
        return .packet(partial.packet)
    }
}
