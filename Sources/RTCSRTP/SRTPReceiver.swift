/// Unprotects the RTP and RTCP packets of one direction of a DTLS association (RFC 3711, RFC 7714).
///
/// A value of one thread: not `Sendable`, without locks. Nothing the network sends throws or traps; what is not acceptable
/// is counted and named. It allocates when it accepts the first packet of an SSRC, and never for another one; packets that
/// fail leave no trace but in ``counters``.
public final class SRTPReceiver {
    /// How packets are protected.
    public let profile: SRTPProfile
    /// What was accepted and dropped.
    public private(set) var counters = SRTPReceiverCounters()

    let engine: any SRTPReceivingEngine
    private let cryptex: SRTPConfiguration.Cryptex

    /// A receiver.
    ///
    /// - Parameters:
    ///   - profile: What DTLS negotiated.
    ///   - masterKey: The peer's write key and salt.
    ///   - configuration: Engine, limits, replay window and Cryptex.
    /// - Throws: ``SRTPError/Code/invalidKeyLength``, ``SRTPError/Code/invalidConfiguration``, or
    ///   ``SRTPError/Code/library``.
    public init(
        profile: SRTPProfile,
        masterKey: SRTPMasterKey,
        configuration: SRTPConfiguration = SRTPConfiguration()
    ) throws(SRTPError) {
        try configuration.validate()
        try masterKey.validate(for: profile)
        self.profile = profile
        self.cryptex = configuration.cryptex
        switch configuration.engine {
        case .libsrtp:
            self.engine = try LibSRTPReceivingEngine(profile, masterKey, configuration)
        case .openSSL where profile.isAEAD:
            self.engine = try TransformReceivingEngine<GCMTransform>(profile, masterKey, configuration)
        case .openSSL:
            self.engine = try TransformReceivingEngine<CounterModeTransform>(profile, masterKey, configuration)
        }
    }

    init(
        profile: SRTPProfile,
        engine: any SRTPReceivingEngine,
        cryptex: SRTPConfiguration.Cryptex = .disabled
    ) {
        self.profile = profile
        self.engine = engine
        self.cryptex = cryptex
    }

    /// Unprotects an SRTP packet where it stands.
    ///
    /// With Cryptex the header extension comes back as RFC 8285 knows it; the empty one that a sender adds to a packet
    /// without any stays.
    ///
    /// - Returns: The RTP packet's length, or why there is none.
    public func unprotectRTP(_ packet: UnsafeMutableRawBufferPointer) -> SRTPUnprotectResult {
        let failure: SRTPUnprotectFailure?
        let tag = self.profile.rtpTagLength
        let length = packet.count - tag
        if length >= RTPLayout.fixedHeaderLength, let base = packet.baseAddress,
            let layout = RTPLayout(UnsafeRawBufferPointer(rebasing: packet[..<length]))
        {
            if self.cryptex == .required, layout.showsHeader {
                failure = .cryptexRequired
            } else {
                failure = self.engine.unprotectRTP(layout, base, count: packet.count)
            }
        } else {
            failure = .malformed
        }
        guard let failure else {
            self.counters.rtpPackets &+= 1
            return .packet(length: length)
        }
        self.counters.count(failure)
        return .failure(failure)
    }

    /// Unprotects an SRTCP packet where it stands.
    ///
    /// A packet that its sender authenticated without encrypting it (the E flag of RFC 3711 section 3.4 is 0) is accepted
    /// by the ``SRTPConfiguration/Engine/openSSL`` engine.
    ///
    /// - Returns: The compound RTCP packet's length, or why there is none.
    public func unprotectRTCP(_ packet: UnsafeMutableRawBufferPointer) -> SRTPUnprotectResult {
        let failure: SRTPUnprotectFailure?
        let length = packet.count - self.profile.rtcpOverhead
        if length >= RTCPLayout.headerLength, let base = packet.baseAddress,
            RTCPLayout.isRTCP(UnsafeRawBufferPointer(packet))
        {
            failure = self.engine.unprotectRTCP(base, count: packet.count)
        } else {
            failure = .malformed
        }
        guard let failure else {
            self.counters.rtcpPackets &+= 1
            return .packet(length: length)
        }
        self.counters.count(failure)
        return .failure(failure)
    }
}
