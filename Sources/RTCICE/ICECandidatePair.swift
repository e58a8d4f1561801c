public import RTCBase

/// A local and a remote candidate between which datagrams may flow (RFC 8445 section 6.1.2).
public struct ICECandidatePair: Sendable, Hashable {
    /// The local candidate.
    public var local: ICECandidate
    /// The remote candidate; its address is always an IP address.
    public var remote: ICECandidate
    /// The priority; both agents compute the same.
    public var priority: UInt64

    public init(local: ICECandidate, remote: ICECandidate, priority: UInt64) {
        self.local = local
        self.remote = remote
        self.priority = priority
    }

    /// The priority of a pair (RFC 8445 section 6.1.2.3).
    public static func priority(controlling: UInt32, controlled: UInt32) -> UInt64 {
        UInt64(min(controlling, controlled)) << 32 &+ 2 * UInt64(max(controlling, controlled))
            &+ (controlling > controlled ? 1 : 0)
    }
}

/// Where datagrams of a pair go: from a local base to a remote address.
public struct ICEPath: Sendable, Hashable {
    /// The local address datagrams are sent from and arrive at.
    public let base: TransportAddress
    /// The peer's address.
    public let remote: TransportAddress

    public init(base: TransportAddress, remote: TransportAddress) {
        self.base = base
        self.remote = remote
    }
}
