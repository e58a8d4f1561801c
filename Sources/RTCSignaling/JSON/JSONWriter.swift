/// Writes JSON (RFC 8259), on one line.
package struct JSONWriter {
    /// What is escaped in strings.
    package enum Escaping: Sendable {
        /// What JSON demands.
        case minimal
        /// Also what browsers change on the way (SockJS 0.3.3, JSON Unicode Encoding).
        case forBrowsers
        /// Also `<`, for a string that stands in a script element.
        case forScripts
    }

    /// What was written.
    package private(set) var bytes: [UInt8] = []
    private let escaping: Escaping
    /// Whether a value stands before the next in an array or object.
    private var needsComma = false

    package init(escaping: Escaping = .minimal) { self.escaping = escaping }

    /// What was written.
    package var text: String { String(decoding: self.bytes, as: UTF8.self) }

    // MARK: Values

    /// Writes a value that is JSON already.
    package mutating func write(raw text: String) {
        self.beginValue()
        self.bytes += text.utf8
    }

    /// Writes a truth value.
    package mutating func write(_ value: Bool) { self.write(raw: value ? "true" : "false") }

    /// Writes a number: whole ones without a fraction; null for what JSON has no number for.
    package mutating func write(_ number: Double) {
        guard number.isFinite else { return self.write(raw: "null") }
        self.write(raw: Int(exactly: number).map(String.init) ?? String(number))
    }

    /// Begins an array: what is written up to ``endArray()`` are its elements.
    package mutating func beginArray() { self.begin(UInt8(ascii: "[")) }

    /// Ends an array.
    package mutating func endArray() { self.end(UInt8(ascii: "]")) }

    /// Begins an object: up to ``endObject()`` come names and values.
    package mutating func beginObject() { self.begin(UInt8(ascii: "{")) }

    /// Ends an object.
    package mutating func endObject() { self.end(UInt8(ascii: "}")) }

    /// Writes the name of a member, whose value is to follow.
    package mutating func write(name: String) {
        self.write(name)
        self.bytes.append(UInt8(ascii: ":"))
        self.needsComma = false
    }

    // Inlinable: generic code is specialised within its module only.

    /// Writes an array whose elements `write` writes.
    @inlinable
    package mutating func write<Element>(
        elements: [Element],
        by write: (_ element: Element, _ writer: inout JSONWriter) -> Void
    ) {
        self.beginArray()
        for element in elements { write(element, &self) }
        self.endArray()
    }

    /// Writes an object whose members' values `write` writes, in the order of the names: the same is always written the same.
    @inlinable
    package mutating func write<Value>(
        members: [String: Value],
        by write: (_ value: Value, _ writer: inout JSONWriter) -> Void
    ) {
        self.beginObject()
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            self.write(name: name)
            write(value, &self)
        }
        self.endObject()
    }

    private mutating func begin(_ byte: UInt8) {
        self.beginValue()
        self.bytes.append(byte)
        self.needsComma = false
    }

    private mutating func end(_ byte: UInt8) {
        self.bytes.append(byte)
        self.needsComma = true
    }

    private mutating func beginValue() {
        if self.needsComma { self.bytes.append(UInt8(ascii: ",")) }
        self.needsComma = true
    }

    // MARK: Strings

    /// Writes a string.
    package mutating func write(_ string: String) {
        var string = string
        self.beginValue()
        self.bytes.append(UInt8(ascii: "\""))
        string.withUTF8 { text in
            var plain = 0
            var index = 0
            while index < text.count {
                let length = self.escapedLength(at: index, of: text)
                guard length > 0 else {
                    index += 1
                    continue
                }
                self.bytes += text[plain..<index]
                self.append(escape: text[index..<index + length])
                index += length
                plain = index
            }
            self.bytes += text[plain...]
        }
        self.bytes.append(UInt8(ascii: "\""))
    }

    /// How many bytes the character has that begins at an index and must be escaped; 0 if it need not be.
    private func escapedLength(at index: Int, of text: UnsafeBufferPointer<UInt8>) -> Int {
        switch text[index] {
        case 0..<0x20, UInt8(ascii: "\""), UInt8(ascii: "\\"): 1
        case 0x7F: self.escaping == .minimal ? 0 : 1
        case UInt8(ascii: "<"): self.escaping == .forScripts ? 1 : 0
        case 0xE2, 0xEF:
            switch self.escaping == .minimal ? 0 : Self.unit(of: text[index..<index + 3]) {
            case 0x200C...0x200F, 0x2028...0x202F, 0x2060...0x206F, 0xFFF0...0xFFFF: 3
            default: 0
            }
        default: 0
        }
    }

    /// The UTF-16 code unit of a character with one byte or three.
    private static func unit(of bytes: Slice<UnsafeBufferPointer<UInt8>>) -> UInt16 {
        guard let first = bytes.first, bytes.count > 1 else { return UInt16(bytes.first ?? 0) }
        return bytes.dropFirst().reduce(UInt16(first & 0xF)) { $0 << 6 | UInt16($1 & 0x3F) }
    }

    private mutating func append(escape character: Slice<UnsafeBufferPointer<UInt8>>) {
        switch Self.unit(of: character) {
        case 0x22: self.bytes += "\\\"".utf8
        case 0x5C: self.bytes += "\\\\".utf8
        case 0x0A: self.bytes += "\\n".utf8
        case 0x0D: self.bytes += "\\r".utf8
        case 0x09: self.bytes += "\\t".utf8
        case let unit:
            self.bytes += "\\u".utf8
            for shift in [12, 8, 4, 0] { self.bytes += String(unit >> shift & 0xF, radix: 16).utf8 }
        }
    }
}
