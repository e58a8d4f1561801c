/// An `a=rtpmap` attribute (RFC 8866 section 6.6): the codec of a payload type.
public struct SDPRTPMap: Sendable, Hashable {
    /// The payload type, 0 to 127.
    public var payloadType: UInt8
    /// The codec's name; names compare without regard to case.
    public var encodingName: String
    /// The clock rate in Hz.
    public var clockRate: UInt32
    /// The number of audio channels, `nil` where nothing is written, which means one.
    public var channels: UInt16?

    /// A map from its parts.
    public init(payloadType: UInt8, encodingName: String, clockRate: UInt32, channels: UInt16? = nil) {
        self.payloadType = payloadType
        self.encodingName = encodingName
        self.clockRate = clockRate
        self.channels = channels
    }

    /// Parses what follows `a=rtpmap:`.
    public init(parsing text: String) throws(SDPError) {
        let fields = Grammar.fields(text)
        guard fields.count == 2, let payloadType = Grammar.payloadType(fields[0]) else {
            throw SDPError("an rtpmap is a payload type and a codec, not \(Grammar.quoted(text))")
        }
        let codec = Grammar.parts(fields[1], separator: UInt8(ascii: "/"))
        guard (2...3).contains(codec.count), Grammar.isToken(codec[0]),
            let clockRate = Grammar.decimal(codec[1], as: UInt32.self)
        else {
            throw SDPError("a codec is <name>/<clock rate>, not \(Grammar.quoted(fields[1]))")
        }
        self.init(payloadType: payloadType, encodingName: String(codec[0]), clockRate: clockRate)
        if codec.count == 3 {
            guard let channels = Grammar.decimal(codec[2], as: UInt16.self) else {
                throw SDPError("\(Grammar.quoted(codec[2])) is no number of channels")
            }
            self.channels = channels
        }
    }
}

extension SDPRTPMap: AttributeValue {
    /// `111 opus/48000/2`.
    public var description: String {
        let head = "\(self.payloadType) \(self.encodingName)/\(self.clockRate)"
        return self.channels.map { "\(head)/\($0)" } ?? head
    }
}

extension Grammar {
    static func payloadType(_ text: Substring) -> UInt8? {
        guard let number = Grammar.decimal(text, as: UInt8.self), number < 128 else { return nil }
        return number
    }
}
