/// A media section: an `m=` line and what follows it (RFC 8866 section 5.14).
public struct SDPMedia: Sendable, Hashable {
    /// The kind of media: `audio`, `video` or `application`.
    public var kind: String { didSet { self.parsedLine = nil } }
    /// The transport port, 0 to 65535. 0 rejects the section or goes with ``bundleOnly``; 9 stands for "not known yet".
    public var port: Int { didSet { self.parsedLine = nil } }
    /// How many consecutive ports, as in `5004/2`; `nil` where nothing is written.
    public var portCount: Int? { didSet { self.parsedLine = nil } }
    /// The transport protocol, such as `UDP/DTLS/SCTP` or `UDP/TLS/RTP/SAVPF`.
    public var proto: String { didSet { self.parsedLine = nil } }
    /// The formats: payload types in order of preference, or `webrtc-datachannel`.
    public var formats: [String] { didSet { self.parsedLine = nil } }
    /// The line as it was read, where its spaces or zeros differ from what this writes.
    private var parsedLine: String?

    /// The lines after the `m=` line.
    var body = SectionBody()

    /// A section with the connection `IN IP4 0.0.0.0` and no attributes.
    public init(kind: String, port: Int = 9, proto: String, formats: [String]) {
        self.kind = kind
        self.port = port
        self.proto = proto
        self.formats = formats
        self.connection = .unspecified
    }

    /// Parses what follows `m=`.
    init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard fields.count >= 4 else {
            throw SDPError("an m= line has a kind, a port, a protocol and formats; this one \(fields.count) fields")
        }
        let portFields = Grammar.parts(fields[1], separator: UInt8(ascii: "/"))
        guard portFields.count <= 2, let port = portFields.first.flatMap({ Grammar.decimal($0, as: UInt16.self) })
        else {
            throw SDPError("the port \(Grammar.quoted(fields[1])) is not 0 to 65535")
        }
        if portFields.count == 2 {
            guard let count = Grammar.decimal(portFields[1], as: UInt16.self), count > 0 else {
                throw SDPError("\(Grammar.quoted(fields[1])) has no number of ports")
            }
            self.portCount = Int(count)
        }
        guard Grammar.isToken(fields[0]) else { throw SDPError("\(Grammar.quoted(fields[0])) is no kind of media") }
        self.kind = String(fields[0])
        self.port = Int(port)
        self.proto = String(fields[2])
        self.formats = fields[3...].map { String($0) }
        if self.mediaLine != text { self.parsedLine = text }
    }

    /// The `m=` line without `m=`.
    var mediaLine: String {
        if let line = self.parsedLine { return line }
        var line = "\(self.kind) \(self.port)"
        if let count = self.portCount { line += "/\(count)" }
        line += " \(self.proto)"
        for format in self.formats {
            line += " "
            line += format
        }
        return line
    }

    /// The first `c=` line of this section, `nil` if it has none.
    public var connection: SDPConnection? {
        get { self.body.first("c").flatMap { try? SDPConnection(parsing: $0) } }
        set { self.body.set("c", newValue.map { [$0.description] } ?? []) }
    }

    /// The `b=` lines that are well-formed.
    public var bandwidths: [SDPBandwidth] {
        get { self.body.all("b").compactMap { try? SDPBandwidth(parsing: $0) } }
        set { self.body.set("b", newValue.map { $0.description }) }
    }

    /// All lines of this section but the `m=` line and the attributes, in order, unknown ones included.
    public var lines: [SDPLine] { self.body.lines }

    /// The section's attributes.
    public var attributes: SDPAttributes {
        get { self.body.attributes }
        _modify { yield &self.body.attributes }
    }

    /// Whether the section is rejected or stopped: port 0 without `a=bundle-only` (RFC 9429 section 5.3.1).
    public var isRejected: Bool { self.port == 0 && !self.bundleOnly }
}

extension SDPMedia: SDPSection {}

extension SDPMedia: CustomStringConvertible {
    /// The section as text, each line with CRLF.
    public var description: String {
        var writer = DescriptionWriter(layout: .init())
        writer.write(self)
        return writer.finish()
    }
}
