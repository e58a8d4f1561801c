import NIOCore

// JSON with bytes beside it: in their places stand `{"_placeholder":true,"num":N}` (Socket.IO protocol 4).

extension SocketIOValue {
    /// Writes the value, and moves bytes to `attachments`.
    func write(to text: inout String, attachments: inout [ByteBuffer]) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .number(let value): text += Self.text(of: value)
        case .string(let value): text += JSONStrings.encode(value)
        case .binary(let bytes):
            text += "{\"_placeholder\":true,\"num\":\(attachments.count)}"
            attachments.append(bytes)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += "," }
                element.write(to: &text, attachments: &attachments)
            }
            text += "]"
        case .object(let members):
            text += "{"
            // In one order, so that the same is always written the same.
            for (index, (name, value)) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { text += "," }
                text += JSONStrings.encode(name) + ":"
                value.write(to: &text, attachments: &attachments)
            }
            text += "}"
        }
    }

    private static func text(of number: Double) -> String {
        guard number.isFinite else { return "null" }
        return Int(exactly: number).map(String.init) ?? String(number)
    }

    /// Puts attachments into the places that are theirs; nil if one is for none, or the other way round.
    func filled(with attachments: [ByteBuffer]) -> SocketIOValue? {
        var used = Set<Int>()
        guard let value = self.filled(with: attachments, used: &used), used.count == attachments.count else {
            return nil
        }
        return value
    }

    private func filled(with attachments: [ByteBuffer], used: inout Set<Int>) -> SocketIOValue? {
        switch self {
        case .null, .bool, .number, .string, .binary: return self
        case .array(let elements):
            var filled: [SocketIOValue] = []
            filled.reserveCapacity(elements.count)
            for element in elements {
                guard let value = element.filled(with: attachments, used: &used) else { return nil }
                filled.append(value)
            }
            return .array(filled)
        case .object(var members):
            if members["_placeholder"] == .bool(true) {
                // Each attachment has one place: a small text must not make many of it.
                guard let number = members["num"]?.integer, attachments.indices.contains(number),
                    used.insert(number).inserted
                else { return nil }
                return .binary(attachments[number])
            }
            for (name, value) in members {
                guard let filled = value.filled(with: attachments, used: &used) else { return nil }
                members[name] = filled
            }
            return .object(members)
        }
    }
}

extension JSONReader {
    /// A whole document; nil if it is malformed, or deeper than allowed.
    mutating func readDocument(maximumDepth: Int) -> SocketIOValue? {
        guard let value = self.readValue(maximumDepth) else { return nil }
        return self.isAtEnd ? value : nil
    }

    private mutating func readValue(_ depth: Int) -> SocketIOValue? {
        self.skipSpaces()
        defer { self.skipSpaces() }
        switch self.next {
        case UInt8(ascii: "{"): return self.readObject(depth)
        case UInt8(ascii: "["): return self.readArray(depth)
        case UInt8(ascii: "\""): return self.readString().map(SocketIOValue.string)
        case UInt8(ascii: "t"): return self.take("true") ? .bool(true) : nil
        case UInt8(ascii: "f"): return self.take("false") ? .bool(false) : nil
        case UInt8(ascii: "n"): return self.take("null") ? .null : nil
        default: return self.readNumber()
        }
    }

    private mutating func take(_ word: String) -> Bool { word.utf8.allSatisfy { self.take($0) } }

    private mutating func readArray(_ depth: Int) -> SocketIOValue? {
        guard depth > 0, self.take(UInt8(ascii: "[")) else { return nil }
        var elements: [SocketIOValue] = []
        self.skipSpaces()
        if self.take(UInt8(ascii: "]")) { return .array(elements) }
        repeat {
            guard let element = self.readValue(depth - 1) else { return nil }
            elements.append(element)
        } while self.take(UInt8(ascii: ","))
        return self.take(UInt8(ascii: "]")) ? .array(elements) : nil
    }

    private mutating func readObject(_ depth: Int) -> SocketIOValue? {
        guard depth > 0, self.take(UInt8(ascii: "{")) else { return nil }
        var members: [String: SocketIOValue] = [:]
        self.skipSpaces()
        if self.take(UInt8(ascii: "}")) { return .object(members) }
        repeat {
            self.skipSpaces()
            guard let name = self.readString() else { return nil }
            self.skipSpaces()
            guard self.take(UInt8(ascii: ":")), let value = self.readValue(depth - 1) else { return nil }
            members[name] = value
        } while self.take(UInt8(ascii: ","))
        return self.take(UInt8(ascii: "}")) ? .object(members) : nil
    }

    /// A number as JSON has it, which is less than what can be read into a `Double`.
    private mutating func readNumber() -> SocketIOValue? {
        let text = self.takeAll { Self.numberBytes.contains($0) }
        var digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text
        let isDigit = { (byte: UInt8) in byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
        let whole = digits.prefix(while: isDigit)
        guard !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0") else { return nil }
        digits = digits.dropFirst(whole.count)
        if digits.first == UInt8(ascii: ".") {
            let fraction = digits.dropFirst().prefix(while: isDigit)
            guard !fraction.isEmpty else { return nil }
            digits = digits.dropFirst(fraction.count + 1)
        }
        if digits.first == UInt8(ascii: "e") || digits.first == UInt8(ascii: "E") {
            digits = digits.dropFirst()
            if digits.first == UInt8(ascii: "+") || digits.first == UInt8(ascii: "-") { digits = digits.dropFirst() }
            guard !digits.isEmpty else { return nil }
            digits = digits.drop(while: isDigit)
        }
        guard digits.isEmpty else { return nil }
        return Double(String(decoding: text, as: UTF8.self)).map(SocketIOValue.number)
    }

    private static let numberBytes = Set("+-.0123456789eE".utf8)
}
