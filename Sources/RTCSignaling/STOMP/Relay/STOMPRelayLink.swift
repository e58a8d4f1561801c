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
    var liveness: STOMPLiveness
    var unsentBytes = 0
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
    /// When it has to have connected, or to be gone once it took its leave, and its heart-beats.
    var liveness: STOMPLiveness
}

extension STOMPRelayClient: STOMPServedClient {
    var isConnecting: Bool { self.phase == .connecting }
    var isHeld: Bool { self.waiting != nil || self.phase == .linking }
    /// Nothing comes behind a leave.
    var isHeard: Bool { self.phase != .leaving }
    var isTold: Bool { true }
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
