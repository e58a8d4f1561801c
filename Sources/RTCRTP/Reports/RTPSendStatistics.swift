public import NIOCore

/// What has been sent of one stream, and what the peer says of it (RFC 3550 section 6.4).
public struct RTPSendStatistics: Sendable {
    /// What the peer says of the stream.
    public struct Remote: Sendable, Hashable {
        /// The last report.
        public let block: RTCPReportBlock
        /// When it came.
        public let arrival: NIODeadline
    }

    /// The rate of the timestamps, per second.
    public var clockRate: UInt32
    /// How many packets were sent.
    public private(set) var packetCount: UInt64 = 0
    /// How many bytes of payload, headers and padding left out.
    public private(set) var payloadByteCount: UInt64 = 0
    /// How many bytes of headers and padding.
    public private(set) var overheadByteCount: UInt64 = 0
    /// What the peer said last; `nil` before it said something.
    public private(set) var remote: Remote?
    /// How long a packet took there and back when last measured; `nil` before.
    public private(set) var roundTripTime: TimeAmount?
    /// The sum of all measured round-trip times.
    public private(set) var totalRoundTripTime = TimeAmount.zero
    /// How many round-trip times were measured.
    public private(set) var roundTripTimeCount: UInt64 = 0

    private var last: (timestamp: UInt32, instant: NIODeadline)?
    private var packetCountAtReport: UInt64 = 0

    /// Statistics of a stream that has not begun.
    public init(clockRate: UInt32) { self.clockRate = clockRate }

    /// Counts a packet that was sent.
    ///
    /// - Parameters:
    ///   - captureTime: When the packet's first sample was taken, on the event loop's clock; `nil` if that is not known: now.
    public mutating func send(
        _ view: RTPPacketView,
        captureTime: NIODeadline? = nil,
        now: NIODeadline
    ) {
        self.send(
            timestamp: view.header.timestamp,
            payloadSize: view.payloadRange.count,
            overhead: view.size - view.payloadRange.count,
            captureTime: captureTime,
            now: now
        )
    }

    /// Counts a packet that was sent.
    ///
    /// - Parameters:
    ///   - payloadSize: In bytes, headers and padding left out.
    ///   - overhead: Headers and padding, in bytes.
    ///   - captureTime: When the packet's first sample was taken, on the event loop's clock; `nil` if that is not known: now.
    public mutating func send(
        timestamp: UInt32,
        payloadSize: Int,
        overhead: Int,
        captureTime: NIODeadline? = nil,
        now: NIODeadline
    ) {
        self.packetCount &+= 1
        self.payloadByteCount &+= UInt64(max(payloadSize, 0))
        self.overheadByteCount &+= UInt64(max(overhead, 0))
        // Only the first packet of a picture is sent when its timestamp says.
        if self.last?.timestamp != timestamp { self.last = (timestamp, captureTime ?? now) }
    }

    /// Whether packets were sent since the last sender report was made: whether the stream is to report as a sender.
    public var hasSentSinceReport: Bool { self.packetCount != self.packetCountAtReport }

    /// What a sender report of now says; `nil` before the first packet.
    ///
    /// - Parameter ntpTime: The wall clock's time of `now`.
    public mutating func makeSenderInfo(ntpTime: NTPTimestamp, now: NIODeadline) -> RTCPSenderInfo? {
        guard let last = self.last else { return nil }
        self.packetCountAtReport = self.packetCount
        let (seconds, rest) = (now - last.instant).nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let rate = Int64(self.clockRate)
        let elapsed = seconds &* rate &+ rest &* rate / 1_000_000_000
        return RTCPSenderInfo(
            ntpTime: ntpTime,
            rtpTimestamp: last.timestamp &+ UInt32(truncatingIfNeeded: elapsed),
            packetCount: UInt32(truncatingIfNeeded: self.packetCount),
            octetCount: UInt32(truncatingIfNeeded: self.payloadByteCount)
        )
    }

    /// Takes note of what the peer says of the stream.
    ///
    /// - Parameter ntpTime: The wall clock's time of `now`.
    /// - Returns: The round-trip time, if the report lets it be measured.
    @discardableResult
    public mutating func receive(
        _ block: RTCPReportBlock,
        ntpTime: NTPTimestamp,
        now: NIODeadline
    ) -> TimeAmount? {
        self.remote = Remote(block: block, arrival: now)
        let measured = RoundTripTime.measure(
            now: ntpTime,
            last: block.lastSenderReport,
            delay: block.delaySinceLastSenderReport
        )
        guard let measured else { return nil }
        self.roundTripTime = measured
        self.totalRoundTripTime = self.totalRoundTripTime + measured
        self.roundTripTimeCount &+= 1
        return measured
    }
}
