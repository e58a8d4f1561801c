import RTCSignaling

/// A JSON value (RFC 8259).
public enum JSONValue: Sendable, Hashable {
    case null
    case bool(Bool)
    /// A number without fraction and exponent that fits.
    case integer(Int64)
    /// Any other number.
    case double(Double)
    case string(String)
    case array([JSONValue])
    /// Members in no order; of several with one name the last counts.
    case object([String: JSONValue])

    /// How deep arrays and objects may lie inside each other.
    public static let maximumDepth = 32

    /// Reads a document; nil if it is none, or too deep.
    ///
    /// Half of a surrogate pair, which JavaScript can send and Unicode does not have, becomes U+FFFD.
    public init?(parsing text: String) {
        var reader = JSONReader(text, maximumDepth: Self.maximumDepth)
        guard let value = JSONValue(reading: &reader), reader.isComplete() else { return nil }
        self = value
    }

    /// The value as text, on one line; members of objects in the order of their names. What JSON has no number for is `null`.
    public var text: String {
        var writer = JSONWriter()
        writer.write(self)
        return writer.text
    }
}

extension JSONValue {
    /// How deep arrays and objects lie inside each other: 0 for what is neither.
    var depth: Int {
        switch self {
        case .null, .bool, .integer, .double, .string: 0
        case .array(let elements): 1 + (elements.lazy.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.values.lazy.map(\.depth).max() ?? 0)
        }
    }

    /// A member of an object; nil if there is none, or this is no object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    /// The string, if it is one.
    public var stringValue: String? {
        guard case .string(let string) = self else { return nil }
        return string
    }

    /// The number, if it is one without fraction.
    public var integerValue: Int? {
        guard case .integer(let integer) = self else { return nil }
        return Int(exactly: integer)
    }

    /// The truth value, if it is one.
    public var boolValue: Bool? {
        guard case .bool(let bool) = self else { return nil }
        return bool
    }

    /// The members, if it is an object.
    public var objectValue: [String: JSONValue]? {
        guard case .object(let members) = self else { return nil }
        return members
    }

    /// The elements, if it is an array.
    public var arrayValue: [JSONValue]? {
        guard case .array(let elements) = self else { return nil }
        return elements
    }
}

//  No literal for null: it would take the place of an optional's nil.
extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }

    /// An object; of several members with one name the last counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
