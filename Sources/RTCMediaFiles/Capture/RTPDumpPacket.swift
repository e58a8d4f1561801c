public import NIOCore

/// A packet as it stands in an rtpdump file.
public struct RTPDumpPacket: Sendable, Hashable {
    /// RTP or RTCP, as much of it as was recorded.
    public var payload: ByteBuffer
    /// When it was recorded, since the beginning of the file; in milliseconds in the file.
    public var time: Duration
    /// Whether it is RTCP.
    public var isRTCP: Bool

    /// A packet.
    public init(payload: ByteBuffer, time: Duration, isRTCP: Bool) {
        self.payload = payload
        self.time = time
        self.isRTCP = isRTCP
    }

    static let headerSize = 8
}

/// What an rtpdump file says of itself.
public struct RTPDumpHeader: Sendable, Hashable {
    /// Where the packets came from: an IPv4 address. Default 0.0.0.0.
    public var address: String
    /// The port there.
    public var port: UInt16
    /// When the recording began, since 1970 in UTC.
    public var startTime: Duration

    /// A header.
    public init(address: String = "0.0.0.0", port: UInt16 = 0, startTime: Duration = .zero) {
        self.address = address
        self.port = port
        self.startTime = startTime
    }

    static let signature = "#!rtpplay1.0 "
    /// Bytes of the first line at most.
    static let lineLimit = 128
    /// Bytes of what is behind the line.
    static let binarySize = 16
}
