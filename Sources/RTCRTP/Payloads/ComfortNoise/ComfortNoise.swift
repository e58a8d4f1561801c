/// A description of background noise (RFC 3389 section 3).
public struct ComfortNoise: Sendable, Hashable {
    /// How loud: 0 to 127 in dB below the loudest (−dBov).
    public var level: UInt8
    /// The quantised reflection coefficients, in order; empty for white noise.
    public var reflectionCoefficients: [UInt8]

    /// More coefficients than this are not read; RFC 3389's own codec has up to 12.
    static let maximumCoefficients = 32

    /// Noise of a level, 0 to 127 in −dBov; louder than possible counts as 127.
    public init(level: UInt8, reflectionCoefficients: [UInt8] = []) {
        self.level = min(level, 127)
        self.reflectionCoefficients = reflectionCoefficients
    }

    /// Reads a payload; `nil` if it is empty or its level is none.
    public init?(payload: RawSpan) {
        guard payload.byteCount > 0 else { return nil }
        let bytes = payload.withUnsafeBytes { Array($0.prefix(1 + Self.maximumCoefficients)) }
        guard bytes[0] < 128 else { return nil }
        self.level = bytes[0]
        self.reflectionCoefficients = Array(bytes[1...])
    }

    /// The payload.
    public var payload: [UInt8] { [self.level] + self.reflectionCoefficients }
}
