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
        // The system's generator is a system call: all eight bytes of a number are used.
        var word: UInt64 = 0
        return (0..<count).map { index in
            word = index % 8 == 0 ? self.next() : word >> 8
            return UInt8(truncatingIfNeeded: word)
        }
    }

    /// `count` random characters of the ICE alphabet (letters, digits, `+` and `/`; RFC 8839 section 5.4): 6 bits each.
    public mutating func iceCharacters(count: Int) -> String {
        String(unsafeUninitializedCapacity: count) { characters in
            var word: UInt64 = 0
            for index in 0..<count {
                word = index % 10 == 0 ? self.next() : word >> 6
                characters[index] = Self.iceCharacter(UInt8(word & 63))
            }
            return count
        }
    }

    private static func iceCharacter(_ sixBits: UInt8) -> UInt8 {
        switch sixBits {
        case 0..<26: return UInt8(ascii: "A") + sixBits
        case 26..<52: return UInt8(ascii: "a") + sixBits - 26
        case 52..<62: return UInt8(ascii: "0") + sixBits - 52
        case 62: return UInt8(ascii: "+")
        default: return UInt8(ascii: "/")
        }
    }
}
