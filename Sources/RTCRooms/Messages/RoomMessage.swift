/// What members of a room send each other.
public enum RoomMessage: Sendable, Hashable {
    /// About the connection between the two.
    case negotiation(NegotiationMessage)
    /// Data of the application.
    case data(JSONValue)

    /// The message as JSON: an object with a `type`, which is `data` for data of the application.
    public var json: JSONValue {
        switch self {
        case .negotiation(let message): message.json
        case .data(let data): ["type": "data", "data": data]
        }
    }

    /// The message in a JSON value; nil if it is none that is known here.
    public init?(_ json: JSONValue) {
        if json["type"]?.stringValue == "data" {
            self = .data(json["data"] ?? .null)
        } else {
            guard let message = NegotiationMessage(json) else { return nil }
            self = .negotiation(message)
        }
    }
}

/// Whom a message is for.
public enum RoomRecipient: Sendable, Hashable {
    /// All members but the sender.
    case everyone
    /// One member; nobody if it is gone.
    case member(RoomMemberID)
}
