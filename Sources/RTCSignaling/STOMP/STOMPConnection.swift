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
    var size: Int { STOMPFrame.size(of: self.headers, self.body) }
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

    var phase = Phase.connecting
    var reader: STOMPFrameReader
    var version = STOMPVersion.v1_0
    var user: String?
    var session: String
    var subscriptions: [String: STOMPSubscription] = [:]
    var transactions: [String: Transaction] = [:]
    var waiting: STOMPFrame?
    var unsentBytes = 0
    var unacknowledgedBytes = 0
    var liveness: STOMPLiveness
}

extension STOMPConnection: STOMPServedClient {
    var isConnecting: Bool { self.phase == .connecting }
    var isHeld: Bool { self.waiting != nil }
    var isHeard: Bool { self.phase != .ending }
    var isTold: Bool { self.phase != .ending }
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
