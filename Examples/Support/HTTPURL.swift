/// An `http:` URL: its host, its port and its path.
package struct HTTPURL: Sendable {
    /// A name or an IP literal, without brackets.
    package var host: String
    /// The port. Default 80.
    package var port: Int
    /// The path, beginning with a slash.
    package var path: String

    /// Parses `http://host[:port][/path]`.
    package init(_ text: String) throws(ExampleFailure) {
        guard text.lowercased().hasPrefix("http://") else { throw ExampleFailure("'\(text)' is no http:// URL") }
        let rest = text.dropFirst(7)
        let authority = rest.prefix { !"/?#".contains($0) }
        let path = rest[authority.endIndex...].prefix { !"?#".contains($0) }
        var host = authority
        var port = 80
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            guard let number = UInt16(authority[authority.index(after: colon)...]) else {
                throw ExampleFailure("'\(text)' has no valid port")
            }
            host = authority[..<colon]
            port = Int(number)
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { throw ExampleFailure("'\(text)' names no host") }
        self.host = String(host)
        self.port = port
        self.path = path.isEmpty ? "/" : String(path)
    }

    /// Where offers are posted: this URL if it says so itself, else `offer` below it.
    package var offerURL: HTTPURL {
        var url = self
        if !url.path.hasSuffix("/offer") { url.path += url.path.hasSuffix("/") ? "offer" : "/offer" }
        return url
    }

    /// The host and port as they stand in a URL.
    package var authority: String {
        self.host.contains(":") ? "[\(self.host)]:\(self.port)" : "\(self.host):\(self.port)"
    }
}
