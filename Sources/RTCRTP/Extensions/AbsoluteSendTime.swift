/// When a packet was sent, on the sender's clock: 24 bits that begin anew every 64 seconds
/// (`http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time`).
public struct AbsoluteSendTime: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.absoluteSendTime
    /// Units of 1/262,144 s, 0 to 0xFFFFFF.
    public var units: UInt32

    /// A time in units of 1/262,144 s; bits above the 24th are dropped.
    public init(units: UInt32) { self.units = units & 0xFF_FFFF }

    /// The part of an NTP time that is sent.
    public init(_ time: NTPTimestamp) {
        self.init(units: UInt32(truncatingIfNeeded: time.rawValue >> 14))
    }

    /// Reads a time; `nil` unless there are three bytes.
    public init?(_ bytes: RawSpan) {
        guard let units = bytes.networkOrder24(at: 0) else { return nil }
        self.units = units
    }

    /// How long `later` lies after this on the shorter way round, in nanoseconds; within ±32 s.
    public func nanoseconds(to later: AbsoluteSendTime) -> Int64 {
        // Shifted to the top of 32 bits, the difference gets its sign from the hardware.
        let difference = Int32(bitPattern: (later.units &- self.units) << 8) >> 8
        return (Int64(difference) * 1_000_000_000) >> 18
    }

    public var byteCount: Int { 3 }
    public func write(into bytes: UnsafeMutableRawBufferPointer) { bytes.setNetworkOrder24(self.units, at: 0) }
}
