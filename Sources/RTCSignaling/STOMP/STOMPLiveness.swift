import NIOCore
import RTCBase

/// When a connection has to be set up, to say something and to be heard of (STOMP 1.2, Heart-beating).
struct STOMPLiveness: Sendable {
    /// What is due.
    enum Due {
        /// The connection is not set up in time.
        case setUp
        /// The other side was silent for too long.
        case silence
        /// Something must go out.
        case heartbeat
    }

    var setUpDeadline: NIODeadline?
    var lastSent: NIODeadline
    var lastReceived: NIODeadline
    /// How often something must go out; nil for never.
    var sendInterval: TimeAmount?
    /// How long nothing may come in; nil for ever.
    var receiveTimeout: TimeAmount?
    /// Whether the connection is read from: what is not read is no silence of the other side's.
    private(set) var isReading = true

    /// A connection that begins.
    init(setUpWithin timeout: TimeAmount, now: NIODeadline) {
        self.setUpDeadline = now + timeout
        self.lastSent = now
        self.lastReceived = now
    }

    /// Takes over what both sides agreed upon.
    mutating func set(_ agreed: STOMPNegotiation) {
        self.sendInterval = agreed.sendInterval
        self.receiveTimeout = agreed.receiveTimeout
    }

    mutating func setReading(_ isReading: Bool, now: NIODeadline) {
        guard isReading != self.isReading else { return }
        self.isReading = isReading
        self.lastReceived = now
    }

    private var receiveDeadline: NIODeadline? {
        self.isReading ? self.receiveTimeout.map { self.lastReceived + $0 } : nil
    }

    private var sendDeadline: NIODeadline? { self.sendInterval.map { self.lastSent + $0 } }

    var nextTimeout: NIODeadline? { [self.setUpDeadline, self.sendDeadline, self.receiveDeadline].earliest }

    func due(now: NIODeadline) -> Due? {
        if let deadline = self.setUpDeadline, now >= deadline { return .setUp }
        if let deadline = self.receiveDeadline, now >= deadline { return .silence }
        if let deadline = self.sendDeadline, now >= deadline { return .heartbeat }
        return nil
    }
}
