/// The parameters of a format, `name=value` between semicolons, as codecs' own rules read them. Names compare without regard to case.
struct FormatParameters: Sendable, Hashable {
    private var values: [String: String] = [:]

    /// Reads an `fmtp` text; what has no equals sign has an empty value.
    init(_ text: String?) {
        for item in (text ?? "").split(separator: ";") {
            let parts = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = parts.first?.trimmingSpaces.lowercased(), !name.isEmpty else { continue }
            self.values[name] = parts.count > 1 ? String(parts[1].trimmingSpaces) : ""
        }
    }

    /// The value of a parameter.
    subscript(name: String) -> String? { self.values[name] }

    /// The value of a parameter as a number; `fallback` where it is missing, `nil` where it is no number.
    func number(_ name: String, default fallback: Int) -> Int? {
        guard let text = self.values[name] else { return fallback }
        return Int(text)
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var rest = self.drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
