/// What the server tells a client: one JSON object in each message of the channel.
enum ServerFrame: Sendable, Hashable {
    /// The client is a member.
    case welcome(Welcome)
    /// The client goes on as a member; the server has its messages up to that number, and what the client missed follows.
    case resumed(received: Int)
    /// The client is no member any more; it may join on the same channel.
    case lost(RoomLoss)
    /// All of the client's messages up to that number have come.
    case acknowledge(received: Int)
    /// The client is refused, and the channel closed.
    case refused(RoomRefusal)
    /// Something that happened in the room; the number rises by one from 1. Nil for what is not known here.
    case numbered(Int, RoomOccurrence?)
    /// A type without number that is not known here.
    case unknown

    init?(_ text: String) {
        guard let json = JSONValue(parsing: text), let type = json["type"]?.stringValue else { return nil }
        switch type {
        case "welcome":
            guard let welcome = Welcome(json) else { return nil }
            self = .welcome(welcome)
        case "resumed", "ack":
            guard let received = json["received"]?.integerValue, received >= 0 else { return nil }
            self = type == "ack" ? .acknowledge(received: received) : .resumed(received: received)
        case "lost": self = .lost(json["reason"]?.stringValue.flatMap(RoomLoss.init) ?? .unknown)
        case "refused":
            let code = json["code"]?.stringValue.flatMap(RoomRefusal.Code.init) ?? .other
            self = .refused(RoomRefusal(code, json["reason"]?.stringValue ?? ""))
        default:
            let isKnown = RoomOccurrence.types.contains(type)
            guard isKnown || json["number"] != nil else {
                self = .unknown
                return
            }
            let occurrence = RoomOccurrence(type: type, json)
            guard let number = json["number"]?.integerValue, number > 0, occurrence != nil || !isKnown else {
                return nil
            }
            self = .numbered(number, occurrence)
        }
    }

    var text: String {
        switch self {
        case .welcome(let welcome): return welcome.json.text
        case .resumed(let received): return #"{"type":"resumed","received":\#(received)}"#
        case .lost(let loss): return #"{"type":"lost","reason":"\#(loss.rawValue)"}"#
        case .acknowledge(let received): return #"{"type":"ack","received":\#(received)}"#
        case .refused(let refusal):
            let json: JSONValue = [
                "type": "refused", "code": .string(refusal.code.rawValue), "reason": .string(refusal.reason),
            ]
            return json.text
        case .numbered(let number, let occurrence):
            return Self.text(number: number, tail: occurrence?.tail ?? #""type":"unknown"}"#)
        case .unknown: return #"{"type":"unknown"}"#
        }
    }

    /// A numbered frame. All but the number is the same for all who get it, and is made once.
    static func text(number: Int, tail: String) -> String { #"{"number":\#(number),\#(tail)"# }
}

/// What happens in a room.
enum RoomOccurrence: Sendable, Hashable {
    case joined(RoomMember)
    case left(RoomMemberID, RoomLeaveReason)
    case message(from: RoomMemberID, JSONValue)

    static let types: Set<String> = ["joined", "left", "message"]

    init?(type: String, _ json: JSONValue) {
        switch type {
        case "joined":
            guard let member = json["member"].flatMap(RoomMember.init) else { return nil }
            self = .joined(member)
        case "left":
            guard let id = json["member"]?.stringValue.flatMap(RoomMemberID.init) else { return nil }
            self = .left(id, json["reason"]?.stringValue.flatMap(RoomLeaveReason.init) ?? .left)
        case "message":
            guard let from = json["from"]?.stringValue.flatMap(RoomMemberID.init), let message = json["message"] else {
                return nil
            }
            self = .message(from: from, message)
        default: return nil
        }
    }

    /// The frame without its brace and its number.
    var tail: String {
        switch self {
        case .joined(let member): return #""type":"joined","member":\#(member.json.text)}"#
        case .left(let id, let reason): return #""type":"left","member":"\#(id)","reason":"\#(reason.rawValue)"}"#
        case .message(let from, let message): return #""type":"message","from":"\#(from)","message":\#(message.text)}"#
        }
    }
}

/// What a new member is told.
struct Welcome: Sendable, Hashable {
    var member: RoomMemberID
    /// What the others are told of it.
    var metadata: JSONValue
    /// The secret to come back with.
    var token: String
    /// The others.
    var members: [RoomMember]
    /// How long the server keeps the place of a member without a channel.
    var resumeMilliseconds: Int
    /// How much the server takes; nil if it does not say.
    var limits: SendingLimits?

    init(
        member: RoomMemberID,
        metadata: JSONValue,
        token: String,
        members: [RoomMember],
        resumeMilliseconds: Int,
        limits: SendingLimits?
    ) {
        self.member = member
        self.metadata = metadata
        self.token = token
        self.members = members
        self.resumeMilliseconds = resumeMilliseconds
        self.limits = limits
    }

    init?(_ json: JSONValue) {
        guard let member = json["member"]?.stringValue.flatMap(RoomMemberID.init),
            let token = json["token"]?.stringValue, let members = json["members"]?.arrayValue,
            let resume = json["resumeMilliseconds"]?.integerValue, resume >= 0
        else { return nil }
        let known = members.compactMap(RoomMember.init)
        guard known.count == members.count else { return nil }
        self.init(
            member: member,
            metadata: json["metadata"] ?? [:],
            token: token,
            members: known,
            resumeMilliseconds: resume,
            limits: json["limits"].flatMap(SendingLimits.init)
        )
    }

    var json: JSONValue {
        var json: [String: JSONValue] = [
            "type": "welcome", "member": .string(self.member.text), "metadata": self.metadata,
            "token": .string(self.token),
            "members": .array(self.members.map(\.json)), "resumeMilliseconds": .integer(Int64(self.resumeMilliseconds)),
        ]
        json["limits"] = self.limits?.json
        return .object(json)
    }
}
