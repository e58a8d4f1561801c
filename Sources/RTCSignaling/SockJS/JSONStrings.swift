import NIOCore

/// JSON as far as SockJS needs it: strings, and arrays of strings (RFC 8259).
package enum JSONStrings {
    /// Reads an array of strings, or one string; nil if it is anything else.
    ///
    /// Half of a surrogate pair, which JavaScript can send and Unicode does not have, becomes U+FFFD.
    package static func decode(_ bytes: some Sequence<UInt8>) -> [String]? {
        var reader = JSONReader(bytes)
        return reader.readStrings()
    }

    /// `["…","…"]`.
    package static func encode(_ strings: some Sequence<String>) -> String {
        var text: [UInt8] = [UInt8(ascii: "[")]
        for string in strings {
            if text.count > 1 { text.append(UInt8(ascii: ",")) }
            self.append(string, to: &text, escapingMarkup: false)
        }
        text.append(UInt8(ascii: "]"))
        return String(decoding: text, as: UTF8.self)
    }

    /// `"…"`.
    ///
    /// - Parameter escapingMarkup: Whether `<` is escaped, for a string that stands in a script element.
    package static func encode(_ string: String, escapingMarkup: Bool = false) -> String {
        var text: [UInt8] = []
        self.append(string, to: &text, escapingMarkup: escapingMarkup)
        return String(decoding: text, as: UTF8.self)
    }

    private static func append(_ string: String, to text: inout [UInt8], escapingMarkup: Bool) {
        text.append(UInt8(ascii: "\""))
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": text += Array("\\\"".utf8)
            case "\\": text += Array("\\\\".utf8)
            case "\n": text += Array("\\n".utf8)
            case "\r": text += Array("\\r".utf8)
            case "\t": text += Array("\\t".utf8)
            default:
                if self.mustBeEscaped(scalar) || (escapingMarkup && scalar == "<") {
                    let digits = String(scalar.value, radix: 16)
                    text += Array(("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8)
                } else {
                    text += Array(String(scalar).utf8)
                }
            }
        }
        text.append(UInt8(ascii: "\""))
    }

    /// Control characters, and those that browsers change on the way (SockJS 0.3.3, JSON Unicode Encoding).
    private static func mustBeEscaped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...0x1F, 0x7F, 0x200C...0x200F, 0x2028...0x202F, 0x2060...0x206F, 0xFFF0...0xFFFF: return true
        default: return false
        }
    }
}
