/// Reads the structure that HTTP fields have in common: tokens, quoted strings and separators (RFC 9110 section 5.6).
struct FieldReader {
    private var rest: Substring.UTF8View

    init(_ text: String) { self.rest = text[...].utf8 }

    mutating func skipWhitespace() {
        while let byte = self.rest.first, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
            self.rest.removeFirst()
        }
    }

    /// Takes a character, with the space before it, if it comes next.
    mutating func take(_ character: Unicode.Scalar) -> Bool {
        self.skipWhitespace()
        guard self.rest.first == UInt8(ascii: character) else { return false }
        self.rest.removeFirst()
        return true
    }

    /// What comes before a character, which is taken too; nil if it does not come.
    mutating func take(until character: Unicode.Scalar) -> String? {
        guard let end = self.rest.firstIndex(of: UInt8(ascii: character)) else { return nil }
        defer { self.rest = self.rest[end...].dropFirst() }
        return String(self.rest[..<end])
    }

    /// A token; empty if none comes.
    mutating func token() -> String {
        self.skipWhitespace()
        let end = self.rest.firstIndex { !Self.isTokenByte($0) } ?? self.rest.endIndex
        defer { self.rest = self.rest[end...] }
        return String(decoding: self.rest[..<end], as: UTF8.self)
    }

    /// A quoted string without its quotation marks and backslashes; nil if none comes, or it does not end.
    mutating func quotedString() -> String? {
        guard self.take("\"") else { return nil }
        var bytes: [UInt8] = []
        while let byte = self.rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = self.rest.popFirst() else { return nil }
                bytes.append(escaped)
            } else {
                bytes.append(byte)
            }
        }
        return nil
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
