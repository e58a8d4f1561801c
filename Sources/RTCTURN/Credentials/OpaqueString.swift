/// The OpaqueString profile, which user names, realms and passwords go through before they are hashed or compared (RFC 8265
/// section 4.2).
///
/// ASCII text, which nearly all credentials are, comes out as it is unless it has control characters. Other text has its
/// spaces mapped to U+0020 and is refused if it has characters that the profile forbids (controls, characters that are
/// ignored by default, noncharacters, unassigned ones, conjoining Jamo). It is taken to be in normalization form C, as
/// keyboards and configuration files have it; text in another form is compared as it stands.
public enum OpaqueString {
    /// Prepares a text.
    ///
    /// - Returns: `nil` if it is empty or has a character that the profile forbids.
    public static func prepare(_ text: String) -> String? {
        guard !text.isEmpty else { return nil }
        if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text }
        var prepared = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if scalar.properties.generalCategory == .spaceSeparator {
                prepared.append(" ")
            } else if Self.isAllowed(scalar) {
                prepared.append(scalar)
            } else {
                return nil
            }
        }
        return String(prepared)
    }

    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        let properties = scalar.properties
        if properties.isDefaultIgnorableCodePoint || properties.isNoncharacterCodePoint { return false }
        switch properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return false
        default: return !Self.conjoiningJamo.contains { $0.contains(scalar.value) }
        }
    }

    private static let conjoiningJamo: [ClosedRange<UInt32>] = [0x1100...0x11FF, 0xA960...0xA97C, 0xD7B0...0xD7FB]
}
