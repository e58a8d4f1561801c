/// How loud the sound of a packet is (RFC 6464).
public struct AudioLevel: HeaderExtensionValue {
    public static let kind = HeaderExtensionKind.audioLevel
    /// The level below the loudest that can be represented, 0 to 127: −`level` dBov. 127 is silence.
    public var level: UInt8
    /// Whether the encoder takes the sound for a voice; says nothing unless `vad=on` was agreed.
    public var hasVoiceActivity: Bool

    /// A level; above 127 is 127.
    public init(level: UInt8, hasVoiceActivity: Bool) {
        self.level = min(level, 127)
        self.hasVoiceActivity = hasVoiceActivity
    }

    /// Reads a level; bytes behind the first are not looked at.
    public init?(_ bytes: RawSpan) {
        guard let byte: UInt8 = bytes.networkOrder(at: 0) else { return nil }
        self.init(level: byte & 0x7F, hasVoiceActivity: byte & 0x80 != 0)
    }

    public var byteCount: Int { 1 }
    public func write(into bytes: UnsafeMutableRawBufferPointer) {
        bytes[0] = min(self.level, 127) | (self.hasVoiceActivity ? 0x80 : 0)
    }
}
