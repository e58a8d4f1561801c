/// The attributes of a session or media section, in their order.
public struct SDPAttributes: Sendable, Hashable {
    private var storage: [SDPAttribute]

    /// No attributes, or those given.
    public init(_ attributes: [SDPAttribute] = []) {
        self.storage = attributes
    }

    /// The value of the first attribute of this name; `nil` if there is none or if it has no value.
    ///
    /// Setting a value replaces the first attribute of that name, or appends; setting `nil` removes all of that name.
    public subscript(first name: String) -> String? {
        get { self.first(named: name)?.value }
        set {
            if let value = newValue { self.set(name, value) } else { self.removeAll(name) }
        }
    }

    /// The first attribute of this name, `nil` if there is none.
    public func first(named name: String) -> SDPAttribute? {
        self.storage.first { $0.name == name }
    }

    /// Whether there is an attribute of this name.
    public func contains(_ name: String) -> Bool {
        self.storage.contains { $0.name == name }
    }

    /// The values of all attributes of this name, in order; an attribute without a value gives an empty string.
    public func all(_ name: String) -> [String] {
        var values: [String] = []
        for attribute in self.storage where attribute.name == name {
            values.append(attribute.value ?? "")
        }
        return values
    }

    /// Adds an attribute at the end.
    public mutating func append(_ name: String, _ value: String? = nil) {
        self.storage.append(SDPAttribute(name, value))
    }

    /// Adds an attribute at the end.
    public mutating func append(_ attribute: SDPAttribute) {
        self.storage.append(attribute)
    }

    /// Adds an attribute behind the last one of its name, or at the end if there is none.
    public mutating func appendBesideOthers(_ name: String, _ value: String? = nil) {
        let index = self.storage.lastIndex { $0.name == name } ?? self.storage.endIndex - 1
        self.storage.insert(SDPAttribute(name, value), at: index + 1)
    }

    /// Gives back the room for attributes that do not come any more: descriptions live as long as their connections.
    mutating func trim() {
        guard self.storage.capacity > self.storage.count + self.storage.count / 4 else { return }
        self.storage = self.storage.withUnsafeBufferPointer { Array($0) }
    }

    /// Removes all attributes of this name.
    public mutating func removeAll(_ name: String) {
        self.storage.removeAll { $0.name == name }
    }

    /// Gives the first attribute of this name a value in its place, or appends one; others of that name are removed.
    public mutating func set(_ name: String, _ value: String? = nil) {
        self.replace([name], with: [SDPAttribute(name, value)])
    }

    /// Adds or removes an attribute without a value.
    public mutating func setFlag(_ name: String, _ isPresent: Bool) {
        guard isPresent != self.contains(name) else { return }
        if isPresent { self.append(name) } else { self.removeAll(name) }
    }

    /// Gives the attributes of this name these values, in the places they have.
    ///
    /// More values follow the last one; surplus attributes are removed.
    public mutating func setAll(_ name: String, _ values: [String]) {
        self.replace([name], with: values.map { SDPAttribute(name, $0) })
    }

    /// Puts `replacements` in the places of all attributes with one of `names`.
    mutating func replace(_ names: Set<String>, with replacements: [SDPAttribute]) {
        let last = self.storage.lastIndex { names.contains($0.name) }
        var result: [SDPAttribute] = []
        result.reserveCapacity(self.storage.count + replacements.count)
        var rest = replacements[...]
        for (index, attribute) in self.storage.enumerated() {
            guard names.contains(attribute.name) else {
                result.append(attribute)
                continue
            }
            if let next = rest.popFirst() { result.append(next) }
            if index == last {
                result.append(contentsOf: rest)
                rest = []
            }
        }
        result.append(contentsOf: rest)
        self.storage = result
    }
}

extension SDPAttributes: RandomAccessCollection {
    /// The position of the first attribute.
    public var startIndex: Int { self.storage.startIndex }
    /// The position after the last attribute.
    public var endIndex: Int { self.storage.endIndex }
    /// The attribute at a position.
    public subscript(position: Int) -> SDPAttribute {
        self.storage[position]
    }
}

extension SDPAttributes: ExpressibleByArrayLiteral {
    /// Attributes in the order given.
    public init(arrayLiteral elements: SDPAttribute...) {
        self.init(elements)
    }
}

// MARK: Typed values

extension SDPAttributes {
    /// The well-formed values of this name; malformed ones are left to ``SDPSession/validate()``.
    func values<Value: AttributeValue>(_ name: String, as: Value.Type = Value.self) -> [Value] {
        var values: [Value] = []
        for attribute in self.storage where attribute.name == name {
            if let value = try? Value(parsing: attribute.value ?? "") { values.append(value) }
        }
        return values
    }

    func value<Value: AttributeValue>(_ name: String, as: Value.Type = Value.self) -> Value? {
        guard let text = self[first: name] else { return nil }
        return try? Value(parsing: text)
    }

    /// Sets all attributes of this name; a value that was there already keeps the text it was written with.
    mutating func setValues<Value: AttributeValue>(_ name: String, _ values: [Value]) {
        var texts: [Value: String] = [:]
        for attribute in self.storage where attribute.name == name {
            guard let text = attribute.value, let value = try? Value(parsing: text) else { continue }
            if texts[value] == nil { texts[value] = text }
        }
        self.setAll(name, values.map { texts[$0] ?? $0.attributeValue })
    }

    mutating func setValue<Value: AttributeValue>(_ name: String, _ value: Value?) {
        self.setValues(name, value.map { [$0] } ?? [])
    }

    func number<Number: FixedWidthInteger>(_ name: String, as: Number.Type = Number.self) -> Number? {
        self[first: name].flatMap { Grammar.decimal($0[...]) }
    }
}
