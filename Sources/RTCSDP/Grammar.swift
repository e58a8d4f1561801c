/// A typed attribute value: what stands after `a=name:`.
protocol AttributeValue: CustomStringConvertible, Hashable {
    init(parsing text: String) throws(SDPError)
    var attributeValue: String { get }
}

extension AttributeValue {
    var attributeValue: String { self.description }
}

/// The lexical rules that attributes share (RFC 8866 section 9, RFC 8839 section 5).
enum Grammar {
    static let space = UInt8(ascii: " ")

    /// A number of decimal digits alone: no sign, no spaces; `nil` too when it does not fit.
    static func decimal<Number: FixedWidthInteger>(_ text: Substring, as: Number.Type = Number.self) -> Number? {
        guard !text.isEmpty else { return nil }
        var result: Number = 0
        for byte in text.utf8 {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Number(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { return nil }
            result = sum
        }
        return result
    }

    /// The parts between a separator; empty ones (from repeated or outer separators) are left out.
    static func fields(_ text: Substring, separator: UInt8 = Grammar.space, maxSplits: Int = .max) -> [Substring] {
        text.utf8.split(separator: separator, maxSplits: maxSplits).map { Substring($0) }
    }

    static func fields(_ text: String, separator: UInt8 = Grammar.space, maxSplits: Int = .max) -> [Substring] {
        Grammar.fields(text[...], separator: separator, maxSplits: maxSplits)
    }

    /// All parts between a separator, empty ones too.
    static func parts(_ text: Substring, separator: UInt8) -> [Substring] {
        text.utf8.split(separator: separator, omittingEmptySubsequences: false).map { Substring($0) }
    }

    /// What stands before and after the first `separator`; `nil` if there is none.
    static func cut(_ text: Substring, at separator: UInt8) -> (head: Substring, tail: Substring)? {
        guard let index = text.utf8.firstIndex(of: separator) else { return nil }
        return (text[..<index], text[text.utf8.index(after: index)...])
    }

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            return true
        default:
            return false
        }
    }

    /// RFC 8866 `token`: visible ASCII but `"(),/:;<=>?@[\]`.
    static func isToken(_ text: Substring) -> Bool {
        guard !text.isEmpty else { return false }
        for byte in text.utf8 {
            switch byte {
            case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x30...0x39, 0x41...0x5A, 0x5E...0x7E: continue
            default: return false
            }
        }
        return true
    }

    /// RFC 8839 `ice-char`, and the four characters that some implementations use besides.
    static func isICEText(_ text: Substring, count: ClosedRange<Int>) -> Bool {
        guard count.contains(text.utf8.count) else { return false }
        for byte in text.utf8 where !Grammar.isLetterOrDigit(byte) {
            switch byte {
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "="),
                UInt8(ascii: "#"):
                continue
            default:
                return false
            }
        }
        return true
    }

    /// Whether a text holds one of the bytes that no line may hold: NUL, CR, LF.
    static func breaksLine(_ text: String) -> Bool {
        text.utf8.contains { $0 == 0 || $0 == 0x0A || $0 == 0x0D }
    }

    /// An excerpt for error messages: a hostile line must not become a hostile message.
    static func quoted(_ text: Substring) -> String {
        let excerpt = text.utf8.prefix(40)
        var result = "'"
        for byte in excerpt {
            switch byte {
            case 0x20...0x7E: result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result.append("?")
            }
        }
        return result + (excerpt.count < text.utf8.count ? "…'" : "'")
    }

    static func quoted(_ text: String) -> String { Grammar.quoted(text[...]) }
}
