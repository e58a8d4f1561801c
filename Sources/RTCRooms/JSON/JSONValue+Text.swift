import RTCSignaling

extension JSONValue {
    /// Reads a value; nil if it is malformed, or deeper than allowed. Not by ``JSONReadable``: rooms read little else, and this is several
    /// times as fast.
    init?(reading reader: inout JSONReader) {
        switch reader.readToken() {
        case .null: self = .null
        case .bool(let bool): self = .bool(bool)
        case .string(let string): self = .string(string)
        case .number(let text, let isInteger):
            if isInteger, let integer = Int64(text) {
                self = .integer(integer)
            } else if let double = Double(text) {
                self = .double(double)
            } else {
                return nil
            }
        case .array:
            var elements: [JSONValue] = []
            while reader.readsElement() {
                guard let element = JSONValue(reading: &reader) else { return nil }
                elements.append(element)
            }
            self = .array(elements)
        case .object:
            var members: [String: JSONValue] = [:]
            while let name = reader.nextName() {
                guard let value = JSONValue(reading: &reader) else { return nil }
                members[name] = value
            }
            self = .object(members)
        case nil: return nil
        }
    }
}

extension JSONWriter {
    /// Writes a value; members of objects in the order of their names.
    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: self.write(raw: "null")
        case .bool(let bool): self.write(bool)
        case .integer(let integer): self.write(raw: String(integer))
        case .double(let double): self.write(short: double)
        case .string(let string): self.write(string)
        case .array(let elements): self.write(elements: elements) { $1.write($0) }
        case .object(let members): self.write(members: members) { $1.write($0) }
        }
    }

    /// A number that is read as no integer again. With all its zeros a large one would take more room than it came with.
    private mutating func write(short double: Double) {
        guard double.isFinite else { return self.write(raw: "null") }
        guard double.magnitude >= 1e6, var digits = Int64(exactly: double) else { return self.write(raw: "\(double)") }
        var zeros = 0
        while digits.isMultiple(of: 10) {
            digits /= 10
            zeros += 1
        }
        let (plain, short) = ("\(double)", "\(digits)e\(zeros)")
        self.write(raw: short.utf8.count < plain.utf8.count ? short : plain)
    }
}
