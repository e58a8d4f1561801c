public import NIOCore

/// The retransmissions of one request over an unreliable transport (RFC 8489 section 6.2.1).
///
/// A value that decides and does not send: the owner sends the request whenever it is told so.
public struct STUNTransaction: Sendable {
    /// How often and how long a request is sent.
    public struct Timing: Sendable, Hashable {
        /// RTO: the first interval, doubled after each transmission. Default 500 ms.
        public var initialInterval: TimeAmount
        /// Rc: how many times the request is sent in all. Default 7.
        public var transmissions: Int
        /// Rm: how many times ``initialInterval`` to wait after the last transmission. Default 16.
        public var finalWait: Int

        /// Timing; the defaults are those of RFC 8489 section 6.2.1.
        public init(initialInterval: TimeAmount = .milliseconds(500), transmissions: Int = 7, finalWait: Int = 16) {
            self.initialInterval = initialInterval
            self.transmissions = transmissions
            self.finalWait = finalWait
        }
    }

    /// What to do when the time has come.
    public enum Action: Sendable, Hashable {
        /// Nothing yet.
        case wait
        /// Send the request once more.
        case retransmit
        /// Give up: no answer came.
        case fail
    }

    /// The transaction's ID.
    public let id: STUNTransactionID
    /// The request, as sent each time.
    public let request: ByteBuffer
    /// When it was first sent.
    public let startedAt: NIODeadline
    /// How many times it was sent.
    public private(set) var transmissionCount = 1
    /// When to call ``handleTimeout(now:)`` next; `nil` once it failed or stopped.
    public private(set) var nextTimeout: NIODeadline?

    private let timing: Timing

    /// A transaction whose request is sent now.
    public init(id: STUNTransactionID, request: ByteBuffer, timing: Timing = Timing(), now: NIODeadline) {
        self.id = id
        self.request = request
        self.timing = timing
        self.startedAt = now
        self.nextTimeout = now + Self.interval(after: 1, timing)
    }

    /// Decides what is due.
    public mutating func handleTimeout(now: NIODeadline) -> Action {
        guard let due = self.nextTimeout, due <= now else { return .wait }
        guard self.transmissionCount < self.timing.transmissions else {
            self.nextTimeout = nil
            return .fail
        }
        self.transmissionCount += 1
        self.nextTimeout = now + Self.interval(after: self.transmissionCount, self.timing)
        return .retransmit
    }

    /// Stops sending, and keeps waiting for an answer until the time it would have failed anyhow, `wait` at most.
    public mutating func stopRetransmitting(now: NIODeadline, waitAtMost wait: TimeAmount) {
        guard self.nextTimeout != nil else { return }
        self.transmissionCount = max(self.transmissionCount, self.timing.transmissions)
        self.nextTimeout = now + wait
    }

    private static func interval(after transmissions: Int, _ timing: Timing) -> TimeAmount {
        transmissions >= timing.transmissions
            ? timing.initialInterval * timing.finalWait
            : timing.initialInterval * (1 << min(transmissions - 1, 16))
    }
}
