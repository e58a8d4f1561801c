internal import NIOCore
internal import RTCBase

/// A UDP datagram with its IP header (RFC 768, 791, 8200). Both addresses are of one family.
struct UDPDatagram {
    var payload: ByteBuffer
    var source: TransportAddress
    var destination: TransportAddress

    /// The whole packet.
    var bytes: ByteBuffer {
        var packet = self.source.family == .ipv4 ? self.ipv4Header : self.ipv6Header
        packet.writeImmutableBuffer(self.udp)
        return packet
    }

    private var size: UInt16 { UInt16(clamping: 8 + self.payload.readableBytes) }

    private var ipv4Header: ByteBuffer {
        var header = ByteBuffer(bytes: [0x45, 0])
        header.writeInteger(UInt16(clamping: 20 + Int(self.size)))
        // No identification, not to be fragmented, 64 hops, UDP, no checksum yet.
        header.writeBytes([0, 0, 0x40, 0, 64, Self.udpNumber, 0, 0])
        header.writeBytes(self.source.ipBytes)
        header.writeBytes(self.destination.ipBytes)
        header.setInteger(Self.checksum(header), at: 10)
        return header
    }

    private var ipv6Header: ByteBuffer {
        var header = ByteBuffer(bytes: [0x60, 0, 0, 0])
        header.writeInteger(self.size)
        header.writeBytes([Self.udpNumber, 64])
        header.writeBytes(self.source.ipBytes)
        header.writeBytes(self.destination.ipBytes)
        return header
    }

    private var udp: ByteBuffer {
        var datagram = ByteBuffer()
        datagram.writeMultipleIntegers(self.source.port, self.destination.port, self.size, UInt16(0))
        datagram.writeImmutableBuffer(self.payload)
        var covered = ByteBuffer(bytes: self.source.ipBytes + self.destination.ipBytes)
        covered.writeMultipleIntegers(UInt16(Self.udpNumber), self.size)
        covered.writeImmutableBuffer(datagram)
        let checksum = Self.checksum(covered)
        // Zero would say that there is none.
        datagram.setInteger(checksum == 0 ? .max : checksum, at: 6)
        return datagram
    }

    private static let udpNumber: UInt8 = 17

    /// The Internet checksum (RFC 1071).
    private static func checksum(_ bytes: ByteBuffer) -> UInt16 {
        var rest = bytes
        var sum: UInt64 = 0
        while let word = rest.readInteger(as: UInt16.self) { sum += UInt64(word) }
        if let last = rest.readInteger(as: UInt8.self) { sum += UInt64(last) << 8 }
        while sum > 0xFFFF { sum = sum >> 16 + sum & 0xFFFF }
        return ~UInt16(truncatingIfNeeded: sum)
    }
}
