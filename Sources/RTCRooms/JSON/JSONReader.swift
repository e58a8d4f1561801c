/// Reads JSON as RFC 8259 has it, nothing more lenient.
struct JSONReader {
    private let bytes: [UInt8]
    private var index = 0

    init(_ text: String) { self.bytes = Array(text.utf8) }

    mutating func readDocument() -> JSONValue? {
        guard let value = self.readValue(depth: 0) else { return nil }
        self.skipSpaces()
        return self.index == self.bytes.count ? value : nil
    }

    private mutating func readValue(depth: Int) -> JSONValue? {
        self.skipSpaces()
        guard self.index < self.bytes.count else { return nil }
        switch self.bytes[self.index] {
        case UInt8(ascii: "{"): return depth < JSONValue.maximumDepth ? self.readObject(depth: depth + 1) : nil
        case UInt8(ascii: "["): return depth < JSONValue.maximumDepth ? self.readArray(depth: depth + 1) : nil
        case UInt8(ascii: "\""): return self.readString().map(JSONValue.string)
        case UInt8(ascii: "t"): return self.take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return self.take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return self.take("null") ? .null : nil
        default: return self.readNumber()
        }
    }

    private mutating func readObject(depth: Int) -> JSONValue? {
        self.index += 1
        var members: [String: JSONValue] = [:]
        self.skipSpaces()
        if self.take("}") { return .object(members) }
        repeat {
            self.skipSpaces()
            guard let name = self.readString() else { return nil }
            self.skipSpaces()
            guard self.take(":"), let value = self.readValue(depth: depth) else { return nil }
            members[name] = value
            self.skipSpaces()
        } while self.take(",")
        return self.take("}") ? .object(members) : nil
    }

    private mutating func readArray(depth: Int) -> JSONValue? {
        self.index += 1
        var elements: [JSONValue] = []
        self.skipSpaces()
        if self.take("]") { return .array(elements) }
        repeat {
            guard let value = self.readValue(depth: depth) else { return nil }
            elements.append(value)
            self.skipSpaces()
        } while self.take(",")
        return self.take("]") ? .array(elements) : nil
    }

    // MARK: Numbers

    private mutating func readNumber() -> JSONValue? {
        let start = self.index
        _ = self.take("-")
        // No number begins with a zero but zero itself.
        guard self.take("0") || self.takeDigits() else { return nil }
        var isInteger = true
        if self.take(".") {
            isInteger = false
            guard self.takeDigits() else { return nil }
        }
        if self.take("e") || self.take("E") {
            isInteger = false
            if !self.take("+") { _ = self.take("-") }
            guard self.takeDigits() else { return nil }
        }
        let text = String(decoding: self.bytes[start..<self.index], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        return Double(text).map(JSONValue.double)
    }

    private mutating func takeDigits() -> Bool {
        let start = self.index
        while self.index < self.bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self.bytes[self.index]) {
            self.index += 1
        }
        return self.index > start
    }

    // MARK: Strings

    private mutating func readString() -> String? {
        guard self.take("\"") else { return nil }
        var text: [UInt8] = []
        var plain = self.index
        while self.index < self.bytes.count {
            switch self.bytes[self.index] {
            case UInt8(ascii: "\""):
                text += self.bytes[plain..<self.index]
                self.index += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                text += self.bytes[plain..<self.index]
                self.index += 1
                guard self.readEscape(into: &text) else { return nil }
                plain = self.index
            case 0..<0x20: return nil
            default: self.index += 1
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
            if self.take("\\"), self.take("u"), let trail = self.readCodeUnit(), UTF16.isTrailSurrogate(trail) {
                scalar = Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(trail) - 0xDC00)
            } else {
                self.index = start
            }
        }
        text += String(scalar ?? "\u{FFFD}").utf8
    }

    private mutating func readCodeUnit() -> UInt16? {
        guard self.index + 4 <= self.bytes.count else { return nil }
        var unit: UInt16 = 0
        for byte in self.bytes[self.index..<self.index + 4] {
            guard byte < 0x80, let digit = Character(UnicodeScalar(byte)).hexDigitValue else { return nil }
            unit = unit << 4 | UInt16(digit)
        }
        self.index += 4
        return unit
    }

    // MARK: Characters

    /// Takes ASCII characters if they come next.
    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard self.index + count <= self.bytes.count else { return false }
        let isThere = text.withUTF8Buffer { $0.elementsEqual(self.bytes[self.index..<self.index + count]) }
        if isThere { self.index += count }
        return isThere
    }

    private mutating func skipSpaces() {
        while self.index < self.bytes.count {
            switch self.bytes[self.index] {
            case 0x20, 0x09, 0x0A, 0x0D: self.index += 1
            default: return
            }
        }
    }
}
