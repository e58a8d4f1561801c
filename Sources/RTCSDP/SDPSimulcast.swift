/// The `a=simulcast` attribute (RFC 8853 section 5.1): the encodings of one source that are sent or received together.
public struct SDPSimulcast: Sendable, Hashable {
    /// One encoding of a stream.
    public struct Encoding: Sendable, Hashable {
        /// The identifier of the `a=rid` attribute.
        public var rid: String
        /// Whether the encoding begins paused (`~`).
        public var isPaused: Bool

        /// An encoding from its parts.
        public init(rid: String, isPaused: Bool = false) {
            self.rid = rid
            self.isPaused = isPaused
        }
    }

    /// A stream: its encodings are alternatives, in order of preference.
    public typealias Stream = [Encoding]

    /// The streams that the sender of the description sends.
    public var send: [Stream]
    /// The streams that the sender of the description receives.
    public var recv: [Stream]
    /// Whether `recv` was written before `send`.
    private var recvFirst = false

    /// Simulcast from its streams.
    public init(send: [Stream] = [], recv: [Stream] = []) {
        self.send = send
        self.recv = recv
    }

    /// Parses what follows `a=simulcast:`.
    public init(parsing text: String) throws(SDPError) {
        self.init()
        let fields = Grammar.fields(text)
        guard fields.count == 2 || fields.count == 4 else {
            throw SDPError("simulcast is 'send' or 'recv' and streams, not \(Grammar.quoted(text))")
        }
        for index in stride(from: 0, to: fields.count, by: 2) {
            let streams = try Self.streams(fields[index + 1])
            switch fields[index] {
            case "send" where self.send.isEmpty: self.send = streams
            case "recv" where self.recv.isEmpty: self.recv = streams
            default: throw SDPError("simulcast is 'send' or 'recv' and streams, not \(Grammar.quoted(text))")
            }
        }
        self.recvFirst = fields.count == 4 && fields[0] == "recv"
    }

    private static func streams(_ text: Substring) throws(SDPError) -> [Stream] {
        var streams: [Stream] = []
        for part in Grammar.parts(text, separator: UInt8(ascii: ";")) {
            var stream: Stream = []
            for item in Grammar.parts(part, separator: UInt8(ascii: ",")) {
                let isPaused = item.utf8.first == UInt8(ascii: "~")
                let rid = isPaused ? item.dropFirst() : item
                guard SDPRID.isIdentifier(rid) else {
                    throw SDPError("\(Grammar.quoted(item)) is no identifier of an encoding")
                }
                stream.append(Encoding(rid: String(rid), isPaused: isPaused))
            }
            streams.append(stream)
        }
        return streams
    }
}

extension SDPSimulcast: AttributeValue {
    /// `send 1,~4;2;3 recv c`.
    public var description: String {
        var parts: [String] = []
        if !self.send.isEmpty { parts.append("send " + Self.text(self.send)) }
        if !self.recv.isEmpty { parts.insert("recv " + Self.text(self.recv), at: self.recvFirst ? 0 : parts.count) }
        return parts.joined(separator: " ")
    }

    private static func text(_ streams: [Stream]) -> String {
        streams
            .map { stream in stream.map { $0.isPaused ? "~\($0.rid)" : $0.rid }.joined(separator: ",") }
            .joined(separator: ";")
    }
}
