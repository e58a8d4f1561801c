/// What a receiver has accepted and dropped.
public struct SRTPReceiverCounters: Sendable, Hashable {
    /// RTP packets accepted.
    public var rtpPackets: UInt64 = 0
    /// RTCP packets accepted.
    public var rtcpPackets: UInt64 = 0
    /// Packets dropped because they had been received before.
    public var replayed: UInt64 = 0
    /// Packets dropped because they were older than the replay window.
    public var tooOld: UInt64 = 0
    /// Packets dropped because their tag was wrong.
    public var authenticationFailed: UInt64 = 0
    /// Packets dropped because they were no packets.
    public var malformed: UInt64 = 0
    /// Packets dropped because their stream's numbers are used up.
    public var keyExpired: UInt64 = 0
    /// Packets dropped because there are too many streams.
    public var tooManyStreams: UInt64 = 0
    /// Packets dropped because they were not protected by Cryptex.
    public var cryptexRequired: UInt64 = 0

    /// Nothing counted yet.
    public init() {}

    /// Packets dropped for whatever reason.
    public var dropped: UInt64 {
        self.replayed + self.tooOld + self.authenticationFailed + self.malformed + self.keyExpired
            + self.tooManyStreams + self.cryptexRequired
    }

    mutating func count(_ failure: SRTPUnprotectFailure) {
        switch failure {
        case .replayed: self.replayed += 1
        case .tooOld: self.tooOld += 1
        case .authenticationFailed: self.authenticationFailed += 1
        case .malformed: self.malformed += 1
        case .keyExpired: self.keyExpired += 1
        case .tooManyStreams: self.tooManyStreams += 1
        case .cryptexRequired: self.cryptexRequired += 1
        }
    }
}

/// What a sender has protected and refused.
public struct SRTPSenderCounters: Sendable, Hashable {
    /// RTP packets protected.
    public var rtpPackets: UInt64 = 0
    /// RTCP packets protected.
    public var rtcpPackets: UInt64 = 0
    /// Packets refused with an ``SRTPProtectError``.
    public var refused: UInt64 = 0

    /// Nothing counted yet.
    public init() {}
}
