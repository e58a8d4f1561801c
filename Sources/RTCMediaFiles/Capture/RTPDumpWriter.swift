internal import NIOCore
internal import RTCBase

/// Writes rtpdump files, which the RTP tools play.
public final class RTPDumpWriter {
    private let output: FileOutput

    /// Writes the header.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for what is not an IPv4 address, and for times before 1970 or behind
    ///   2106.
    public init(_ output: FileOutput, header: RTPDumpHeader = RTPDumpHeader()) throws(MediaFileError) {
        self.output = output
        guard let address = TransportAddress(ip: header.address, port: header.port), address.family == .ipv4 else {
            throw MediaFileError(.invalidArgument, "an address that is not IPv4")
        }
        let (seconds, attoseconds) = header.startTime.components
        guard let seconds = UInt32(exactly: seconds), attoseconds >= 0 else {
            throw MediaFileError(.invalidArgument, "a beginning at \(header.startTime) since 1970")
        }
        try output.write { bytes in
            bytes.writeString("\(RTPDumpHeader.signature)\(header.address)/\(header.port)\n")
            bytes.writeMultipleIntegers(seconds, UInt32(clamping: attoseconds / 1_000_000_000_000))
            bytes.writeBytes(address.ipBytes)
            bytes.writeMultipleIntegers(header.port, UInt16(0))
        }
    }

    /// Writes a packet.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for more than 65,527 bytes, none, and times beyond 49 days.
    public func write(_ packet: RTPDumpPacket) throws(MediaFileError) {
        let size = packet.payload.readableBytes
        guard size > 0, let length = UInt16(exactly: size + RTPDumpPacket.headerSize) else {
            throw MediaFileError(.invalidArgument, "a packet of \(size) bytes")
        }
        guard let time = Timebase.milliseconds.ticks(in: packet.time).flatMap({ UInt32(exactly: $0) }) else {
            throw MediaFileError(.invalidArgument, "a packet at \(packet.time)")
        }
        try self.output.write { bytes in
            bytes.writeMultipleIntegers(length, packet.isRTCP ? 0 : UInt16(size), time)
            bytes.writeImmutableBuffer(packet.payload)
        }
    }

    /// Hands to the system what waits in memory.
    public func flush() throws(MediaFileError) { try self.output.flush() }

    /// Closes the file.
    public func close() throws(MediaFileError) { try self.output.close() }
}
