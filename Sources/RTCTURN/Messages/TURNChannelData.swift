public import NIOCore
internal import RTCSTUN

/// A ChannelData message: four bytes of header, then application data (RFC 8656 section 12.4).
public struct TURNChannelData: Sendable, Hashable {
    /// The channel.
    public let channel: TURNChannelNumber
    /// How many bytes of application data follow the header.
    public let count: Int

    /// The size of the header, in bytes.
    public static let headerSize = 4

    /// Whether the first byte is one of a ChannelData message: 64 to 79 (RFC 7983), and to 127 with clients of RFC 5766.
    public static func isChannelData(firstByte: UInt8) -> Bool { firstByte >> 6 == 1 }

    /// Reads the header; `nil` if the datagram is no ChannelData message, or shorter than its length says. What is behind
    /// the application data is padding and is ignored (RFC 8656 section 12.5).
    public init?(_ datagram: RawSpan) {
        guard let number: UInt16 = datagram.bigEndian(at: 0), let channel = TURNChannelNumber(rawValue: number),
            let count: UInt16 = datagram.bigEndian(at: 2), Self.headerSize + Int(count) <= datagram.byteCount
        else { return nil }
        self.channel = channel
        self.count = Int(count)
    }

    /// Where the application data is in the datagram.
    public var payloadRange: Range<Int> { Self.headerSize..<Self.headerSize + self.count }

    /// The header as a number whose bytes in network order are the wire's.
    ///
    /// - Parameter count: Bytes of application data, 0 to 65535; more are cut.
    public static func header(_ channel: TURNChannelNumber, count: Int) -> UInt32 {
        UInt32(channel.rawValue) << 16 | UInt32(UInt16(clamping: count))
    }

    /// Appends a whole message.
    ///
    /// - Parameter isPadded: Whether zero bytes follow up to a multiple of four: over TCP and TLS they must.
    /// - Returns: `false`, and nothing is written, if the data has more than 65,535 bytes.
    @discardableResult
    public static func write(
        _ data: RawSpan,
        on channel: TURNChannelNumber,
        to buffer: inout ByteBuffer,
        isPadded: Bool
    ) -> Bool {
        guard data.byteCount <= Int(UInt16.max) else { return false }
        buffer.writeInteger(Self.header(channel, count: data.byteCount))
        _ = data.withUnsafeBytes { buffer.writeBytes($0) }
        if isPadded { buffer.writeRepeatingByte(0, count: -data.byteCount & 3) }
        return true
    }
}
