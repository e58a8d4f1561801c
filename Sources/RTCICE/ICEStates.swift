/// Which agent nominates (RFC 8445 section 6.1.1).
public enum ICERole: Sendable, Hashable {
    /// Nominates.
    case controlling
    /// Waits for nomination.
    case controlled

    var opposite: ICERole { self == .controlling ? .controlled : .controlling }
}

/// How far an agent has come (W3C `RTCIceTransportState`).
public enum ICEConnectionState: String, Sendable, Hashable {
    /// Waiting for the peer's credentials and candidates.
    case new
    /// Checking pairs, none usable yet.
    case checking
    /// A pair is in use; better ones may still come.
    case connected
    /// A pair is nominated and no more candidates will come from either side.
    case completed
    /// Nothing was heard from the peer for a while; this may pass by itself.
    case disconnected
    /// No pair works, or consent has expired. Only a restart leads out.
    case failed
    /// ``ICEAgent/close()`` was called.
    case closed
}

/// How far gathering has come (W3C `RTCIceGathererState`).
public enum ICEGatheringState: String, Sendable, Hashable {
    /// Gathering has not begun.
    case new
    /// Candidates are being collected.
    case gathering
    /// All candidates are there.
    case complete
}

/// Why a candidate pair does not work.
public enum ICEPairFailure: Sendable, Hashable {
    /// No check was answered.
    case noAnswer
    /// The peer refused a check with this STUN error code.
    case refused(code: Int)
    /// The answer came another way than the check went (RFC 8445 section 7.2.5.2.1).
    case notSymmetric
    /// The TCP connection could not be made, or was closed.
    case connectionClosed
    /// No check was answered, and the system said why the last of them could not be sent.
    case notSent(ICESendFailure)
}

/// Why a datagram could not be sent.
public enum ICESendFailure: Sendable, Hashable {
    /// It is too large for the path's first link (EMSGSIZE).
    case tooLarge
    /// There is no route to the address, or nobody answers there on the own network (ENETUNREACH, EHOSTUNREACH).
    case unreachable
    /// The host says that nobody listens at the port (ECONNREFUSED, from an ICMP message).
    case refused
    /// Another reason: a firewall of this host, for example.
    case other
}

/// The state of a candidate pair's check (RFC 8445 section 6.1.2.6).
public enum ICECandidatePairState: String, Sendable, Hashable {
    /// Not to be checked before another one of the same foundation.
    case frozen
    /// To be checked in its turn.
    case waiting
    /// Being checked.
    case inProgress = "in-progress"
    /// The check was answered.
    case succeeded
    /// The check was refused, or never answered.
    case failed
}
