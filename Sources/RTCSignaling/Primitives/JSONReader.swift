/// Reads JSON (RFC 8259), byte by byte.
struct JSONReader {
    let bytes: [UInt8]
    private(set) var index = 0

    init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// A whole document that is an array of strings, or one string.
    mutating func readStrings() -> [String]? {
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
        return self.isAtEnd ? strings : nil
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { self.index == self.bytes.count }

    /// The next byte; nil at the end.
    var next: UInt8? { self.index < self.bytes.count ? self.bytes[self.index] : nil }

    mutating func readString() -> String? {
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

    mutating func skipSpaces() {
        while self.index < self.bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(self.bytes[self.index]) {
            self.index += 1
        }
    }
}
