internal import NIOCore
internal import RTCBase
internal import RTCSTUN

/// A pair on a checklist, and all that is known of it.
final class ICECheckPair {
    let path: ICEPath
    let generation: Int
    var local: ICECandidate
    var remote: ICECandidate
    var priority: UInt64 = 0
    var state = ICECandidatePairState.frozen
    /// The check under way.
    var transaction: STUNTransactionID?
    var lastCheckAt: NIODeadline?
    var isQueued = false

    /// Why the last check failed.
    var failure: ICEPairFailure?
    /// Why the last datagram could not be sent, unless an answer has come since.
    var sendFailure: ICESendFailure?
    /// How many could not be sent since the last answer.
    var sendFailuresInARow = 0
    var isNominated = false
    /// The peer nominated it before our own check of it succeeded.
    var awaitsNomination = false
    /// The peer's first check of it nominated already.
    var isAggressivelyNominated = false
    /// The peer's latest check nominated.
    var lastRequestNominated = false

    /// When the peer last checked this pair.
    var lastRequestAt: NIODeadline?
    var lastHeardAt: NIODeadline?
    var lastAnswerAt: NIODeadline?
    /// When the first check was sent that no answer has come for.
    var unansweredSince: NIODeadline?
    var nextConsentAt: NIODeadline?
    var nextProbeAt: NIODeadline?

    var statistics = Figures()

    /// The counting part of ``ICECandidatePairStatistics``.
    struct Figures {
        var packetsSent: UInt64 = 0
        var packetsReceived: UInt64 = 0
        var bytesSent: UInt64 = 0
        var bytesReceived: UInt64 = 0
        var lastPacketSent: NIODeadline?
        var lastPacketReceived: NIODeadline?
        var requestsSent: UInt64 = 0
        var requestsReceived: UInt64 = 0
        var responsesSent: UInt64 = 0
        var responsesReceived: UInt64 = 0
        var consentRequestsSent: UInt64 = 0
        var sendFailures: UInt64 = 0
        var totalRoundTripTime: TimeAmount = .zero
        var roundTripTimeMeasurements: UInt64 = 0
        var currentRoundTripTime: TimeAmount?
    }

    init(path: ICEPath, generation: Int, local: ICECandidate, remote: ICECandidate) {
        self.path = path
        self.generation = generation
        self.local = local
        self.remote = remote
    }

    var isTCP: Bool { self.path.base.transport == .tcp }
    var isRelayed: Bool { self.local.type == .relayed || self.remote.type == .relayed }

    var foundation: PairFoundation {
        PairFoundation(local: self.local.foundation, remote: self.remote.foundation)
    }

    var publicPair: ICECandidatePair {
        ICECandidatePair(local: self.local, remote: self.remote, priority: self.priority)
    }

    func updatePriority(role: ICERole) {
        self.priority =
            role == .controlling
            ? ICECandidatePair.priority(controlling: self.local.priority, controlled: self.remote.priority)
            : ICECandidatePair.priority(controlling: self.remote.priority, controlled: self.local.priority)
    }
}

struct PairFoundation: Hashable {
    var local: String
    var remote: String
}
