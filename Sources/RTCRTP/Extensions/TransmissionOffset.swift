/// How long after its timestamp a packet was sent (RFC 5450).
public struct TransmissionOffset: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.transmissionOffset
    /// Units of the format's clock rate, −8,388,608 to 8,388,607.
    public var units: Int32

    /// An offset, brought into what 24 bits can say.
    public init(units: Int32) { self.units = min(max(units, -0x80_0000), 0x7F_FFFF) }

    /// Reads an offset; `nil` unless there are three bytes.
    public init?(_ bytes: RawSpan) {
        guard let bits = bytes.networkOrder24(at: 0) else { return nil }
        self.units = Int32(bitPattern: bits << 8) >> 8
    }

    public var byteCount: Int { 3 }
    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        bytes.setNetworkOrder24(UInt32(bitPattern: self.units), at: 0)
    }
}
