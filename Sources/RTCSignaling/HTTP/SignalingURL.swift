/// A URL of a signalling server, taken apart (RFC 3986; RFC 6455 section 3 for `ws` and `wss`).
public struct SignalingURL: Sendable, Hashable, CustomStringConvertible {
    /// What comes before `://`.
    public enum Scheme: String, Sendable, Hashable, CaseIterable {
        case http, https
        case ws, wss
        /// STOMP over TCP and over TLS. Not registered, but what brokers write.
        case stomp, stomps

        /// Whether TLS is below.
        public var isSecure: Bool { self == .https || self == .wss || self == .stomps }

        /// The port where a URL has none.
        public var defaultPort: Int {
            switch self {
            case .http, .ws: return 80
            case .https, .wss: return 443
            case .stomp: return 61_613
            case .stomps: return 61_614
            }
        }
    }

    /// The scheme.
    public var scheme: Scheme
    /// A name or an address, without the brackets of IPv6.
    public let host: String
    /// The port, as written or the scheme's.
    public let port: Int
    /// The path, percent-encoded; `/` at least.
    public var path: String
    /// The query without its question mark; nil for none.
    public var query: String?

    /// Reads a URL.
    ///
    /// - Parameters:
    ///   - text: An absolute URL without user information and fragment; other than ASCII must be encoded.
    ///   - schemes: The schemes that are possible here.
    /// - Throws: ``SignalingChannelError/invalidArgument(reason:)``.
    public init(_ text: String, schemes: Set<Scheme>) throws(SignalingChannelError) {
        func failure(_ reason: String) -> SignalingChannelError { .invalidArgument(reason: "\(reason) in \(text)") }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw failure("a character that URLs lack") }
        let parts = text.split(separator: "://", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let scheme = Scheme(rawValue: parts[0].lowercased()), schemes.contains(scheme) else {
            let known = schemes.map(\.rawValue).sorted().joined(separator: ", ")
            throw failure("a scheme other than \(known)")
        }
        let authority = parts[1].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let rest = parts[1][authority.endIndex...]
        // Without the text, which has a password in it.
        guard !authority.contains("@") else { throw .invalidArgument(reason: "a URL with user information") }
        guard !rest.contains("#") else { throw failure("a fragment") }
        guard let (host, port) = Self.split(authority) else { throw failure("no host or port that can be") }
        let path = rest.prefix { $0 != "?" }
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.defaultPort
        self.path = path.isEmpty ? "/" : String(path)
        self.query = path.endIndex < rest.endIndex ? String(rest[path.endIndex...].dropFirst()) : nil
    }

    /// Path and query, as a request has them (RFC 9112 section 3.2.1).
    public var target: String { self.path + (self.query.map { "?" + $0 } ?? "") }

    /// Host and port as `Host` has them: the port only if it is not the scheme's.
    public var authority: String {
        let host = self.host.contains(":") ? "[\(self.host)]" : self.host
        return self.port == self.scheme.defaultPort ? host : "\(host):\(self.port)"
    }

    public var description: String { "\(self.scheme.rawValue)://\(self.authority)\(self.target)" }

    /// The URL with the scheme of the other protocol, of HTTP or of WebSocket, and the same port.
    public func with(_ scheme: Scheme) -> SignalingURL {
        var url = self
        url.scheme = scheme
        return url
    }

    private static func split(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[..<end].dropFirst()
            let rest = authority[end...].dropFirst()
            guard rest.isEmpty || rest.first == ":", host.contains(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[colon...].dropFirst()
        }
        guard !host.isEmpty else { return nil }
        guard let port, !port.isEmpty else { return (String(host), nil) }
        guard port.allSatisfy(\.isNumber), let number = Int(port), (1...65_535).contains(number) else { return nil }
        return (String(host), number)
    }
}
