/// When the first sample of a frame was captured (`http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time`).
public struct AbsoluteCaptureTime: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.absoluteCaptureTime
    /// The time on the clock of the one who captured.
    public var captureTime: NTPTimestamp
    /// What has to be added to the sender's clock to get the capturer's, in units of 2⁻³² s; `nil` if unknown, as after
    /// the first hop.
    public var captureClockOffset: Int64?

    /// A time, and how the capturer's clock differs.
    public init(captureTime: NTPTimestamp, captureClockOffset: Int64? = nil) {
        self.captureTime = captureTime
        self.captureClockOffset = captureClockOffset
    }

    /// Reads a time, and the offset if there are 16 bytes; `nil` for fewer than eight.
    public init?(_ bytes: RawSpan) {
        guard let time: UInt64 = bytes.networkOrder(at: 0) else { return nil }
        self.captureTime = NTPTimestamp(rawValue: time)
        let offset: UInt64? = bytes.networkOrder(at: 8)
        self.captureClockOffset = offset.map(Int64.init(bitPattern:))
    }

    public var byteCount: Int { self.captureClockOffset == nil ? 8 : 16 }
    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.setNetworkOrder(self.captureTime.rawValue, at: 0)
        if let offset = self.captureClockOffset { bytes.setNetworkOrder(UInt64(bitPattern: offset), at: 8) }
    }
}
