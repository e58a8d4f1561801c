public import NIOCore

/// The figures of one pair (W3C webrtc-stats, `RTCIceCandidatePairStats`).
public struct ICECandidatePairStatistics: Sendable {
    /// The pair.
    public var pair: ICECandidatePair
    /// The state of its check.
    public var state: ICECandidatePairState
    /// Why its last check failed; `nil` if none did.
    public var failure: ICEPairFailure?
    /// Whether it was nominated.
    public var isNominated = false
    /// Whether it is the selected one.
    public var isSelected = false
    /// Application datagrams sent, as told by ``ICEAgent/noteSent(bytes:packets:remote:base:now:)``.
    public var packetsSent: UInt64 = 0
    /// Application datagrams received.
    public var packetsReceived: UInt64 = 0
    /// Bytes of the application datagrams sent.
    public var bytesSent: UInt64 = 0
    /// Bytes of the application datagrams received.
    public var bytesReceived: UInt64 = 0
    /// When application data last went out.
    public var lastPacketSent: NIODeadline?
    /// When application data last came in.
    public var lastPacketReceived: NIODeadline?
    /// Checks sent, repetitions included.
    public var requestsSent: UInt64 = 0
    /// Checks received.
    public var requestsReceived: UInt64 = 0
    /// Answers sent.
    public var responsesSent: UInt64 = 0
    /// Answers received.
    public var responsesReceived: UInt64 = 0
    /// Checks sent to keep consent fresh (RFC 7675); they do not count as ``requestsSent``.
    public var consentRequestsSent: UInt64 = 0
    /// Checks that the system could not send, as told by ``ICEAgent/sendFailed(_:remote:base:now:)``.
    public var sendFailures: UInt64 = 0
    /// The sum of all measured round-trip times; divide by ``roundTripTimeMeasurements``.
    public var totalRoundTripTime: TimeAmount = .zero
    /// How many round-trip times were measured.
    public var roundTripTimeMeasurements: UInt64 = 0
    /// The latest round-trip time.
    public var currentRoundTripTime: TimeAmount?
}

/// What an agent refused, and why.
public struct ICECounters: Sendable, Hashable {
    /// Datagrams that are no STUN messages, or broken ones.
    public var malformed: UInt64 = 0
    /// Requests whose USERNAME is missing or not ours.
    public var unknownUsername: UInt64 = 0
    /// Messages whose integrity code is missing or wrong.
    public var badIntegrity: UInt64 = 0
    /// Responses that no request of ours waits for, or that came from the wrong place.
    public var unexpectedResponses: UInt64 = 0
    /// Messages that are neither binding requests nor answers to ours.
    public var ignored: UInt64 = 0
    /// Remote candidates that are of no use: another component or protocol, no port, an impossible address, a stale
    /// ufrag.
    public var uselessCandidates: UInt64 = 0
    /// Candidates, pairs and early checks beyond the limits.
    public var overLimit: UInt64 = 0
    /// Role conflicts resolved.
    public var roleConflicts: UInt64 = 0
}
