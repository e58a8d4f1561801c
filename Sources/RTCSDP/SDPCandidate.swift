/// A candidate (RFC 8839 section 5.1): `candidate:1 1 udp 2122260223 192.0.2.1 49203 typ host`.
///
/// Transports and types that are not known here are kept as they are: RFC 8839 has receivers ignore such candidates.
public struct SDPCandidate: Sendable, Hashable {
    /// How a candidate was come by (RFC 8839 section 5.1).
    public struct Kind: Sendable, Hashable, RawRepresentable {
        /// The name as it is written after `typ`.
        public var rawValue: String
        /// A type of any name.
        public init(rawValue: String) { self.rawValue = rawValue }

        /// An address of the machine itself.
        public static let host = Kind(rawValue: "host")
        /// An address that a STUN server saw.
        public static let srflx = Kind(rawValue: "srflx")
        /// An address that the peer saw.
        public static let prflx = Kind(rawValue: "prflx")
        /// An address of a TURN server.
        public static let relay = Kind(rawValue: "relay")
    }

    /// A name and value after the standard fields, `generation 0` for example.
    public struct Extension: Sendable, Hashable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String

        /// An extension from its name and value.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// What candidates of the same type, base and server share; 1 to 32 characters.
    public var foundation: String
    /// The component: 1 for RTP and data, 2 for RTCP of its own; 1 to 256.
    public var component: Int
    /// The transport as it was written: `udp`, `UDP`, `tcp`, ….
    public var transport: String
    /// The priority; RFC 8445 section 5.1.2 has 1 to 2^31 - 1.
    public var priority: UInt32
    /// The IP address, or a host name such as `….local` (multicast DNS). Never resolved here.
    public var address: String
    /// The port.
    public var port: UInt16
    /// How the candidate was come by.
    public var type: Kind
    /// The base's address (server reflexive, peer reflexive) or the mapped one (relayed); `nil` for host candidates.
    public var relatedAddress: String?
    /// The port that belongs to ``relatedAddress``.
    public var relatedPort: UInt16?
    /// What follows, in order; `tcptype` is among them.
    public var extensions: [Extension]

    /// A candidate from its parts.
    public init(
        foundation: String,
        component: Int,
        transport: String,
        priority: UInt32,
        address: String,
        port: UInt16,
        type: Kind,
        relatedAddress: String? = nil,
        relatedPort: UInt16? = nil,
        tcpType: String? = nil,
        extensions: [Extension] = []
    ) {
        self.foundation = foundation
        self.component = component
        self.transport = transport
        self.priority = priority
        self.address = address
        self.port = port
        self.type = type
        self.relatedAddress = relatedAddress
        self.relatedPort = relatedPort
        self.extensions = extensions
        if let tcpType { self.tcpType = tcpType }
    }

    /// Whether the transport is UDP, in whatever case it is written.
    public var isUDP: Bool { self.transport.lowercased() == "udp" }
    /// Whether the transport is TCP, in whatever case it is written.
    public var isTCP: Bool { self.transport.lowercased() == "tcp" }

    /// `active`, `passive` or `so` for TCP (RFC 6544 section 4.5); the extension `tcptype`.
    public var tcpType: String? {
        get { self.value(ofExtension: "tcptype") }
        set { self.setExtension("tcptype", newValue, first: true) }
    }

    /// The generation, which rises with each ICE restart; written by libwebrtc.
    public var generation: UInt32? {
        get { self.value(ofExtension: "generation").flatMap { Grammar.decimal($0[...]) } }
        set { self.setExtension("generation", newValue.map { String($0) }) }
    }

    /// The user fragment of the ICE generation that the candidate belongs to (RFC 8839 section 5.1, W3C webrtc-pc).
    public var ufrag: String? {
        get { self.value(ofExtension: "ufrag") }
        set { self.setExtension("ufrag", newValue) }
    }

    /// The value of an extension, `nil` if there is none of this name.
    public func value(ofExtension name: String) -> String? {
        self.extensions.first { $0.name == name }?.value
    }

    private mutating func setExtension(_ name: String, _ value: String?, first: Bool = false) {
        guard let value else {
            self.extensions.removeAll { $0.name == name }
            return
        }
        if let index = self.extensions.firstIndex(where: { $0.name == name }) {
            self.extensions[index].value = value
        } else {
            self.extensions.insert(Extension(name: name, value: value), at: first ? 0 : self.extensions.count)
        }
    }
}

extension SDPCandidate: AttributeValue {
    /// The longest candidate that is parsed, in bytes.
    public static let maximumBytes = 4096

    /// Parses a candidate, with or without `a=` and `candidate:` before it.
    public init(parsing text: String) throws(SDPError) {
        guard text.utf8.count <= Self.maximumBytes else {
            throw SDPError("a candidate of more than \(Self.maximumBytes) bytes")
        }
        guard !Grammar.breaksLine(text) else { throw SDPError("a candidate with a line break or NUL in it") }
        var rest = text[...]
        if rest.utf8.starts(with: "a=".utf8) { rest = rest.dropFirst(2) }
        if rest.utf8.starts(with: "candidate:".utf8) { rest = rest.dropFirst(10) }
        var fields = Grammar.fields(rest)[...]
        guard fields.count >= 8 else {
            throw SDPError("a candidate has at least eight fields, this one \(fields.count)")
        }
        guard fields[0].utf8.count <= 32 else { throw SDPError("a foundation of more than 32 characters") }
        guard let component = Grammar.decimal(fields[1], as: Int.self), (1...256).contains(component) else {
            throw SDPError("the component \(Grammar.quoted(fields[1])) is not 1 to 256")
        }
        guard Grammar.isToken(fields[2]) else {
            throw SDPError("\(Grammar.quoted(fields[2])) is no name of a transport")
        }
        guard let priority = Grammar.decimal(fields[3], as: UInt32.self) else {
            throw SDPError("the priority \(Grammar.quoted(fields[3])) is no number of 32 bits")
        }
        guard let port = Grammar.decimal(fields[5], as: UInt16.self) else {
            throw SDPError("the port \(Grammar.quoted(fields[5])) is not 0 to 65535")
        }
        guard fields[6] == "typ" else {
            throw SDPError("expected 'typ' in a candidate, found \(Grammar.quoted(fields[6]))")
        }
        guard Grammar.isToken(fields[7]) else {
            throw SDPError("\(Grammar.quoted(fields[7])) is no type of a candidate")
        }
        self.init(
            foundation: String(fields[0]),
            component: component,
            transport: String(fields[2]),
            priority: priority,
            address: String(fields[4]),
            port: port,
            type: Kind(rawValue: String(fields[7]))
        )
        fields = fields.dropFirst(8)
        try self.parseRelated(&fields)
        try self.parseExtensions(fields)
    }

    private mutating func parseRelated(_ fields: inout ArraySlice<Substring>) throws(SDPError) {
        if fields.first == "raddr", let address = fields.dropFirst().first {
            self.relatedAddress = String(address)
            fields = fields.dropFirst(2)
        }
        if fields.first == "rport", let text = fields.dropFirst().first {
            guard let port = Grammar.decimal(text, as: UInt16.self) else {
                throw SDPError("the related port \(Grammar.quoted(text)) is not 0 to 65535")
            }
            self.relatedPort = port
            fields = fields.dropFirst(2)
        }
    }

    private mutating func parseExtensions(_ fields: ArraySlice<Substring>) throws(SDPError) {
        var rest = fields
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else {
                throw SDPError("the extension \(Grammar.quoted(name)) of a candidate has no value")
            }
            self.extensions.append(Extension(name: String(name), value: String(value)))
        }
    }

    /// What stands after `a=candidate:`.
    var attributeValue: String {
        var text = "\(self.foundation) \(self.component) \(self.transport) \(self.priority)"
        text += " \(self.address) \(self.port) typ \(self.type.rawValue)"
        if let address = self.relatedAddress { text += " raddr \(address)" }
        if let port = self.relatedPort { text += " rport \(port)" }
        for item in self.extensions { text += " \(item.name) \(item.value)" }
        return text
    }

    /// `candidate:1 1 udp …`, as W3C's `RTCIceCandidate.candidate` has it.
    public var description: String { "candidate:" + self.attributeValue }
}
