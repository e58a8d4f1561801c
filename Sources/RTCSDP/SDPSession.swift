/// A whole session description (RFC 8866), as offers and answers are (RFC 3264, RFC 9429).
///
/// Every line is kept, known or not, in its order: what was parsed serialises to the same bytes. A text whose line
/// ends are mixed is the exception: it is written with CRLF throughout.
public struct SDPSession: Sendable, Hashable {
    /// The session-level lines, attributes and others.
    var body = SectionBody()
    private var layout = DescriptionReader.Layout()
    private var originValue: SDPOrigin
    /// The media sections, in order. Offer/answer counts on this order staying as it is (RFC 3264 section 8).
    public var media: [SDPMedia] = []

    /// An empty session: `v=0`, the origin, `s=-` and `t=0 0` (RFC 9429 section 5.2.1).
    public init(origin: SDPOrigin) {
        self.originValue = origin
        self.body.append(SDPLine(type: "v", value: "0"))
        self.body.append(SDPLine(type: "o", value: origin.description))
        self.body.append(SDPLine(type: "s", value: "-"))
        self.body.append(SDPLine(type: "t", value: "0 0"))
    }

    /// Parses a description.
    ///
    /// Lines end with CRLF or LF; the last one need not end. The text is taken if its lines are of SDP's form and
    /// order; ``validate()`` also checks the values of the attributes.
    ///
    /// - Throws: ``SDPError`` with the line at fault, also for texts beyond ``SDPLimits``.
    public init(parsing text: String) throws(SDPError) {
        var rules = SessionLineRules()
        let sections = try DescriptionReader.read(text) { (type, value, line, mediaCount) throws(SDPError) in
            try rules.check(type, value, line, mediaCount)
        }
        self.originValue = try rules.finish(lineCount: sections.lineCount)
        self.body = sections.head
        self.media = sections.media
        self.layout = sections.layout
    }

    /// The `o=` line.
    public var origin: SDPOrigin {
        get { self.originValue }
        set {
            guard newValue != self.originValue else { return }
            self.originValue = newValue
            self.body.set("o", [newValue.description])
        }
    }

    /// The session's name, the `s=` line; `-` where there is none.
    public var name: String {
        get { self.body.first("s") ?? "-" }
        set { self.body.set("s", [newValue]) }
    }

    /// The session-level `c=` line; `nil` in nearly all descriptions of WebRTC, where each media section has its own.
    public var connection: SDPConnection? {
        get { self.body.first("c").flatMap { try? SDPConnection(parsing: $0) } }
        set { self.body.set("c", newValue.map { [$0.description] } ?? []) }
    }

    /// The session-level `b=` lines that are well-formed.
    public var bandwidths: [SDPBandwidth] {
        get { self.body.all("b").compactMap { try? SDPBandwidth(parsing: $0) } }
        set { self.body.set("b", newValue.map { $0.description }) }
    }

    /// All session-level lines but the attributes, in order, unknown ones included.
    public var lines: [SDPLine] { self.body.lines }

    /// The session-level attributes.
    public var attributes: SDPAttributes {
        get { self.body.attributes }
        _modify { yield &self.body.attributes }
    }

    /// What ends each line of ``description``: CRLF, but LF for a description that was parsed from lines with LF alone.
    public var lineEnding: SDPLineEnding {
        get { self.layout.lineEnding }
        set { self.layout.lineEnding = newValue }
    }
}

extension SDPSession: CustomStringConvertible {
    /// The description as text: the bytes it was parsed from where nothing was changed.
    public var description: String {
        var writer = DescriptionWriter(layout: self.layout)
        writer.write(self.body)
        for section in self.media { writer.write(section) }
        return writer.finish()
    }
}

extension SDPSession: SDPSection {}

/// Which lines a session description must have, and where.
private struct SessionLineRules {
    private var origin: SDPOrigin?
    private var lastLine = 0
    private var hasTiming = false
    private var hasConnection = false

    mutating func check(_ type: UInt8, _ value: String, _ line: Int, _ mediaCount: Int) throws(SDPError) {
        switch line {
        case 1: try self.checkVersion(type, value)
        case 2: try self.checkOrigin(type, value)
        case 3: try Self.expect("s", type, line)
        default: try self.checkFurther(type, value, line, mediaCount)
        }
        self.lastLine = line
    }

    private static func expect(_ expected: Unicode.Scalar, _ type: UInt8, _ line: Int) throws(SDPError) {
        guard type == UInt8(ascii: expected) else {
            throw SDPError(line: line, reason: "expected \(expected)=, found \(Character(Unicode.Scalar(type)))=")
        }
    }

    private func checkVersion(_ type: UInt8, _ value: String) throws(SDPError) {
        try Self.expect("v", type, 1)
        guard value == "0" else { throw SDPError("SDP has the version 0, not \(Grammar.quoted(value))") }
    }

    private mutating func checkOrigin(_ type: UInt8, _ value: String) throws(SDPError) {
        try Self.expect("o", type, 2)
        do throws(SDPError) {
            self.origin = try SDPOrigin(parsing: value)
        } catch {
            throw error.atLine(2)
        }
    }

    private mutating func checkFurther(
        _ type: UInt8,
        _ value: String,
        _ line: Int,
        _ mediaCount: Int
    ) throws(SDPError) {
        switch type {
        case UInt8(ascii: "v"), UInt8(ascii: "o"), UInt8(ascii: "s"):
            throw SDPError(line: line, reason: "a second \(Character(Unicode.Scalar(type)))= line")
        case UInt8(ascii: "t"):
            guard mediaCount == 0 else { throw SDPError(line: line, reason: "a t= line within a media section") }
            let fields = Grammar.fields(value)
            guard fields.count == 2, fields.allSatisfy({ Grammar.decimal($0, as: UInt64.self) != nil }) else {
                throw SDPError(line: line, reason: "a t= line has two numbers, not \(Grammar.quoted(value))")
            }
            self.hasTiming = true
        case UInt8(ascii: "c") where mediaCount == 0:
            guard !self.hasConnection else { throw SDPError(line: line, reason: "a second session-level c= line") }
            self.hasConnection = true
        case UInt8(ascii: "m"):
            guard self.hasTiming else { throw SDPError(line: line, reason: "no t= line before the media sections") }
        default:
            break
        }
    }

    func finish(lineCount: Int) throws(SDPError) -> SDPOrigin {
        guard self.lastLine > 0 else { throw SDPError("the description is empty") }
        guard let origin = self.origin else { throw SDPError(line: 2, reason: "no o= line") }
        guard self.lastLine >= 3 else { throw SDPError(line: 3, reason: "no s= line") }
        guard self.hasTiming else { throw SDPError(line: lineCount, reason: "no t= line") }
        return origin
    }
}
