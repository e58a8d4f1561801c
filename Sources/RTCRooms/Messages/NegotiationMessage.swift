/// What two peers tell each other to set up and keep a connection, whatever carries it.
public struct NegotiationMessage: Sendable, Hashable {
    /// What is told.
    public enum Content: Sendable, Hashable {
        /// An offer; its number is the offerer's own, and rises. `answered` is the number of the receiver's offer that the sender
        /// answered last, 0 for none: so the receiver knows of an answer that got lost.
        case offer(sdp: String, number: Int, answered: Int)
        /// The answer to the offer of that number.
        case answer(sdp: String, number: Int)
        /// A candidate of the sender.
        case candidate(CandidateMessage)
        /// The sender has no more candidates, of the generation with that username fragment if one is named.
        case endOfCandidates(usernameFragment: String?)
        /// The sender wants the other to restart ICE.
        case restart
        /// Where the sender stands, after messages may have been lost.
        case synchronise(NegotiationPosition)
        /// The sender is done with this connection.
        case bye(reason: String)
    }

    /// Which connection of the two it concerns, from 1: a higher number is a connection that takes the place of all before.
    public var call: Int
    /// What is told.
    public var content: Content

    /// A message.
    public init(call: Int, _ content: Content) {
        self.call = call
        self.content = content
    }
}

/// Where one side of a negotiation stands.
public struct NegotiationPosition: Sendable, Hashable {
    /// The number of the sender's offer that has no answer yet; nil if there is none.
    public var offer: Int?
    /// The number of the receiver's offer that the sender answered last; 0 if there is none.
    public var answered: Int
    /// Whether the sender wants to hear the receiver's position.
    public var wantsReply: Bool

    /// A position.
    public init(offer: Int?, answered: Int, wantsReply: Bool) {
        self.offer = offer
        self.answered = answered
        self.wantsReply = wantsReply
    }
}

/// An ICE candidate as it is sent to a peer (W3C `RTCIceCandidateInit`).
public struct CandidateMessage: Sendable, Hashable {
    /// The `candidate-attribute` of RFC 8839 section 5.1.
    public var candidate: String
    /// The section it belongs to.
    public var sdpMid: String?
    /// The same by its place, from 0.
    public var sdpMLineIndex: Int?
    /// The generation it belongs to.
    public var usernameFragment: String?

    /// A candidate.
    public init(
        candidate: String,
        sdpMid: String? = nil,
        sdpMLineIndex: Int? = nil,
        usernameFragment: String? = nil
    ) {
        self.candidate = candidate
        self.sdpMid = sdpMid
        self.sdpMLineIndex = sdpMLineIndex
        self.usernameFragment = usernameFragment
    }
}

// MARK: - JSON

extension NegotiationMessage {
    /// The message as JSON: an object with `type` and `call`.
    public var json: JSONValue {
        var members: [String: JSONValue] = ["call": .integer(Int64(self.call))]
        switch self.content {
        case .offer(let sdp, let number, let answered):
            members["sdp"] = .string(sdp)
            members["number"] = .integer(Int64(number))
            members["answered"] = .integer(Int64(answered))
        case .answer(let sdp, let number):
            members["sdp"] = .string(sdp)
            members["number"] = .integer(Int64(number))
        case .candidate(let candidate):
            members["candidate"] = .string(candidate.candidate)
            members["sdpMid"] = candidate.sdpMid.map(JSONValue.string)
            members["sdpMLineIndex"] = candidate.sdpMLineIndex.map { .integer(Int64($0)) }
            members["usernameFragment"] = candidate.usernameFragment.map(JSONValue.string)
        case .endOfCandidates(let usernameFragment):
            members["usernameFragment"] = usernameFragment.map(JSONValue.string)
        case .restart: break
        case .synchronise(let position):
            members["offer"] = position.offer.map { .integer(Int64($0)) }
            members["answered"] = .integer(Int64(position.answered))
            members["wantsReply"] = .bool(position.wantsReply)
        case .bye(let reason): members["reason"] = .string(reason)
        }
        members["type"] = .string(self.type)
        return .object(members)
    }

    /// The message in a JSON value; nil if it is none.
    public init?(_ json: JSONValue) {
        guard let type = json["type"]?.stringValue, let call = json.count("call", from: 1),
            let content = Content(type: type, json)
        else { return nil }
        self.init(call: call, content)
    }

    private var type: String {
        switch self.content {
        case .offer: "offer"
        case .answer: "answer"
        case .candidate: "candidate"
        case .endOfCandidates: "end-of-candidates"
        case .restart: "restart"
        case .synchronise: "synchronise"
        case .bye: "bye"
        }
    }
}

extension NegotiationMessage.Content {
    fileprivate init?(type: String, _ json: JSONValue) {
        switch type {
        case "offer", "answer":
            guard let sdp = json["sdp"]?.stringValue, let number = json.count("number", from: 1) else { return nil }
            let answered = json.count("answered", from: 0) ?? 0
            self =
                type == "answer"
                ? .answer(sdp: sdp, number: number)
                : .offer(sdp: sdp, number: number, answered: answered)
        case "candidate":
            guard let candidate = json["candidate"]?.stringValue else { return nil }
            self = .candidate(
                CandidateMessage(
                    candidate: candidate,
                    sdpMid: json["sdpMid"]?.stringValue,
                    sdpMLineIndex: json["sdpMLineIndex"]?.integerValue,
                    usernameFragment: json["usernameFragment"]?.stringValue
                )
            )
        case "end-of-candidates": self = .endOfCandidates(usernameFragment: json["usernameFragment"]?.stringValue)
        case "restart": self = .restart
        case "synchronise":
            guard let answered = json.count("answered", from: 0) else { return nil }
            let offer = json.count("offer", from: 1)
            guard offer != nil || json["offer"]?.integerValue == nil else { return nil }
            self = .synchronise(
                NegotiationPosition(
                    offer: offer,
                    answered: answered,
                    wantsReply: json["wantsReply"]?.boolValue ?? false
                )
            )
        case "bye": self = .bye(reason: json["reason"]?.stringValue ?? "")
        default: return nil
        }
    }
}

extension JSONValue {
    /// A member that counts, no greater than what every side can count on from: the whole numbers that JavaScript has.
    fileprivate func count(_ name: String, from least: Int) -> Int? {
        guard let number = self[name]?.integerValue, (least...(1 << 53) - 2).contains(number) else { return nil }
        return number
    }
}
