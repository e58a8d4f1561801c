/// What a client tells the server: one JSON object in each message of the channel.
enum ClientFrame: Sendable, Hashable {
    /// The first frame: to become a member.
    case join(JoinRequest)
    /// The first frame on a new channel: to go on as a member.
    case resume(ResumeRequest)
    /// A message to others; the number rises by one from 1.
    case send(number: Int, to: RoomMemberID?, message: JSONValue)
    /// All of the server's frames up to that number have come.
    case acknowledge(received: Int)
    /// To be no member any more.
    case leave

    init?(_ text: String) {
        guard let json = JSONValue(parsing: text), let type = json["type"]?.stringValue else { return nil }
        switch type {
        case "join":
            guard let request = JoinRequest(json) else { return nil }
            self = .join(request)
        case "resume":
            guard let request = ResumeRequest(json) else { return nil }
            self = .resume(request)
        case "send":
            guard let number = json["number"]?.integerValue, number > 0, let message = json["message"],
                message["type"]?.stringValue != nil
            else { return nil }
            var to: RoomMemberID?
            if let text = json["to"] {
                guard let id = text.stringValue.flatMap(RoomMemberID.init) else { return nil }
                to = id
            }
            self = .send(number: number, to: to, message: message)
        case "ack":
            guard let received = json["received"]?.integerValue, received >= 0 else { return nil }
            self = .acknowledge(received: received)
        case "leave": self = .leave
        default: return nil
        }
    }

    var text: String {
        switch self {
        case .join(let request): return request.json.text
        case .resume(let request): return request.json.text
        case .send(let number, let to, let message):
            var json: [String: JSONValue] = ["type": "send", "number": .integer(Int64(number)), "message": message]
            json["to"] = to.map { .string($0.text) }
            return JSONValue.object(json).text
        case .acknowledge(let received):
            return JSONValue.object(["type": "ack", "received": .integer(Int64(received))]).text
        case .leave: return #"{"type":"leave"}"#
        }
    }
}

/// What a client says to become a member.
struct JoinRequest: Sendable, Hashable {
    var room: String
    var metadata: JSONValue
    /// What the application gave it to prove who it is.
    var credential: String?

    init(room: String, metadata: JSONValue, credential: String?) {
        self.room = room
        self.metadata = metadata
        self.credential = credential
    }

    init?(_ json: JSONValue) {
        guard let room = json["room"]?.stringValue else { return nil }
        let metadata = json["metadata"] ?? [:]
        guard metadata.objectValue != nil else { return nil }
        self.init(room: room, metadata: metadata, credential: json["credential"]?.stringValue)
    }

    var json: JSONValue {
        var members: [String: JSONValue] = ["type": "join", "room": .string(self.room), "metadata": self.metadata]
        members["credential"] = self.credential.map(JSONValue.string)
        return .object(members)
    }
}

/// What a client says to go on as a member.
struct ResumeRequest: Sendable, Hashable {
    var member: RoomMemberID
    /// The secret it got when it joined.
    var token: String
    /// The number of the last of the server's frames that came.
    var received: Int

    init(member: RoomMemberID, token: String, received: Int) {
        self.member = member
        self.token = token
        self.received = received
    }

    init?(_ json: JSONValue) {
        guard let member = json["member"]?.stringValue.flatMap(RoomMemberID.init),
            let token = json["token"]?.stringValue, let received = json["received"]?.integerValue, received >= 0
        else { return nil }
        self.init(member: member, token: token, received: received)
    }

    var json: JSONValue {
        [
            "type": "resume", "member": .string(self.member.text), "token": .string(self.token),
            "received": .integer(Int64(self.received)),
        ]
    }
}
