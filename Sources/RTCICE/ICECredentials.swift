public import RTCBase

/// The ufrag and password of one side for one generation (RFC 8445 section 5.3). Its description never shows the
/// password.
public struct ICECredentials: Sendable, Hashable {
    /// The username fragment, 4 to 256 characters of the ICE alphabet.
    public var ufrag: String
    /// The password, 22 to 256 characters of the ICE alphabet.
    public var password: String

    /// Credentials as they stand in a description.
    public init(ufrag: String, password: String) {
        self.ufrag = ufrag
        self.password = password
    }

    /// Fresh credentials.
    ///
    /// - Parameters:
    ///   - ufragPrefix: what the ufrag begins with, so that a shared port can route by it; characters of the ICE
    ///     alphabet.
    ///   - ufragLength: how many random characters follow, 4 at least; 8 by default (48 bits).
    ///   - passwordLength: 22 at least; 24 by default (144 bits).
    public static func random(
        using random: inout RandomSource,
        ufragPrefix: String = "",
        ufragLength: Int = 8,
        passwordLength: Int = 24
    ) -> ICECredentials {
        ICECredentials(
            ufrag: ufragPrefix + random.iceCharacters(count: max(4, ufragLength)),
            password: random.iceCharacters(count: max(22, passwordLength))
        )
    }

    /// Whether both strings have the lengths and characters that RFC 8839 section 5.4 demands.
    public var isWellFormed: Bool {
        Self.isWellFormed(self.ufrag, minimum: 4) && Self.isWellFormed(self.password, minimum: 22)
    }

    private static func isWellFormed(_ text: String, minimum: Int) -> Bool {
        (minimum...256).contains(text.utf8.count) && text.utf8.allSatisfy(\.isICECharacter)
    }
}

extension ICECredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The ufrag; never the password.
    public var description: String { "ICECredentials(ufrag: \(self.ufrag))" }
    /// The ufrag; never the password.
    public var debugDescription: String { self.description }
    /// The ufrag; never the password.
    public var customMirror: Mirror { Mirror(self, children: ["ufrag": self.ufrag]) }
}

extension UInt8 {
    /// Whether this is an `ice-char`: a letter, a digit, `+` or `/` (RFC 8839 section 5.1).
    var isICECharacter: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: return true
        default: return false
        }
    }
}
