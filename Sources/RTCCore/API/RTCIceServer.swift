public import RTCBase

/// A STUN or TURN server to use (W3C webrtc-pc section 4.2.2).
public struct RTCIceServer: Sendable, Hashable {
    /// One or more URIs of RFC 7064 (`stun:`, `stuns:`) or RFC 7065 (`turn:`, `turns:`).
    public var urls: [String]
    /// The user name for TURN servers.
    public var username: String?
    /// The password for TURN servers.
    public var credential: String?

    /// A server.
    public init(urls: [String], username: String? = nil, credential: String? = nil) {
        self.urls = urls
        self.username = username
        self.credential = credential
    }

    /// Checks the URIs and that TURN servers have credentials (W3C webrtc-pc section 4.4.1.6, "validate an ICE server URL").
    ///
    /// - Throws: `RTCError.Code.syntax` for a URI that is not of its grammar, `RTCError.Code.invalidAccess` for missing
    ///   credentials.
    public func validate() throws(RTCError) {
        guard !self.urls.isEmpty else { throw RTCError(.syntax, "an ICE server needs at least one URL") }
        for url in self.urls {
            let uri = try ICEServerURI(parsing: url)
            guard uri.scheme.isTURN else { continue }
            guard self.username != nil, self.credential != nil else {
                throw RTCError(.invalidAccess, "\(url) needs a username and a credential")
            }
            guard (self.username ?? "").utf8.count <= 508 else {
                throw RTCError(
                    .invalidAccess,
                    "the username for \(url) is longer than 508 bytes (RFC 8489 section 14.3)"
                )
            }
        }
    }
}

extension RTCIceServer: CustomStringConvertible {
    /// The URLs and whether there are credentials; never the credentials themselves.
    public var description: String {
        "RTCIceServer(\(self.urls.joined(separator: ", "))\(self.credential == nil ? "" : ", credential given"))"
    }
}

/// A STUN or TURN URI, taken apart (RFC 7064 section 3.1, RFC 7065 section 3.1).
public struct ICEServerURI: Sendable, Hashable {
    /// The scheme of such a URI.
    public enum Scheme: String, Sendable, Hashable {
        /// STUN over UDP or TCP (RFC 7064); port 3478 unless given.
        case stun
        /// STUN over TLS (RFC 7064); port 5349 unless given.
        case stuns
        /// TURN over UDP or TCP (RFC 7065); port 3478 unless given.
        case turn
        /// TURN over TLS (RFC 7065); port 5349 unless given.
        case turns

        var isTURN: Bool { self == .turn || self == .turns }
        var isSecure: Bool { self == .stuns || self == .turns }
    }

    /// The scheme.
    public let scheme: Scheme
    /// The host name or IP address; an IPv6 address without its brackets.
    public let host: String
    /// The port: given, or 3478, or 5349 for the secure schemes.
    public let port: UInt16
    /// The transport of a TURN URI: given, or UDP, or TCP for `turns`.
    public let transport: RTCIceProtocol

    /// Takes a URI apart.
    ///
    /// - Throws: `RTCError.Code.syntax` if it is not of the grammar.
    public init(parsing text: String) throws(RTCError) {
        func malformed(_ reason: String) -> RTCError {
            RTCError(.syntax, "'\(text)' is no STUN or TURN URI: \(reason)")
        }

        guard let colon = text.firstIndex(of: ":") else { throw malformed("it has no scheme") }
        guard let scheme = Scheme(rawValue: text[..<colon].lowercased()) else { throw malformed("unknown scheme") }
        var rest = text[text.index(after: colon)...]
        var transport: RTCIceProtocol?
        if let question = rest.firstIndex(of: "?") {
            let query = rest[rest.index(after: question)...]
            rest = rest[..<question]
            guard scheme.isTURN else { throw malformed("a STUN URI takes no query") }
            guard query.hasPrefix("transport="),
                let value = RTCIceProtocol(rawValue: query.dropFirst("transport=".count).lowercased())
            else { throw malformed("the query may only be transport=udp or transport=tcp") }
            transport = value
        }
        let (host, port) = try Self.hostAndPort(rest, malformed)
        self.scheme = scheme
        self.host = host
        self.port = port ?? (scheme.isSecure ? 5349 : 3478)
        self.transport = transport ?? (scheme.isSecure ? .tcp : .udp)
    }

    private static func hostAndPort(
        _ text: Substring,
        _ malformed: (String) -> RTCError
    ) throws(RTCError) -> (host: String, port: UInt16?) {
        let host: Substring
        let portText: Substring?
        if text.first == "[" {
            guard let bracket = text.firstIndex(of: "]") else { throw malformed("an IPv6 address lacks its ]") }
            host = text[text.index(after: text.startIndex)..<bracket]
            guard TransportAddress(ip: host, port: 0)?.family == .ipv6 else { throw malformed("no IPv6 address") }
            let rest = text[text.index(after: bracket)...]
            guard rest.isEmpty || rest.first == ":" else { throw malformed("unexpected text after ]") }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            portText = text[text.index(after: colon)...]
        } else {
            host = text
            portText = nil
        }
        let allowed = { (byte: UInt8) in
            byte.isASCIILetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "~") || byte == UInt8(ascii: ":")
        }
        guard !host.isEmpty, host.utf8.allSatisfy(allowed) else { throw malformed("the host is not a name or address") }
        guard let portText else { return (String(host), nil) }
        guard !portText.isEmpty, portText.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), let port = UInt16(portText) else {
            throw malformed("the port is not a number from 0 to 65535")
        }
        return (String(host), port)
    }
}

extension UInt8 {
    var isASCIILetterOrDigit: Bool {
        (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self)
    }
}
