/// How long the receiver should wait between capture and showing
/// (`http://www.webrtc.org/experiments/rtp-hdrext/playout-delay`).
public struct PlayoutDelay: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.playoutDelay
    /// The shortest delay in units of 10 ms, 0 to 4095.
    public var minimum: UInt16
    /// The longest delay in units of 10 ms, 0 to 4095 and not below ``minimum``.
    public var maximum: UInt16

    /// Delays in units of 10 ms, brought into range.
    public init(minimum: UInt16, maximum: UInt16) {
        self.minimum = min(minimum, 0xFFF)
        self.maximum = min(max(maximum, self.minimum), 0xFFF)
    }

    /// Reads delays; `nil` unless there are three bytes and the longest is not the shorter one.
    public init?(_ bytes: RawSpan) {
        guard let bits = bytes.networkOrder24(at: 0), bits >> 12 <= bits & 0xFFF else { return nil }
        self.minimum = UInt16(bits >> 12)
        self.maximum = UInt16(bits & 0xFFF)
    }

    public var byteCount: Int { 3 }
    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.setNetworkOrder24(UInt32(self.minimum & 0xFFF) << 12 | UInt32(self.maximum & 0xFFF), at: 0)
    }
}
