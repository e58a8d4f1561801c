public import RTCSignaling

/// Why a text is no JSON.
public struct JSONSyntaxError: Error {
    /// Where, in bytes.
    public let offset: Int
}

extension JSONValue: JSONReadable {
    /// Deeper nesting than any message needs.
    private static let maximumDepth = 64

    /// Reads a value from UTF-8.
    public init(parsing utf8: some Sequence<UInt8>) throws(JSONSyntaxError) {
        var reader = JSONReader(utf8, maximumDepth: Self.maximumDepth)
        guard let value: JSONValue = reader.readValue(), reader.isComplete() else {
            throw JSONSyntaxError(offset: reader.index)
        }
        self = value
    }

    /// The value as one line of UTF-8, members sorted by name.
    public var utf8: [UInt8] {
        var writer = JSONWriter()
        writer.write(self)
        return writer.bytes
    }
}

extension JSONWriter {
    fileprivate mutating func write(_ value: JSONValue) {
        switch value {
        case .null: self.write(raw: "null")
        case .bool(let value): self.write(value)
        case .number(let value): self.write(value)
        case .string(let value): self.write(value)
        case .array(let elements): self.write(elements: elements) { $1.write($0) }
        case .object(let members): self.write(members: members) { $1.write($0) }
        }
    }
}
