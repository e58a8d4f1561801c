import RTCSignaling

/// A strong entity-tag (RFC 9110 section 8.8.3): here it names one ICE session (RFC 9725 section 4.3.1).
struct EntityTag: Sendable, Hashable {
    /// What stands between the quotation marks.
    let opaque: String

    init(opaque: String) { self.opaque = opaque }

    /// The first entity-tag of a field; nil for a weak one or none.
    init?(field: String) {
        guard case .tags(let tags) = EntityTagMatch(fields: [field]), let first = tags.first else { return nil }
        self = first
    }

    /// As it stands in a field.
    var text: String { "\"\(self.opaque)\"" }
}

/// What an `If-Match` field asks for (RFC 9110 section 13.1.1).
enum EntityTagMatch: Sendable, Hashable {
    /// Whatever there is. The examples of RFC 9725 put the asterisk in quotation marks.
    case any
    /// One of these. Weak tags never match and are left out.
    case tags([EntityTag])

    /// - Parameter fields: The values of all fields of the name; there is nothing to match without any.
    init?(fields: [String]) {
        guard !fields.isEmpty else { return nil }
        let members = fields.flatMap(Self.members)
        if members.contains(where: { $0 == "*" || $0 == "\"*\"" }) {
            self = .any
        } else {
            self = .tags(members.compactMap(Self.tag))
        }
    }

    func matches(_ tag: EntityTag) -> Bool {
        switch self {
        case .any: true
        case .tags(let tags): tags.contains(tag)
        }
    }

    private static func tag(_ text: String) -> EntityTag? {
        guard text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return nil }
        return EntityTag(opaque: String(text.dropFirst().dropLast()))
    }

    /// The members of a list; commas within quotation marks belong to them, and there is no escaping.
    private static func members(_ field: String) -> [String] {
        var isQuoted = false
        return field.split { character in
            if character == "\"" { isQuoted.toggle() }
            return character == "," && !isQuoted
        }.map { $0.trimmingSpaces() }.filter { !$0.isEmpty }
    }
}
