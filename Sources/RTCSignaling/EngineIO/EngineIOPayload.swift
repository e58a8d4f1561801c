public import NIOCore

/// Packets one after another, as requests and responses carry them (Engine.IO revision 3, section "Payload").
///
/// There are two forms: text, where each packet's length is counted in UTF-16 code units as JavaScript counts them and bytes are
/// base64, and bytes, where lengths are in bytes. Which one a payload has tells its content type.
public enum EngineIOPayload {
    /// More digits than any length that is taken has.
    private static let maximumDigits = 9
    /// The most packets that a payload of this side has: clients and servers in Python take no more.
    static let maximumPackets = 16

    // MARK: Writing

    /// Packets as a payload: bytes if one of them has bytes and the other side takes them, text otherwise.
    public static func encode(_ packets: [EngineIOPacket], supportsBinary: Bool) -> WebSocketMessage {
        let frames = packets.map { $0.frame(supportsBinary: supportsBinary) }
        let hasBytes = frames.contains { if case .binary = $0 { true } else { false } }
        return hasBytes ? .binary(self.encodeBinary(frames)) : .text(self.encodeText(frames))
    }

    private static func encodeText(_ frames: [WebSocketMessage]) -> String {
        var payload = ""
        for case .text(let text) in frames { payload += "\(text.utf16.count):\(text)" }
        return payload
    }

    private static func encodeBinary(_ frames: [WebSocketMessage]) -> ByteBuffer {
        var payload = ByteBuffer()
        for frame in frames {
            var content: ByteBuffer
            switch frame {
            case .text(let text):
                payload.writeInteger(UInt8(0))
                content = ByteBuffer(string: text)
            case .binary(let bytes):
                payload.writeInteger(UInt8(1))
                content = bytes
            }
            payload.writeBytes(String(content.readableBytes).utf8.map { $0 - UInt8(ascii: "0") })
            payload.writeInteger(UInt8(255))
            payload.writeBuffer(&content)
        }
        return payload
    }

    // MARK: Reading

    /// The packets of a payload of text; nil if it is malformed.
    public static func decode(text: ByteBuffer) -> [EngineIOPacket]? {
        var reader = text
        var packets: [EngineIOPacket] = []
        while reader.readableBytes > 0 {
            guard let units = self.readLength(&reader, zero: UInt8(ascii: "0"), end: UInt8(ascii: ":")),
                let count = self.bytes(ofUnits: units, in: reader.readableBytesView),
                let bytes = reader.readSlice(length: count),
                let text = String(validating: bytes.readableBytesView, as: UTF8.self),
                let packet = EngineIOPacket(frame: .text(text))
            else { return nil }
            packets.append(packet)
        }
        return packets
    }

    /// The packets of a payload of bytes; nil if it is malformed.
    public static func decode(binary: ByteBuffer) -> [EngineIOPacket]? {
        var reader = binary
        var packets: [EngineIOPacket] = []
        while let kind = reader.readInteger(as: UInt8.self) {
            guard kind <= 1, let length = self.readLength(&reader, zero: 0, end: 255),
                let bytes = reader.readSlice(length: length)
            else { return nil }
            var frame = WebSocketMessage.binary(bytes)
            if kind == 0 {
                guard let text = String(validating: bytes.readableBytesView, as: UTF8.self) else { return nil }
                frame = .text(text)
            }
            guard let packet = EngineIOPacket(frame: frame) else { return nil }
            packets.append(packet)
        }
        return packets
    }

    /// Decimal digits up to `end`.
    private static func readLength(_ reader: inout ByteBuffer, zero: UInt8, end: UInt8) -> Int? {
        var length = 0
        for count in 0...self.maximumDigits {
            guard let byte = reader.readInteger(as: UInt8.self) else { return nil }
            if byte == end { return count == 0 ? nil : length }
            guard byte >= zero, byte - zero < 10 else { return nil }
            length = length * 10 + Int(byte - zero)
        }
        return nil
    }

    /// How many bytes of UTF-8 so many UTF-16 code units are; nil if they are not there, or end within a character.
    private static func bytes(ofUnits units: Int, in view: ByteBufferView) -> Int? {
        guard units <= view.count else { return nil }
        var left = units
        var index = view.startIndex
        while index < view.endIndex {
            let isContinuation = view[index] & 0xC0 == 0x80
            if left == 0, !isContinuation { break }
            // Characters of four bytes are two code units.
            if !isContinuation { left -= view[index] >= 0xF0 ? 2 : 1 }
            guard left >= 0 else { return nil }
            index += 1
        }
        return left == 0 ? index - view.startIndex : nil
    }
}
