/// Checks the values of attributes, line by line, in the order of the text.
struct Validation {
    private var line = 1
    private var mids: Set<String> = []

    mutating func check(_ body: SectionBody, isMedia: Bool) throws(SDPError) {
        try body.visit { (entry) throws(SDPError) in
            do throws(SDPError) {
                switch entry {
                case .line(let line): try Self.checkLine(line)
                case .attribute(let attribute): try self.checkAttribute(attribute, isMedia: isMedia)
                }
            } catch {
                throw error.atLine(self.line)
            }
            self.line += 1
        }
    }

    mutating func check(_ media: SDPMedia) throws(SDPError) {
        do throws(SDPError) {
            _ = try SDPMedia(parsing: media.mediaLine)
            try Self.checkText(media.mediaLine)
        } catch {
            throw error.atLine(self.line)
        }
        self.line += 1
        try self.check(media.body, isMedia: true)
    }

    private static func checkText(_ text: String) throws(SDPError) {
        guard !Grammar.breaksLine(text) else { throw SDPError("a line break or NUL within a line") }
    }

    private static func checkLine(_ line: SDPLine) throws(SDPError) {
        try Self.checkText(line.value)
        switch line.type {
        case "o": _ = try SDPOrigin(parsing: line.value)
        case "c": _ = try SDPConnection(parsing: line.value)
        case "b": _ = try SDPBandwidth(parsing: line.value)
        default: break
        }
    }

    private mutating func checkAttribute(_ attribute: SDPAttribute, isMedia: Bool) throws(SDPError) {
        try Self.checkText(attribute.name)
        try Self.checkText(attribute.value ?? "")
        guard let check = Self.checks[attribute.name] else { return }
        guard let value = attribute.value else { throw SDPError("\(attribute.name) has no value") }
        try check(value)
        if attribute.name == "mid", isMedia, !self.mids.insert(value).inserted {
            throw SDPError("a second section with the identification \(Grammar.quoted(value))")
        }
    }

    private typealias Check = @Sendable (String) throws(SDPError) -> Void

    private static let checks: [String: Check] = [
        "candidate": { (text) throws(SDPError) in _ = try SDPCandidate(parsing: text) },
        "extmap": { (text) throws(SDPError) in _ = try SDPExtmap(parsing: text) },
        "fingerprint": { (text) throws(SDPError) in _ = try SDPFingerprint(parsing: text) },
        "fmtp": { (text) throws(SDPError) in _ = try SDPFormatParameters(parsing: text) },
        "group": { (text) throws(SDPError) in _ = try SDPGroup(parsing: text) },
        "ice-options": { (text) throws(SDPError) in try Self.checkICEOptions(text) },
        "ice-pwd": { (text) throws(SDPError) in try Self.checkICE("ice-pwd", text, 22...256) },
        "ice-ufrag": { (text) throws(SDPError) in try Self.checkICE("ice-ufrag", text, 4...256) },
        "max-message-size": { (text) throws(SDPError) in try Self.checkNumber("max-message-size", text, .max) },
        "maxptime": { (text) throws(SDPError) in try Self.checkTime("maxptime", text) },
        "mid": { (text) throws(SDPError) in try Self.checkToken("mid", text) },
        "msid": { (text) throws(SDPError) in _ = try SDPMediaStreamID(parsing: text) },
        "ptime": { (text) throws(SDPError) in try Self.checkTime("ptime", text) },
        "rid": { (text) throws(SDPError) in _ = try SDPRID(parsing: text) },
        "rtcp": { (text) throws(SDPError) in _ = try SDPRTCPAddress(parsing: text) },
        "rtcp-fb": { (text) throws(SDPError) in _ = try SDPRTCPFeedback(parsing: text) },
        "rtpmap": { (text) throws(SDPError) in _ = try SDPRTPMap(parsing: text) },
        "sctp-port": { (text) throws(SDPError) in try Self.checkNumber("sctp-port", text, 65_535) },
        "sctpmap": { (text) throws(SDPError) in _ = try SDPSCTPMap(parsing: text) },
        "setup": { (text) throws(SDPError) in try Self.checkSetup(text) },
        "simulcast": { (text) throws(SDPError) in _ = try SDPSimulcast(parsing: text) },
        "ssrc": { (text) throws(SDPError) in _ = try SDPSourceAttribute(parsing: text) },
        "ssrc-group": { (text) throws(SDPError) in _ = try SDPSourceGroup(parsing: text) },
        "tls-id": { (text) throws(SDPError) in try Self.checkTLSID(text) },
    ]

    private static func checkNumber(_ name: String, _ text: String, _ maximum: UInt64) throws(SDPError) {
        guard let number = Grammar.decimal(text[...], as: UInt64.self), number <= maximum else {
            throw SDPError("\(name) \(Grammar.quoted(text)) is no number of 0 to \(maximum)")
        }
    }

    /// RFC 8866 `non-zero-int-or-real`, in milliseconds.
    private static func checkTime(_ name: String, _ text: String) throws(SDPError) {
        let parts = Grammar.parts(text[...], separator: UInt8(ascii: "."))
        guard parts.count <= 2, parts.allSatisfy({ Grammar.decimal($0, as: UInt64.self) != nil }) else {
            throw SDPError("\(name) \(Grammar.quoted(text)) is no number of milliseconds")
        }
    }

    private static func checkToken(_ name: String, _ text: String) throws(SDPError) {
        guard Grammar.isToken(text[...]) else { throw SDPError("\(name) \(Grammar.quoted(text)) is no token") }
    }

    /// The text itself stays out of the message: a password is a secret.
    private static func checkICE(_ name: String, _ text: String, _ count: ClosedRange<Int>) throws(SDPError) {
        guard Grammar.isICEText(text[...], count: count) else {
            throw SDPError(
                "\(name) is not \(count.lowerBound) to \(count.upperBound) letters, digits, '+' and '/'"
            )
        }
    }

    private static func checkICEOptions(_ text: String) throws(SDPError) {
        let options = Grammar.fields(text)
        guard !options.isEmpty, options.allSatisfy({ Grammar.isToken($0) }) else {
            throw SDPError("ice-options \(Grammar.quoted(text)) is no list of options")
        }
    }

    private static func checkSetup(_ text: String) throws(SDPError) {
        guard SDPSetup(rawValue: text) != nil else {
            throw SDPError("setup is active, passive, actpass or holdconn, not \(Grammar.quoted(text))")
        }
    }

    private static func checkTLSID(_ text: String) throws(SDPError) {
        guard Grammar.isICEText(text[...], count: 20...255) else {
            throw SDPError("tls-id \(Grammar.quoted(text)) is not 20 to 255 letters, digits, '+', '/', '-' and '_'")
        }
    }
}

extension SDPSession {
    /// Checks the values of all attributes that have a typed form here, and that no two sections share an
    /// identification.
    ///
    /// Unknown attributes pass, and so do candidates with an unknown transport or type. The characters `-`, `_`, `=`
    /// and `#` pass in ICE user fragments and passwords, though RFC 8839 lacks them: some implementations send them.
    ///
    /// - Throws: ``SDPError`` of the first bad line, counted in ``description``.
    public func validate() throws(SDPError) {
        var validation = Validation()
        try validation.check(self.body, isMedia: false)
        for section in self.media { try validation.check(section) }
    }
}

extension SDPFragment {
    /// Checks the values of all attributes, as ``SDPSession/validate()`` does.
    public func validate() throws(SDPError) {
        var validation = Validation()
        try validation.check(self.body, isMedia: false)
        for section in self.media { try validation.check(section) }
    }
}
