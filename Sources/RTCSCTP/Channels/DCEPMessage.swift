internal import NIOCore

/// A message of the data channel establishment protocol (RFC 8832 section 5).
enum DCEPMessage: Equatable {
    case open(DataChannelParameters)
    case acknowledge

    private static let acknowledgeType: UInt8 = 0x02
    private static let openType: UInt8 = 0x03
    private static let unordered: UInt8 = 0x80

    /// Reads a message; `nil` if it is malformed or of an unknown type.
    ///
    /// Bytes after the protocol's name are ignored: there are peers that count a label in characters.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let type = bytes.first else { return nil }
        switch type {
        case Self.acknowledgeType:
            self = .acknowledge
        case Self.openType:
            guard let parameters = Self.parameters(bytes) else { return nil }
            self = .open(parameters)
        default:
            return nil
        }
    }

    private static func parameters(_ bytes: UnsafeRawBufferPointer) -> DataChannelParameters? {
        guard bytes.count >= 12 else { return nil }
        func uint16(_ offset: Int) -> UInt16 { UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1]) }
        let labelEnd = 12 + Int(uint16(8))
        let protocolEnd = labelEnd + Int(uint16(10))
        guard protocolEnd <= bytes.count else { return nil }
        // Limits of 32 bits are beyond what the API can say; the largest it can say is the nearest.
        let limit = UInt16(clamping: UInt32(uint16(4)) << 16 | UInt32(uint16(6)))
        var parameters = DataChannelParameters(
            label: String(decoding: bytes[12..<labelEnd], as: UTF8.self),
            protocol: String(decoding: bytes[labelEnd..<protocolEnd], as: UTF8.self),
            ordered: bytes[1] & self.unordered == 0,
            priority: uint16(2)
        )
        switch bytes[1] & ~self.unordered {
        case 0: break
        case 1: parameters.maxRetransmits = limit
        case 2: parameters.maxPacketLifeTime = limit
        default: return nil
        }
        return parameters
    }

    /// The message's bytes.
    var encoded: ByteBuffer {
        switch self {
        case .acknowledge:
            return ByteBuffer(bytes: [Self.acknowledgeType])
        case .open(let parameters):
            return Self.encode(parameters)
        }
    }

    private static func encode(_ parameters: DataChannelParameters) -> ByteBuffer {
        var type: UInt8 = parameters.ordered ? 0 : self.unordered
        var limit: UInt32 = 0
        if let count = parameters.maxRetransmits {
            type |= 1
            limit = UInt32(count)
        } else if let milliseconds = parameters.maxPacketLifeTime {
            type |= 2
            limit = UInt32(milliseconds)
        }
        let label = parameters.label.utf8
        let `protocol` = parameters.protocol.utf8
        var buffer = ByteBuffer()
        buffer.reserveCapacity(12 + label.count + `protocol`.count)
        buffer.writeInteger(self.openType)
        buffer.writeInteger(type)
        buffer.writeInteger(parameters.priority)
        buffer.writeInteger(limit)
        buffer.writeInteger(UInt16(clamping: label.count))
        buffer.writeInteger(UInt16(clamping: `protocol`.count))
        buffer.writeBytes(label.prefix(65_535))
        buffer.writeBytes(`protocol`.prefix(65_535))
        return buffer
    }
}
