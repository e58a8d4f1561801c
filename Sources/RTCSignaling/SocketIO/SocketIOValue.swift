public import NIOCore

/// What an event or an acknowledgement carries: JSON, and bytes beside it.
public enum SocketIOValue: Sendable, Hashable {
    /// Nothing.
    case null
    /// A truth value.
    case bool(Bool)
    /// A number; those that JSON does not have are sent as null.
    case number(Double)
    /// Text.
    case string(String)
    /// Bytes; a client in a browser has them as an `ArrayBuffer`.
    case binary(ByteBuffer)
    /// Values in their order.
    case array([SocketIOValue])
    /// Values by their names.
    case object([String: SocketIOValue])
}

extension SocketIOValue {
    /// The member of an object; nil if there is none.
    public subscript(name: String) -> SocketIOValue? { self.object?[name] }

    /// The element of an array; nil if there is none.
    public subscript(index: Int) -> SocketIOValue? {
        guard let array = self.array, array.indices.contains(index) else { return nil }
        return array[index]
    }

    /// The truth value; nil if it is something else.
    public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

    /// The number; nil if it is something else.
    public var number: Double? { if case .number(let value) = self { value } else { nil } }

    /// The number, if it is a whole one.
    public var integer: Int? { self.number.flatMap { Int(exactly: $0) } }

    /// The text; nil if it is something else.
    public var string: String? { if case .string(let value) = self { value } else { nil } }

    /// The bytes; nil if it is something else.
    public var binary: ByteBuffer? { if case .binary(let value) = self { value } else { nil } }

    /// The elements; nil if it is something else.
    public var array: [SocketIOValue]? { if case .array(let value) = self { value } else { nil } }

    /// The members; nil if it is something else.
    public var object: [String: SocketIOValue]? { if case .object(let value) = self { value } else { nil } }
}

extension SocketIOValue: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    /// Text.
    public init(stringLiteral value: String) { self = .string(value) }
    /// A truth value.
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    /// A number.
    public init(integerLiteral value: Int) { self = .number(Double(value)) }
    /// A number.
    public init(floatLiteral value: Double) { self = .number(value) }
    /// Null.
    public init(nilLiteral: ()) { self = .null }
    /// An array.
    public init(arrayLiteral elements: SocketIOValue...) { self = .array(elements) }
    /// An object; of members of one name the last counts.
    public init(dictionaryLiteral elements: (String, SocketIOValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}
