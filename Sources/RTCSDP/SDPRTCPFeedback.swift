/// An `a=rtcp-fb` attribute (RFC 4585 section 4.2): a feedback message that may be used.
public struct SDPRTCPFeedback: Sendable, Hashable {
    /// The payload type, `nil` for all of them (`*`).
    public var payloadType: UInt8?
    /// The kind: `nack`, `ccm`, `transport-cc`, `goog-remb`, ….
    public var type: String
    /// What follows the kind, `pli` after `nack` for example.
    public var parameter: String?

    /// A feedback message from its parts.
    public init(payloadType: UInt8?, type: String, parameter: String? = nil) {
        self.payloadType = payloadType
        self.type = type
        self.parameter = parameter
    }

    /// Parses what follows `a=rtcp-fb:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text, maxSplits: 2)
        guard fields.count >= 2, fields[0] == "*" || Grammar.payloadType(fields[0]) != nil else {
            throw SDPError("an rtcp-fb is a payload type and a kind of feedback, not \(Grammar.quoted(text))")
        }
        self.init(
            payloadType: Grammar.payloadType(fields[0]),
            type: String(fields[1]),
            parameter: fields.count > 2 ? String(fields[2]) : nil
        )
    }
}

extension SDPRTCPFeedback: AttributeValue {
    /// `96 nack pli`.
    public var description: String {
        let head = "\(self.payloadType.map { String($0) } ?? "*") \(self.type)"
        return self.parameter.map { "\(head) \($0)" } ?? head
    }
}
