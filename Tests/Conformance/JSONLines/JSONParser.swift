/// Why a text is no JSON.
public struct JSONSyntaxError: Error {
    /// Where, in bytes.
    public let offset: Int
}

extension JSONValue {
    /// Reads a value from UTF-8.
    public init(parsing utf8: some Sequence<UInt8>) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes: Array(utf8))
        self = try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    var index = 0
    /// Deeper nesting than any message needs.
    static let maximumDepth = 64

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONSyntaxError) -> JSONValue {
        let value = try self.value(depth: 0)
        self.skipSpace()
        guard self.index == self.bytes.count else { throw self.failure }
        return value
    }

    private var failure: JSONSyntaxError { JSONSyntaxError(offset: self.index) }

    private var peek: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    private mutating func skipSpace() {
        while let byte = self.peek, byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d { self.index += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard self.peek == byte else { return false }
        self.index += 1
        return true
    }

    private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw self.failure }
        self.skipSpace()
        switch self.peek {
        case UInt8(ascii: "{"): return try self.object(depth: depth)
        case UInt8(ascii: "["): return try self.array(depth: depth)
        case UInt8(ascii: "\""): return .string(try self.string())
        case UInt8(ascii: "t"): return try self.word("true", .bool(true))
        case UInt8(ascii: "f"): return try self.word("false", .bool(false))
        case UInt8(ascii: "n"): return try self.word("null", .null)
        default: return try self.number()
        }
    }

    private mutating func word(_ word: String, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        for byte in word.utf8 {
            guard self.take(byte) else { throw self.failure }
        }
        return value
    }

    private mutating func number() throws(JSONSyntaxError) -> JSONValue {
        let start = self.index
        while let byte = self.peek, Self.numberBytes.contains(byte) { self.index += 1 }
        guard let number = Double(String(decoding: self.bytes[start..<self.index], as: UTF8.self)) else {
            throw self.failure
        }
        return .number(number)
    }

    private static let numberBytes = Set("+-.0123456789eE".utf8)

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        self.index += 1
        var members: [String: JSONValue] = [:]
        self.skipSpace()
        if self.take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            self.skipSpace()
            guard self.peek == UInt8(ascii: "\"") else { throw self.failure }
            let name = try self.string()
            self.skipSpace()
            guard self.take(UInt8(ascii: ":")) else { throw self.failure }
            members[name] = try self.value(depth: depth + 1)
            self.skipSpace()
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "}")) else { throw self.failure }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
        self.index += 1
        var elements: [JSONValue] = []
        self.skipSpace()
        if self.take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            elements.append(try self.value(depth: depth + 1))
            self.skipSpace()
        } while self.take(UInt8(ascii: ","))
        guard self.take(UInt8(ascii: "]")) else { throw self.failure }
        return .array(elements)
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        self.index += 1
        var text: [UInt8] = []
        while let byte = self.peek {
            self.index += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try self.escape(into: &text)
            default: text.append(byte)
            }
        }
        throw self.failure
    }

    private mutating func escape(into text: inout [UInt8]) throws(JSONSyntaxError) {
        guard let byte = self.peek else { throw self.failure }
        self.index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try self.scalar()).utf8)
        default: throw self.failure
        }
    }

    /// One or two `\u` escapes; half a surrogate pair becomes U+FFFD.
    private mutating func scalar() throws(JSONSyntaxError) -> Character {
        let high = try self.codeUnit()
        if let scalar = Unicode.Scalar(high) { return Character(scalar) }
        guard (0xd800..<0xdc00).contains(high), self.index + 1 < self.bytes.count,
            self.bytes[self.index] == UInt8(ascii: "\\"), self.bytes[self.index + 1] == UInt8(ascii: "u")
        else { return "\u{fffd}" }
        let back = self.index
        self.index += 2
        let low = try self.codeUnit()
        guard (0xdc00..<0xe000).contains(low),
            let scalar = Unicode.Scalar(0x10000 + (UInt32(high) - 0xd800) << 10 + (UInt32(low) - 0xdc00))
        else {
            self.index = back
            return "\u{fffd}"
        }
        return Character(scalar)
    }

    private mutating func codeUnit() throws(JSONSyntaxError) -> UInt16 {
        guard self.index + 4 <= self.bytes.count,
            let unit = UInt16(String(decoding: self.bytes[self.index..<self.index + 4], as: UTF8.self), radix: 16)
        else { throw self.failure }
        self.index += 4
        return unit
    }
}
