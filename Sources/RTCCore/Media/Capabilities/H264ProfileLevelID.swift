/// The `profile-level-id` of H.264 (RFC 6184 section 8.1): what a decoder takes, in three bytes.
struct H264ProfileLevelID: Sendable, Hashable {
    /// A profile. The same one may be written in several ways (RFC 6184 table 5).
    enum Profile: Sendable, Hashable {
        case constrainedBaseline, baseline, main, extended
        case constrainedHigh, high, high10, high422, high444Predictive
        case high10Intra, high422Intra, high444Intra, cavlc444Intra
    }

    /// A level; ordered by what it allows, level 1b between 1 and 1.1.
    struct Level: Sendable, Hashable, Comparable {
        /// Ten times the level's number, level 1b as `nil`.
        let idc: UInt8?

        static func < (lhs: Level, rhs: Level) -> Bool { lhs.rank < rhs.rank }
        private var rank: Int { self.idc.map { Int($0) * 2 } ?? 21 }
    }

    let profile: Profile
    var level: Level
    /// The first two bytes, as the peer wrote them.
    private let profileIDC: UInt8
    private let constraints: UInt8

    /// What holds where nothing is written: the Baseline profile at level 1 (RFC 6184 section 8.1).
    static let inferred = H264ProfileLevelID("42000a")

    /// Reads six hexadecimal digits; `nil` for other texts, unknown profiles and unknown levels.
    init?(_ text: String) {
        guard text.utf8.count == 6, let value = UInt32(text, radix: 16), text.utf8.allSatisfy({ $0 != 0x2B }) else {
            return nil
        }
        self.init(
            profileIDC: UInt8(truncatingIfNeeded: value >> 16),
            constraints: UInt8(truncatingIfNeeded: value >> 8),
            levelIDC: UInt8(truncatingIfNeeded: value)
        )
    }

    private init?(profileIDC: UInt8, constraints: UInt8, levelIDC: UInt8) {
        guard let pattern = Self.patterns.first(where: { $0.matches(profileIDC, constraints) }) else { return nil }
        let isOld = [0x42, 0x4D, 0x58].contains(profileIDC)
        let is1b = levelIDC == 9 || (isOld && levelIDC == 11 && constraints & 0x10 != 0)
        guard is1b || Self.levels.contains(levelIDC) else { return nil }
        self.profile = pattern.profile
        self.level = Level(idc: is1b ? nil : levelIDC)
        self.profileIDC = profileIDC
        self.constraints = constraints
    }

    /// Six hexadecimal digits: the profile as it was written, with the present level.
    var text: String {
        let isOld = [0x42, 0x4D, 0x58].contains(self.profileIDC)
        var constraints = self.constraints
        let levelIDC: UInt8
        switch (self.level.idc, isOld) {
        case (let idc?, true):
            // In these profiles the flag means level 1b and nothing else.
            constraints &= ~0x10
            levelIDC = idc
        case (let idc?, false):
            levelIDC = idc
        case (nil, true):
            constraints |= 0x10
            levelIDC = 11
        case (nil, false):
            levelIDC = 9
        }
        return [self.profileIDC, constraints, levelIDC].map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    /// One row of RFC 6184 table 5.
    private struct Pattern {
        let idc: UInt8
        let mask: UInt8
        let value: UInt8
        let profile: Profile

        func matches(_ idc: UInt8, _ constraints: UInt8) -> Bool {
            idc == self.idc && constraints & self.mask == self.value
        }
    }

    private static let patterns: [Pattern] = [
        Pattern(idc: 0x42, mask: 0x4F, value: 0x40, profile: .constrainedBaseline),
        Pattern(idc: 0x4D, mask: 0x8F, value: 0x80, profile: .constrainedBaseline),
        Pattern(idc: 0x58, mask: 0xCF, value: 0xC0, profile: .constrainedBaseline),
        Pattern(idc: 0x42, mask: 0x4F, value: 0x00, profile: .baseline),
        Pattern(idc: 0x58, mask: 0xCF, value: 0x80, profile: .baseline),
        Pattern(idc: 0x4D, mask: 0xAF, value: 0x00, profile: .main),
        Pattern(idc: 0x58, mask: 0xCF, value: 0x00, profile: .extended),
        Pattern(idc: 0x64, mask: 0xFF, value: 0x00, profile: .high),
        Pattern(idc: 0x64, mask: 0xFF, value: 0x0C, profile: .constrainedHigh),
        Pattern(idc: 0x6E, mask: 0xFF, value: 0x00, profile: .high10),
        Pattern(idc: 0x7A, mask: 0xFF, value: 0x00, profile: .high422),
        Pattern(idc: 0xF4, mask: 0xFF, value: 0x00, profile: .high444Predictive),
        Pattern(idc: 0x6E, mask: 0xFF, value: 0x10, profile: .high10Intra),
        Pattern(idc: 0x7A, mask: 0xFF, value: 0x10, profile: .high422Intra),
        Pattern(idc: 0xF4, mask: 0xFF, value: 0x10, profile: .high444Intra),
        Pattern(idc: 0x2C, mask: 0xFF, value: 0x10, profile: .cavlc444Intra),
    ]

    private static let levels: Set<UInt8> = [
        10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 60, 61, 62,
    ]
}
