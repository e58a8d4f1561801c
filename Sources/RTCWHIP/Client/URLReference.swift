/// A URL or a reference to one, taken apart (RFC 3986 section 3 and 4).
struct URLReference: Sendable, Hashable {
    var scheme: String?
    var authority: String?
    var path: String
    var query: String?

    /// Any text is a reference; a fragment is dropped.
    init(_ text: String) {
        var rest = text.prefix { $0 != "#" }
        if let colon = rest.firstIndex(of: ":"), Self.isScheme(rest[..<colon]) {
            self.scheme = rest[..<colon].lowercased()
            rest = rest[colon...].dropFirst()
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let authority = rest.prefix { $0 != "/" && $0 != "?" }
            self.authority = String(authority)
            rest = rest[authority.endIndex...]
        }
        let path = rest.prefix { $0 != "?" }
        self.path = String(path)
        if path.endIndex != rest.endIndex { self.query = String(rest[path.endIndex...].dropFirst()) }
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, Character(UnicodeScalar(first)).isASCIILetter else { return false }
        return text.allSatisfy { $0.isASCIILetter || $0.isASCIIDigit || $0 == "+" || $0 == "-" || $0 == "." }
    }

    /// Whether it is one that can be asked over HTTP.
    var isHTTP: Bool { (self.scheme == "http" || self.scheme == "https") && self.authority?.isEmpty == false }

    /// Whether requests go on to what a server names here: a token must not leave TLS.
    func mayLead(to next: URLReference) -> Bool {
        next.isHTTP && (self.scheme != "https" || next.scheme == "https")
    }

    /// What a reference stands for where this is the base (RFC 3986 section 5.2.2).
    func resolving(_ reference: String) -> URLReference {
        var target = URLReference(reference)
        if target.scheme != nil { return target.normalised }
        target.scheme = self.scheme
        if target.authority != nil { return target.normalised }
        target.authority = self.authority
        if target.path.isEmpty {
            target.path = self.path
            target.query = target.query ?? self.query
        } else if !target.path.hasPrefix("/") {
            let folder = self.path.lastIndex(of: "/").map { self.path[...$0] } ?? "/"
            target.path = folder + target.path
        }
        return target.normalised
    }

    /// Without dot segments (RFC 3986 section 5.2.4).
    private var normalised: URLReference {
        var segments: [Substring] = []
        let parts = self.path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch part {
            case ".":
                if isLast { segments.append("") }
            case "..":
                if segments.count > 1 { segments.removeLast() }
                if isLast { segments.append("") }
            default: segments.append(part)
            }
        }
        var reference = self
        reference.path = segments.joined(separator: "/")
        return reference
    }

    /// The path and query, as a request names them.
    var target: String { (self.path.isEmpty ? "/" : self.path) + (self.query.map { "?\($0)" } ?? "") }

    /// The whole text.
    var text: String {
        (self.scheme.map { "\($0):" } ?? "") + (self.authority.map { "//\($0)" } ?? "") + self.path
            + (self.query.map { "?\($0)" } ?? "")
    }
}

extension Character {
    fileprivate var isASCIILetter: Bool { self.isASCII && self.isLetter }
    fileprivate var isASCIIDigit: Bool { self.isASCII && self.isNumber }
}
