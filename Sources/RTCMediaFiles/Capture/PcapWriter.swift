public import NIOCore
public import RTCBase

/// Writes packets to a pcap file, as if they had gone over UDP, for Wireshark and its kind.
///
/// Meant for RTP and RTCP before encryption and after decryption. The file has link type `RAW` (101), IPv4 and IPv6, and times
/// in nanoseconds; it can be read at any moment of its making.
public final class PcapWriter {
    private let output: FileOutput

    /// Writes the header.
    public init(_ output: FileOutput) throws(MediaFileError) {
        self.output = output
        try output.write { bytes in
            bytes.writeInteger(UInt32(0xA1B2_3C4D), endianness: .little)
            bytes.writeInteger(UInt16(2), endianness: .little)
            bytes.writeInteger(UInt16(4), endianness: .little)
            bytes.writeInteger(UInt64(0))
            bytes.writeInteger(UInt32(262_144), endianness: .little)
            bytes.writeInteger(UInt32(101), endianness: .little)
        }
    }

    /// Writes a packet.
    ///
    /// - Parameters:
    ///   - packet: What UDP carries.
    ///   - source: Who sent it.
    ///   - destination: Whom it was sent to; of the same family.
    ///   - time: When, since 1970 began in UTC.
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for addresses of two families, for more than 65,507 bytes, and for
    ///   times before 1970 or behind 2106.
    public func write(
        _ packet: ByteBuffer,
        from source: TransportAddress,
        to destination: TransportAddress,
        time: Duration
    ) throws(MediaFileError) {
        guard source.family == destination.family else {
            throw MediaFileError(.invalidArgument, "a packet from \(source) to \(destination)")
        }
        guard packet.readableBytes <= 65_507 else {
            throw MediaFileError(.invalidArgument, "a packet of \(packet.readableBytes) bytes")
        }
        guard let seconds = UInt32(exactly: time.components.seconds), time >= .zero else {
            throw MediaFileError(.invalidArgument, "a packet at \(time) since 1970")
        }
        let datagram = UDPDatagram(payload: packet, source: source, destination: destination).bytes
        try self.output.write { bytes in
            bytes.writeInteger(seconds, endianness: .little)
            bytes.writeInteger(UInt32(clamping: time.components.attoseconds / 1_000_000_000), endianness: .little)
            bytes.writeInteger(UInt32(clamping: datagram.readableBytes), endianness: .little)
            bytes.writeInteger(UInt32(clamping: datagram.readableBytes), endianness: .little)
            bytes.writeImmutableBuffer(datagram)
        }
    }

    /// Hands to the system what waits in memory.
    public func flush() throws(MediaFileError) { try self.output.flush() }

    /// Closes the file.
    public func close() throws(MediaFileError) { try self.output.close() }
}
