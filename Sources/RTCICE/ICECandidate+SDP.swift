internal import RTCBase

extension ICECandidate {
    /// The longest candidate line that is read, in bytes.
    private static let maximumLength = 1_024

    /// Parses the value of an SDP `candidate` attribute, `candidate:…`, with or without `a=` before it (RFC 8839
    /// section 5.1).
    ///
    /// TCP candidates and those of other protocols parse as such; extensions nobody here knows are skipped.
    ///
    /// - Returns: `nil` if the text is not of that grammar or the candidate's type is unknown.
    public init?(parsing text: some StringProtocol) {
        guard text.utf8.count <= Self.maximumLength else { return nil }
        var rest = Substring(text)
        if rest.utf8.starts(with: "a=".utf8) { rest = rest.dropFirst(2) }
        guard rest.utf8.prefix(10).map(\.asciiLowercased) == Array("candidate:".utf8) else { return nil }
        // Bytes, not characters: finding the borders of characters costs more than all the rest.
        let fields = rest.utf8.dropFirst(10).split(whereSeparator: { $0 == 0x20 || $0 == 0x0D || $0 == 0x0A })
            .map { Substring($0) }
        guard fields.count >= 8, fields[6].lowercased() == "typ",
            (1...32).contains(fields[0].utf8.count), fields[0].utf8.allSatisfy(\.isFoundationCharacter),
            let component = Int(fields[1]), (1...256).contains(component),
            let priority = UInt32(fields[3]), let port = UInt16(fields[5]),
            var address = ICECandidateAddress(text: fields[4], port: port),
            let kind = Kind(rawValue: fields[7].lowercased())
        else { return nil }
        let transport = Transport(text: fields[2])
        if transport == .tcp, case .ip(let ip) = address { address = .ip(ip.over(.tcp)) }
        self.init(
            foundation: String(fields[0]),
            component: component,
            transport: transport,
            priority: priority,
            address: address,
            type: kind
        )
        self.readExtensions(fields.dropFirst(8))
    }

    private mutating func readExtensions(_ fields: ArraySlice<Substring>) {
        var relatedIP: Substring?
        var relatedPort: UInt16 = 0
        var index = fields.startIndex
        while index + 1 < fields.endIndex {
            let value = fields[index + 1]
            switch fields[index].lowercased() {
            case "raddr": relatedIP = value
            case "rport": relatedPort = UInt16(value) ?? 0
            case "tcptype": self.tcpType = TCPType(rawValue: value.lowercased())
            case "ufrag": self.usernameFragment = String(value)
            default: break
            }
            index += 2
        }
        if let relatedIP { self.relatedAddress = TransportAddress(ip: relatedIP, port: relatedPort) }
    }

    /// The value of an SDP `candidate` attribute: `candidate:1 1 udp 2122… 192.0.2.1 5000 typ host …`.
    public var sdpAttributeValue: String {
        let host: String
        switch self.address {
        case .ip(let address): host = address.ip
        case .hostname(let name, _): host = name
        }
        var text = "candidate:\(self.foundation) \(self.component) \(self.transport.text) \(self.priority) \(host)"
        text += " \(self.address.port) typ \(self.type.rawValue)"
        if let related = self.relatedAddress { text += " raddr \(related.ip) rport \(related.port)" }
        if let tcpType = self.tcpType { text += " tcptype \(tcpType.rawValue)" }
        if let ufrag = self.usernameFragment { text += " ufrag \(ufrag)" }
        return text
    }
}

extension ICECandidate.Transport {
    init(text: Substring) {
        switch text.lowercased() {
        case "udp": self = .udp
        case "tcp": self = .tcp
        default: self = .other(String(text.prefix(32)))
        }
    }

    var text: String {
        switch self {
        case .udp: return "udp"
        case .tcp: return "tcp"
        case .other(let name): return name
        }
    }
}

extension ICECandidateAddress {
    init?(text: Substring, port: UInt16) {
        // A zone means nothing to another host.
        if !text.utf8.contains(UInt8(ascii: "%")), let address = TransportAddress(ip: text, port: port) {
            self = .ip(address)
            return
        }
        let isName = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: return true
            default: return false
            }
        }
        // Nothing but digits and dots is a broken address, not a name.
        guard isName, (1...253).contains(text.utf8.count),
            text.utf8.contains(where: { !(0x30...0x39).contains($0) && $0 != 0x2E })
        else { return nil }
        self = .hostname(text.lowercased(), port: port)
    }
}

extension UInt8 {
    /// The lower-case form of an ASCII letter; anything else as it is.
    fileprivate var asciiLowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }

    /// An `ice-char`, or one of the characters that shipping implementations put into foundations besides.
    var isFoundationCharacter: Bool {
        self.isICECharacter || self == 0x2D || self == 0x5F || self == 0x2E || self == 0x3D
    }
}
