/// How much a server takes of a member: messages and bytes, in the long run and at once.
struct SendingLimits: Sendable, Hashable {
    /// Messages each second.
    var messageRate: Int
    /// Messages at once.
    var messageBurst: Int
    /// Bytes each second.
    var byteRate: Int
    /// Bytes at once.
    var byteBurst: Int

    init(_ configuration: RoomConfiguration) {
        self.messageRate = configuration.messageRate
        self.messageBurst = configuration.messageBurst
        self.byteRate = configuration.byteRate
        self.byteBurst = configuration.byteBurst
    }

    /// Nil unless all four are there and something may be sent at all.
    init?(_ json: JSONValue) {
        guard let messageRate = json["messageRate"]?.integerValue,
            let messageBurst = json["messageBurst"]?.integerValue,
            let byteRate = json["byteRate"]?.integerValue, let byteBurst = json["byteBurst"]?.integerValue,
            min(messageRate, messageBurst, byteRate, byteBurst) > 0
        else { return nil }
        self.messageRate = messageRate
        self.messageBurst = messageBurst
        self.byteRate = byteRate
        self.byteBurst = byteBurst
    }

    var json: JSONValue {
        [
            "messageRate": .integer(Int64(self.messageRate)), "messageBurst": .integer(Int64(self.messageBurst)),
            "byteRate": .integer(Int64(self.byteRate)), "byteBurst": .integer(Int64(self.byteBurst)),
        ]
    }
}
