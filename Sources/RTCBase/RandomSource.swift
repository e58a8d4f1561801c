/// Where a protocol takes its randomness from.
///
/// The system's generator in production; a seeded one makes a test repeat itself exactly. Keys and certificates never come
/// from here: those are OpenSSL's.
public struct RandomSource: RandomNumberGenerator, Sendable {
    private enum Kind: Sendable {
        case system
        case seeded(UInt64)
    }

    private var kind: Kind

    /// The system's cryptographically secure generator.
    public static var system: RandomSource { RandomSource(kind: .system) }

    /// A generator whose whole sequence follows from `seed` (SplitMix64). For tests only.
    public static func seeded(_ seed: UInt64) -> RandomSource { RandomSource(kind: .seeded(seed)) }

    /// The next 64 random bits.
    public mutating func next() -> UInt64 {
        switch self.kind {
        case .system:
            var system = SystemRandomNumberGenerator()
            return system.next()
        case .seeded(let state):
            let next = state &+ 0x9E37_79B9_7F4A_7C15
            self.kind = .seeded(next)
            var mixed = next
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    /// `count` random bytes.
    public mutating func bytes(count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: self.next()) }
    }

    /// `count` random characters of the ICE alphabet (letters, digits, `+` and `/`; RFC 8839 section 5.4): 6 bits each.
    public mutating func iceCharacters(count: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return String(decoding: (0..<count).map { _ in alphabet[Int(self.next() & 63)] }, as: UTF8.self)
    }
}
