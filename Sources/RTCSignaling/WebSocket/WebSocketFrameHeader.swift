import NIOCore

/// What a frame carries (RFC 6455 section 11.8).
enum WebSocketOpcode: UInt8 {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Control frames are short and whole, and may come between the fragments of a message.
    var isControl: Bool { self.rawValue >= 0x8 }
}

/// The header of a frame (RFC 6455 section 5.2).
struct WebSocketFrameHeader: Equatable {
    /// A header that cannot be.
    enum Failure: Error, Equatable {
        /// A reserved bit or opcode, a control frame that is long or in pieces, a length not in its shortest form, or a mask
        /// where there must be none or none where there must be one.
        case malformed
    }

    var isFinal: Bool
    /// RSV1: the message that begins here is compressed (RFC 7692 section 6).
    var isCompressed = false
    var opcode: WebSocketOpcode
    var maskingKey: UInt32?
    var length: Int

    /// Reads a header from the beginning of `buffer`, as soon as it is there as a whole.
    ///
    /// - Parameters:
    ///   - expectsMask: Whether frames must be masked (from a client) or must not (from a server).
    ///   - allowsCompression: Whether the first frame of a message may say that it is compressed.
    /// - Returns: nil, with nothing read, while bytes are missing.
    static func read(
        from buffer: inout ByteBuffer,
        expectsMask: Bool,
        allowsCompression: Bool = false
    ) throws(Failure) -> WebSocketFrameHeader? {
        guard let start: UInt16 = buffer.getInteger(at: buffer.readerIndex) else { return nil }
        let isFinal = start & 0x8000 != 0
        // Two bits that no extension uses here.
        guard start & 0x3000 == 0, let opcode = WebSocketOpcode(rawValue: UInt8(start >> 8 & 0xF)) else {
            throw .malformed
        }
        let isCompressed = start & 0x4000 != 0
        guard !isCompressed || (allowsCompression && (opcode == .text || opcode == .binary)) else { throw .malformed }
        let isMasked = start & 0x80 != 0
        let shortLength = Int(start & 0x7F)
        guard isMasked == expectsMask, !opcode.isControl || (isFinal && shortLength <= 125) else { throw .malformed }
        let lengthSize = shortLength == 126 ? 2 : shortLength == 127 ? 8 : 0
        let size = 2 + lengthSize + (isMasked ? 4 : 0)
        guard buffer.readableBytes >= size else { return nil }
        buffer.moveReaderIndex(forwardBy: 2)
        let length = try Self.readLength(from: &buffer, shortLength: shortLength)
        let maskingKey: UInt32? = isMasked ? buffer.readInteger() : nil
        return WebSocketFrameHeader(
            isFinal: isFinal,
            isCompressed: isCompressed,
            opcode: opcode,
            maskingKey: maskingKey,
            length: length
        )
    }

    /// The extended length, which must be in the shortest form that holds it.
    private static func readLength(from buffer: inout ByteBuffer, shortLength: Int) throws(Failure) -> Int {
        switch shortLength {
        case 126:
            guard let length: UInt16 = buffer.readInteger(), length > 125 else { throw .malformed }
            return Int(length)
        case 127:
            guard let length: UInt64 = buffer.readInteger(), length > 0xFFFF, length <= UInt64(Int.max) else {
                throw .malformed
            }
            return Int(length)
        default:
            return shortLength
        }
    }

    /// Writes the header.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeInteger((self.isFinal ? 0x80 : 0) | (self.isCompressed ? 0x40 : 0) | self.opcode.rawValue)
        let mask: UInt8 = self.maskingKey == nil ? 0 : 0x80
        switch self.length {
        case ...125:
            buffer.writeInteger(mask | UInt8(self.length))
        case ...0xFFFF:
            buffer.writeInteger(mask | 126)
            buffer.writeInteger(UInt16(self.length))
        default:
            buffer.writeInteger(mask | 127)
            buffer.writeInteger(UInt64(self.length))
        }
        if let key = self.maskingKey { buffer.writeInteger(key) }
    }

    /// Masks or unmasks bytes of a payload that begin `offset` bytes into it (RFC 6455 section 5.3).
    static func mask(_ bytes: inout ByteBuffer, key: UInt32, offset: Int) {
        // The key as the bytes of this piece meet it, twice, in memory's order.
        let shift = UInt32(offset & 3) * 8
        let turned = shift == 0 ? key : key << shift | key >> (32 - shift)
        let word = (UInt64(turned) << 32 | UInt64(turned)).bigEndian
        bytes.withUnsafeMutableReadableBytes { bytes in
            var index = 0
            while index + 8 <= bytes.count {
                let masked = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ word
                bytes.storeBytes(of: masked, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < bytes.count {
                bytes[index] ^= UInt8(truncatingIfNeeded: turned >> UInt32((3 - index & 3) * 8))
                index += 1
            }
        }
    }
}
