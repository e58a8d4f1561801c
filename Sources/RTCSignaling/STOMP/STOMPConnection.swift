import NIOCore

/// Where a subscription is.
struct STOMPSubscriptionKey: Sendable, Hashable {
    var connection: STOMPConnectionID
    var id: String
}

/// A message on its way to subscribers.
struct STOMPMessage: Sendable {
    var destination: String
    var headers: [STOMPFrame.Header]
    var body: ByteBuffer
    /// How often it was given out.
    var deliveries = 0

    /// What it counts for in limits, in bytes.
    var size: Int {
        self.headers.reduce(64 + self.body.readableBytes) { $0 + $1.name.utf8.count + $1.value.utf8.count }
    }
}

extension STOMPMessage {
    /// Headers of a `SEND` that concern the broker only.
    private static let ownHeaders: Set = [
        "destination", "receipt", "transaction", "content-length", "message-id", "subscription", "ack",
    ]

    /// What a `SEND` sends; nil if it names no destination.
    init?(_ frame: STOMPFrame) {
        guard let destination = frame["destination"] else { return nil }
        let headers = frame.headers.filter { !Self.ownHeaders.contains($0.name) }
        self.init(destination: destination, headers: headers, body: frame.body)
    }
}

/// A subscription of a connection.
struct STOMPSubscription: Sendable {
    enum AckMode: String, Sendable {
        case auto
        /// An acknowledgement is one of all messages before, too.
        case client
        case clientIndividual = "client-individual"
    }

    /// A message that waits to be acknowledged.
    struct Delivery: Sendable {
        var id: String
        var message: STOMPMessage
    }

    var destination: String
    var ackMode: AckMode
    /// Whether the client named it, as only 1.0 need not.
    var hasID: Bool
    var unacknowledged: [Delivery] = []
}

/// What a broker knows of a client.
struct STOMPConnection: Sendable {
    enum Phase: Sendable {
        case connecting
        case connected
        /// An error was sent, or it took its leave.
        case ending
    }

    /// What was done in a transaction, until it is committed.
    struct Transaction: Sendable {
        var frames: [STOMPFrame] = []
        var bytes = 0
    }

    /// A frame that waits for the owner's answer.
    struct Waiting: Sendable {
        var frame: STOMPFrame
        var isConnect: Bool
    }

    var phase = Phase.connecting
    var reader: STOMPFrameReader
    var version = STOMPVersion.v1_0
    var user: String?
    var session: String
    var subscriptions: [String: STOMPSubscription] = [:]
    var transactions: [String: Transaction] = [:]
    var waiting: Waiting?
    var unsentBytes = 0
    var unacknowledgedBytes = 0
    var lastSent: NIODeadline
    var lastReceived: NIODeadline
    var connectDeadline: NIODeadline?
    /// How often something must go out; nil for never.
    var sendInterval: TimeAmount?
    /// How long nothing may come in; nil for ever.
    var receiveTimeout: TimeAmount?

    var nextTimeout: NIODeadline? {
        [
            self.connectDeadline, self.sendInterval.map { self.lastSent + $0 },
            self.receiveTimeout.map { self.lastReceived + $0 },
        ].earliest
    }
}

/// A queue: each message goes to one subscriber.
struct STOMPQueue: Sendable {
    var waiting = CircularBuffer<STOMPMessage>()
    var bytes = 0
    var subscribers: [STOMPSubscriptionKey] = []
    /// Whose turn it is.
    var next = 0
}

/// What a transaction is about to put into a queue.
struct PlannedMessages {
    var count = 0
    var bytes = 0
}
