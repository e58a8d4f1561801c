import NIOCore

/// JSON as far as SockJS needs it: strings, and arrays of strings (RFC 8259).
package enum JSONStrings {
    /// Reads an array of strings, or one string; nil if it is anything else.
    ///
    /// Half of a surrogate pair, which JavaScript can send and Unicode does not have, becomes U+FFFD.
    package static func decode(_ bytes: some Sequence<UInt8>) -> [String]? {
        var reader = JSONStringReader(bytes)
        return reader.readDocument()
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

/// Reads the strings of a document.
private struct JSONStringReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    mutating func readDocument() -> [String]? {
        self.skipSpaces()
        var strings: [String] = []
        if self.take(UInt8(ascii: "[")) {
            self.skipSpaces()
            if !self.take(UInt8(ascii: "]")) {
                repeat {
                    self.skipSpaces()
                    guard let string = self.readString() else { return nil }
                    strings.append(string)
                    self.skipSpaces()
                } while self.take(UInt8(ascii: ","))
                guard self.take(UInt8(ascii: "]")) else { return nil }
            }
        } else {
            guard let string = self.readString() else { return nil }
            strings.append(string)
        }
        self.skipSpaces()
        return self.index == self.bytes.count ? strings : nil
    }

    private mutating func readString() -> String? {
        guard self.take(UInt8(ascii: "\"")) else { return nil }
        var text: [UInt8] = []
        while self.index < self.bytes.count {
            let byte = self.bytes[self.index]
            self.index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"): guard self.readEscape(into: &text) else { return nil }
            // SockJS clients send control characters as they are, which JSON forbids.
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func readEscape(into text: inout [UInt8]) -> Bool {
        guard self.index < self.bytes.count else { return false }
        let byte = self.bytes[self.index]
        self.index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard let unit = self.readCodeUnit() else { return false }
            self.append(unit, to: &text)
        default: return false
        }
        return true
    }

    private mutating func append(_ unit: UInt16, to text: inout [UInt8]) {
        var scalar = Unicode.Scalar(UInt32(unit))
        if UTF16.isLeadSurrogate(unit) {
            let start = self.index
            if self.take(UInt8(ascii: "\\")), self.take(UInt8(ascii: "u")), let trail = self.readCodeUnit(),
                UTF16.isTrailSurrogate(trail)
            {
                scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(trail) - 0xDC00)
            } else {
                self.index = start
            }
        }
        text += Array(String(scalar ?? "\u{FFFD}").utf8)
    }

    private mutating func readCodeUnit() -> UInt16? {
        guard self.index + 4 <= self.bytes.count else { return nil }
        var unit: UInt16 = 0
        for byte in self.bytes[self.index..<self.index + 4] {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        self.index += 4
        return unit
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.index < self.bytes.count, self.bytes[self.index] == byte else { return false }
        self.index += 1
        return true
    }

    private mutating func skipSpaces() {
        while self.index < self.bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(self.bytes[self.index]) {
            self.index += 1
        }
    }
}
