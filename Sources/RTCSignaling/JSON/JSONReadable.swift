/// A value that JSON can be read into.
///
/// For values of other modules this is slower than a reader of their own: generic code is specialised within its module only.
package protocol JSONReadable {
    static var null: Self { get }
    static func bool(_ value: Bool) -> Self
    static func number(_ value: Double) -> Self
    static func string(_ value: String) -> Self
    static func array(_ elements: [Self]) -> Self
    static func object(_ members: [String: Self]) -> Self
}

extension JSONReader {
    /// Reads a value; nil if it is malformed, or deeper than allowed.
    package mutating func readValue<Value: JSONReadable>() -> Value? {
        switch self.readToken() {
        case .null: return .null
        case .bool(let value): return .bool(value)
        case .string(let value): return .string(value)
        case .number(let text, _): return Double(text).map(Value.number)
        case .array:
            var elements: [Value] = []
            while self.readsElement() {
                guard let element: Value = self.readValue() else { return nil }
                elements.append(element)
            }
            return .array(elements)
        case .object:
            // Of several members with one name the last counts.
            var members: [String: Value] = [:]
            while let name = self.nextName() {
                guard let value: Value = self.readValue() else { return nil }
                members[name] = value
            }
            return .object(members)
        case nil: return nil
        }
    }
}
