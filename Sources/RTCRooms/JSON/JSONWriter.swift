/// Writes JSON.
struct JSONWriter {
    private var bytes: [UInt8] = []

    var text: String { String(decoding: self.bytes, as: UTF8.self) }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: self.write(raw: "null")
        case .bool(let bool): self.write(raw: bool ? "true" : "false")
        case .integer(let integer): self.write(raw: String(integer))
        case .double(let double): self.write(double)
        case .string(let string): self.write(string)
        case .array(let elements):
            self.bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
                self.write(element)
            }
            self.bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            self.bytes.append(UInt8(ascii: "{"))
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { self.bytes.append(UInt8(ascii: ",")) }
                self.write(member.key)
                self.bytes.append(UInt8(ascii: ":"))
                self.write(member.value)
            }
            self.bytes.append(UInt8(ascii: "}"))
        }
    }

    private mutating func write(_ double: Double) {
        guard double.isFinite else { return self.write(raw: "null") }
        // With all its zeros a large number would take more room than it came with.
        guard double.magnitude >= 1e6, var digits = Int64(exactly: double) else { return self.write(raw: "\(double)") }
        var zeros = 0
        while digits.isMultiple(of: 10) {
            digits /= 10
            zeros += 1
        }
        let (plain, short) = ("\(double)", "\(digits)e\(zeros)")
        self.write(raw: short.utf8.count < plain.utf8.count ? short : plain)
    }

    private mutating func write(raw text: String) { self.bytes += text.utf8 }

    private mutating func write(_ string: String) {
        self.bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): self.write(raw: "\\\"")
            case UInt8(ascii: "\\"): self.write(raw: "\\\\")
            case UInt8(ascii: "\n"): self.write(raw: "\\n")
            case UInt8(ascii: "\r"): self.write(raw: "\\r")
            case UInt8(ascii: "\t"): self.write(raw: "\\t")
            case 0..<0x20:
                self.write(raw: "\\u00")
                self.write(raw: byte < 0x10 ? "0" : "1")
                self.write(raw: String(byte & 0xF, radix: 16))
            default: self.bytes.append(byte)
            }
        }
        self.bytes.append(UInt8(ascii: "\""))
    }
}
