internal import NIOCore

/// A packet of Engine.IO, protocol revision 3 (section "Packet").
public struct EngineIOPacket: Sendable, Hashable {
    /// What a packet is for; the raw value is the number on the wire.
    public enum Kind: UInt8, Sendable, Hashable, CaseIterable {
        /// The server's first packet, with the session's name and times.
        case open = 0
        /// The end of the session.
        case close = 1
        /// A sign of life, to be answered with the same data.
        case ping = 2
        /// The answer to a ping.
        case pong = 3
        /// A message.
        case message = 4
        /// The client goes on over this transport.
        case upgrade = 5
        /// Nothing: it only ends a poll.
        case noop = 6
    }

    /// What it is for.
    public var kind: Kind
    /// What it carries.
    public var data: WebSocketMessage

    /// What it takes while it waits, in bytes.
    var cost: Int { self.data.size + WebSocketMessage.overhead }

    /// A packet.
    public init(_ kind: Kind, _ data: WebSocketMessage = .text("")) {
        self.kind = kind
        self.data = data
    }

    /// A packet from one message of a WebSocket, or from one entry of a payload; nil if it is none.
    public init?(frame: WebSocketMessage) {
        switch frame {
        case .binary(var bytes):
            guard let kind = bytes.readInteger(as: UInt8.self).flatMap(Kind.init(rawValue:)) else { return nil }
            self.init(kind, .binary(bytes))
        case .text(let text):
            let bytes = text.utf8
            let isBase64 = bytes.first == UInt8(ascii: "b")
            guard let digit = bytes.dropFirst(isBase64 ? 1 : 0).first, digit >= UInt8(ascii: "0"),
                let kind = Kind(rawValue: digit - UInt8(ascii: "0"))
            else { return nil }
            let rest = bytes.dropFirst(isBase64 ? 2 : 1)
            guard isBase64 else {
                self.init(kind, .text(String(Substring(rest))))
                return
            }
            guard let decoded = Base64.decode(String(Substring(rest))) else { return nil }
            self.init(kind, .binary(ByteBuffer(bytes: decoded)))
        }
    }

    /// The packet as one message of a WebSocket, or as one entry of a payload.
    ///
    /// - Parameter supportsBinary: Whether the other side takes bytes; base64 is sent otherwise.
    public func frame(supportsBinary: Bool = true) -> WebSocketMessage {
        switch self.data {
        case .text(let text): return .text("\(self.kind.rawValue)\(text)")
        case .binary(let bytes):
            guard supportsBinary else {
                return .text("b\(self.kind.rawValue)\(Base64.encode(Array(bytes.readableBytesView)))")
            }
            var frame = ByteBuffer()
            frame.reserveCapacity(bytes.readableBytes + 1)
            frame.writeInteger(self.kind.rawValue)
            frame.writeImmutableBuffer(bytes)
            return .binary(frame)
        }
    }
}
