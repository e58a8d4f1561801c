internal import NIOCore

/// Reads rtpdump files, the format of the RTP tools.
public final class RTPDumpReader {
    /// What the file says of itself.
    public let header: RTPDumpHeader
    private let input: FileInput
    private let headerSize: Int64

    /// Reads the header.
    ///
    /// - Throws: What is wrong with it.
    public init(_ input: FileInput) throws(MediaFileError) {
        self.input = input
        var header = try Self.readLine(input)
        guard var bytes = try input.take(RTPDumpHeader.binarySize),
            let seconds = bytes.readInteger(as: UInt32.self), let microseconds = bytes.readInteger(as: UInt32.self)
        else { throw input.error(.malformed, "the file ends in its header") }
        guard microseconds < 1_000_000 else {
            throw input.error(.malformed, "a beginning \(microseconds) microseconds behind its second")
        }
        header.startTime = .seconds(Int64(seconds)) + .microseconds(Int64(microseconds))
        self.header = header
        self.headerSize = input.offset
    }

    /// The next packet; `nil` at the end, and where the file was cut off.
    ///
    /// - Throws: ``MediaFileError/Code/malformed`` for a length below that of a header.
    public func nextPacket() throws(MediaFileError) -> RTPDumpPacket? {
        guard var bytes = try self.input.take(RTPDumpPacket.headerSize),
            let length = bytes.readInteger(as: UInt16.self), let packetLength = bytes.readInteger(as: UInt16.self),
            let milliseconds = bytes.readInteger(as: UInt32.self)
        else { return nil }
        guard length >= RTPDumpPacket.headerSize else {
            throw self.input.error(.malformed, "a packet of \(length) bytes, of which 8 are its header")
        }
        guard let payload = try self.input.take(Int(length) - RTPDumpPacket.headerSize) else { return nil }
        // Only RTP has a length of its own, which is the larger one where recording cut the packet.
        return RTPDumpPacket(
            payload: payload,
            time: .milliseconds(Int64(milliseconds)),
            isRTCP: packetLength == 0
        )
    }

    /// Begins again with the first packet.
    public func rewind() throws(MediaFileError) {
        try self.input.rewind()
        try self.input.skip(self.headerSize)
    }

    /// The first line: `#!rtpplay1.0 address/port`.
    private static func readLine(_ input: FileInput) throws(MediaFileError) -> RTPDumpHeader {
        var start = try input.peek(RTPDumpHeader.lineLimit)
        guard let end = start.readableBytesView.firstIndex(of: 0x0A),
            let line = start.readString(length: end), line.hasPrefix(RTPDumpHeader.signature)
        else { throw MediaFileError(.malformed, "an rtpdump file begins with #!rtpplay1.0", offset: 0) }
        try input.skip(Int64(end + 1))
        let parts = line.dropFirst(RTPDumpHeader.signature.count).split(separator: "/")
        guard parts.count == 2, let port = UInt16(parts[1]) else {
            throw MediaFileError(.malformed, "an address and a port, divided by a slash, are missing", offset: 13)
        }
        return RTPDumpHeader(address: String(parts[0]), port: port)
    }
}
