/// Header fields of a request or response, in their order; names are compared without case (RFC 9110 section 5).
public struct SignalingHeaders: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// One field.
    public struct Field: Sendable, Hashable {
        /// The name, in lower case.
        public let name: String
        /// The value.
        public let value: String
    }

    /// The fields, in their order.
    public private(set) var fields: [Field] = []

    /// No fields.
    public init() {}

    /// Fields from a literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { self.add(name, value) }
    }

    /// Adds a field behind the others.
    public mutating func add(_ name: String, _ value: String) {
        self.fields.append(Field(name: name.lowercased(), value: value))
    }

    /// Removes all fields of a name and adds one.
    public mutating func set(_ name: String, _ value: String) {
        let name = name.lowercased()
        self.fields.removeAll { $0.name == name }
        self.fields.append(Field(name: name, value: value))
    }

    /// The first value under a name.
    public func first(_ name: String) -> String? {
        let name = name.lowercased()
        return self.fields.first { $0.name == name }?.value
    }

    /// All values under a name.
    public func all(_ name: String) -> [String] {
        let name = name.lowercased()
        return self.fields.filter { $0.name == name }.map(\.value)
    }

    /// The members of a field that is a list separated by commas, without the spaces around them.
    public func list(_ name: String) -> [String] {
        self.all(name).flatMap { $0.split(separator: ",") }.map { $0.trimmingSpaces() }.filter { !$0.isEmpty }
    }

    /// Whether text may be a name, or another token (RFC 9110 section 5.6.2).
    static func isToken(_ text: some StringProtocol) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    return true
                default: return "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// Checks fields that a caller wants to have in a request.
    ///
    /// - Throws: ``SignalingChannelError/invalidArgument(reason:)`` for what cannot stand in a header, or may not because the
    ///   protocol sets it.
    package func validate(reserved: Set<String>) throws(SignalingChannelError) {
        for field in self.fields {
            guard Self.isToken(field.name) else { throw .invalidArgument(reason: "\(field.name) is no header") }
            guard field.value.unicodeScalars.allSatisfy({ $0 == "\t" || ($0.value >= 0x20 && $0.value != 0x7F) }) else {
                throw .invalidArgument(reason: "the header \(field.name) has a control character")
            }
            guard !reserved.contains(field.name) else {
                throw .invalidArgument(reason: "the header \(field.name) is the protocol's")
            }
        }
    }
}

extension StringProtocol {
    /// The text without spaces and tabs around it.
    package func trimmingSpaces() -> String {
        let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let head = self.drop(while: isSpace)
        guard let last = head.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(head[...last])
    }
}

// Cookies, tokens and the URLs of sessions stand in fields.
extension SignalingHeaders: CustomStringConvertible, CustomDebugStringConvertible {
    /// The names of the fields, without their values.
    public var description: String { "[\(self.fields.map(\.name).joined(separator: ", "))]" }

    /// The same as ``description``.
    public var debugDescription: String { self.description }
}

extension SignalingHeaders.Field: CustomStringConvertible, CustomDebugStringConvertible {
    /// The name, without the value.
    public var description: String { self.name }

    /// The same as ``description``.
    public var debugDescription: String { self.description }
}
