import JSONLines

/// What Node knows of every object's attributes, and what it has to be told with the next message.
struct AttributeImage {
    private var known: [String: [String: JSONValue]] = [:]
    private var changes: [String: JSONValue] = [:]

    /// Sets attributes; those that Node knows to be so are left out of the patch.
    mutating func set(_ attributes: [String: JSONValue], of object: String) {
        for (name, value) in attributes { self.set(name, value, of: object) }
    }

    mutating func set(_ name: String, _ value: JSONValue, of object: String) {
        guard self.known[object]?[name] != value else { return }
        self.known[object, default: [:]][name] = value
        var patch = self.changes[object]?.object ?? [:]
        patch[name] = value
        self.changes[object] = .object(patch)
    }

    func value(_ name: String, of object: String) -> JSONValue? { self.known[object]?[name] }

    /// Has everything told anew that is set from now on: Node dropped what was on its way.
    mutating func forget(_ object: String) { self.known[object] = nil }

    mutating func forget(_ name: String, of object: String) { self.known[object]?[name] = nil }

    /// Takes the patch for the next message.
    mutating func takePatch() -> JSONValue? {
        guard !self.changes.isEmpty else { return nil }
        defer { self.changes = [:] }
        return .object(self.changes)
    }
}
