import NIOCore

/// Names a connection to the broker.
public struct STOMPRelayLinkID: Sendable, Hashable {
    let number: UInt64
}

/// What a relay knows of a connection to the broker.
struct STOMPRelayLink: Sendable {
    enum Phase: Sendable {
        /// The transport is not there yet.
        case opening
        /// `CONNECT` was sent.
        case connecting
        case connected
    }

    var phase = Phase.opening
    /// Whose it is; nil for the server's own.
    var client: STOMPConnectionID?
    var reader: STOMPFrameReader
    var version: STOMPVersion
    var connectDeadline: NIODeadline?
    var lastSent: NIODeadline
    var lastReceived: NIODeadline
    var sendInterval: TimeAmount?
    var receiveTimeout: TimeAmount?
    var unsentBytes = 0
    var isReading = true

    var nextTimeout: NIODeadline? {
        [
            self.connectDeadline, self.sendInterval.map { self.lastSent + $0 },
            self.isReading ? self.receiveTimeout.map { self.lastReceived + $0 } : nil,
        ].earliest
    }
}

/// What a relay knows of a client.
struct STOMPRelayClient: Sendable {
    enum Phase: Sendable {
        case connecting
        /// Admitted, and the broker is being connected to.
        case linking
        case connected
        /// It took its leave and waits for the broker's receipt.
        case leaving
        /// It is told nothing more.
        case ending
    }

    var phase = Phase.connecting
    var reader: STOMPFrameReader
    var version = STOMPVersion.v1_0
    var user: String?
    /// The broker's name for the session.
    var session = ""
    var link: STOMPRelayLinkID?
    /// The frame that the owner was asked about.
    var waiting: STOMPFrame?
    /// The subscriptions, by the client's names for them.
    var subscriptions: [String: STOMPRelaySubscription] = [:]
    var unsentBytes = 0
    var lastSent: NIODeadline
    var lastReceived: NIODeadline
    /// When it has to have connected, or to be gone once it took its leave.
    var connectDeadline: NIODeadline?
    var sendInterval: TimeAmount?
    var receiveTimeout: TimeAmount?

    var nextTimeout: NIODeadline? {
        [
            self.connectDeadline, self.sendInterval.map { self.lastSent + $0 },
            self.receiveTimeout.map { self.lastReceived + $0 },
        ].earliest
    }
}

/// A subscription of a client and what it is at the broker.
struct STOMPRelaySubscription: Sendable {
    /// The destination as the client has it.
    var destination: String
    /// Whether the client named it, as only 1.0 need not.
    var hasID: Bool
    /// Its names at the broker: one, or several for a destination of a user.
    var brokerIDs: [String]
    /// Whether the client knows its messages under another destination than the broker.
    var isUser: Bool
}
