/// Reads JSON as RFC 8259 has it, byte by byte: nothing more lenient but where it is asked to be, and nothing that is not UTF-8.
///
/// What is malformed or too deep shows in ``isMalformed`` from then on, and nothing more is read.
///
/// Half of a surrogate pair, which JavaScript can send and Unicode does not have, becomes U+FFFD.
package struct JSONReader {
    /// What a value begins with, or all of it.
    package enum Token {
        case null
        case bool(Bool)
        case string(String)
        /// A number in the form that JSON has, which is less than what can be read into a `Double`.
        case number(String, isInteger: Bool)
        /// The beginning of an array, whose values ``readsElement()`` leads to.
        case array
        /// The beginning of an object, whose members ``nextName()`` leads to.
        case object
    }

    let bytes: [UInt8]
    /// How many bytes were read.
    package private(set) var index = 0
    /// Whether this is no JSON.
    package private(set) var isMalformed = false
    /// How many arrays and objects may begin inside of those that are open.
    private var depth: Int
    /// Whether an array or object has just begun.
    private var isFirst = false
    /// The lowest of the characters that strings may have as they are.
    private let lowestCharacter: UInt8

    /// - Parameters:
    ///   - maximumDepth: How deep arrays and objects may lie inside each other: with 0 there is none.
    ///   - allowsControlCharacters: Whether strings may have control characters as they are: clients of SockJS send them.
    package init(_ text: String, maximumDepth: Int, allowsControlCharacters: Bool = false) {
        self.bytes = Array(text.utf8)
        self.depth = maximumDepth
        self.lowestCharacter = allowsControlCharacters ? 0 : 0x20
    }

    /// As with a text; bytes that are no UTF-8 are malformed.
    package init(_ bytes: some Sequence<UInt8>, maximumDepth: Int, allowsControlCharacters: Bool = false) {
        self.bytes = Array(bytes)
        self.depth = maximumDepth
        self.lowestCharacter = allowsControlCharacters ? 0 : 0x20
        self.isMalformed = String(validating: self.bytes, as: UTF8.self) == nil
    }

    /// Whether nothing is left but spaces, and all was well.
    package mutating func isComplete() -> Bool {
        self.skipSpaces()
        return !self.isMalformed && self.isAtEnd
    }

    // MARK: Values

    /// Reads a value, up to the first of the values in it; nil if there is none.
    package mutating func readToken() -> Token? {
        guard !self.isMalformed else { return nil }
        self.skipSpaces()
        let token: Token?
        switch self.next {
        case UInt8(ascii: "{"): token = self.open(.object)
        case UInt8(ascii: "["): token = self.open(.array)
        case UInt8(ascii: "\""): token = self.readString().map(Token.string)
        case UInt8(ascii: "t"): token = self.take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): token = self.take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): token = self.take("null") ? .null : nil
        default: token = self.readNumber()
        }
        if token == nil { self.isMalformed = true }
        return token
    }

    /// Whether another value of the array comes now; if not, the array is over.
    package mutating func readsElement() -> Bool { self.goesOn(to: UInt8(ascii: "]")) }

    /// The name of the next member, whose value comes now; nil if the object is over.
    package mutating func nextName() -> String? {
        guard self.goesOn(to: UInt8(ascii: "}")) else { return nil }
        self.skipSpaces()
        let name = self.readString()
        self.skipSpaces()
        guard let name, self.take(UInt8(ascii: ":")) else {
            self.isMalformed = true
            return nil
        }
        return name
    }

    private mutating func open(_ token: Token) -> Token? {
        guard self.depth > 0 else { return nil }
        self.depth -= 1
        self.index += 1
        self.isFirst = true
        return token
    }

    private mutating func goesOn(to end: UInt8) -> Bool {
        let isFirst = self.isFirst
        self.isFirst = false
        guard !self.isMalformed else { return false }
        self.skipSpaces()
        if self.take(end) {
            self.depth += 1
            return false
        }
        if !isFirst, !self.take(UInt8(ascii: ",")) {
            self.isMalformed = true
            return false
        }
        return true
    }

    // MARK: Bytes

    /// Whether nothing is left.
    var isAtEnd: Bool { self.index == self.bytes.count }

    /// The next byte; nil at the end.
    var next: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    /// Takes all bytes that fit.
    mutating func takeAll(where fits: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = self.index
        while let byte = self.next, fits(byte) { self.index += 1 }
        return self.bytes[start..<self.index]
    }

    /// Takes a byte, if it is the next.
    mutating func take(_ byte: UInt8) -> Bool {
        guard self.index < self.bytes.count, self.bytes[self.index] == byte else { return false }
        self.index += 1
        return true
    }

    /// Takes ASCII characters, as far as they are the next; whether all of them were.
    mutating func take(_ word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            for byte in word { guard self.take(byte) else { return false } }
            return true
        }
    }

    mutating func skipSpaces() {
        while self.index < self.bytes.count {
            switch self.bytes[self.index] {
            case 0x20, 0x09, 0x0A, 0x0D: self.index += 1
            default: return
            }
        }
    }

    // MARK: Strings

    private mutating func readString() -> String? {
        guard self.take(UInt8(ascii: "\"")) else { return nil }
        var text: [UInt8] = []
        while true {
            let start = self.index
            self.skipPlainCharacters()
            let plain = self.bytes[start..<self.index]
            if self.take(UInt8(ascii: "\"")) {
                guard !text.isEmpty else { return String(decoding: plain, as: UTF8.self) }
                text += plain
                return String(decoding: text, as: UTF8.self)
            }
            text += plain
            guard self.take(UInt8(ascii: "\\")), self.readEscape(into: &text) else { return nil }
        }
    }

    /// Skips what may stand in a string and means itself.
    private mutating func skipPlainCharacters() {
        let (bytes, lowest) = (self.bytes, self.lowestCharacter)
        var index = self.index
        while index < bytes.count, bytes[index] >= lowest, bytes[index] != UInt8(ascii: "\""),
            bytes[index] != UInt8(ascii: "\\")
        {
            index += 1
        }
        self.index = index
    }

    private mutating func readEscape(into text: inout [UInt8]) -> Bool {
        guard let byte = self.next else { return false }
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
            if self.take("\\u"), let trail = self.readCodeUnit(), UTF16.isTrailSurrogate(trail) {
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
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): unit = unit << 4 | UInt16(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        self.index += 4
        return unit
    }

    // MARK: Numbers

    private mutating func readNumber() -> Token? {
        let start = self.index
        _ = self.take(UInt8(ascii: "-"))
        // No number begins with a zero but zero itself.
        guard self.take(UInt8(ascii: "0")) || self.takeDigits() else { return nil }
        var isInteger = true
        if self.take(UInt8(ascii: ".")) {
            isInteger = false
            guard self.takeDigits() else { return nil }
        }
        if self.take(UInt8(ascii: "e")) || self.take(UInt8(ascii: "E")) {
            isInteger = false
            if !self.take(UInt8(ascii: "+")) { _ = self.take(UInt8(ascii: "-")) }
            guard self.takeDigits() else { return nil }
        }
        return .number(String(decoding: self.bytes[start..<self.index], as: UTF8.self), isInteger: isInteger)
    }

    private mutating func takeDigits() -> Bool {
        !self.takeAll { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }.isEmpty
    }
}
