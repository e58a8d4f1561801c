/// Protects the RTP and RTCP packets of one direction of a DTLS association (RFC 3711, RFC 7714).
///
/// A value of one thread: not `Sendable`, without locks. It allocates when it meets an SSRC first, and never for a packet.
///
/// Sequence numbers may come in any order within 2^15 of a stream's newest, and may repeat: a retransmission protects to the
/// same bytes. What repeats a sequence number must repeat the whole packet; another payload under the same number would
/// give both away (RFC 3711 section 9.1). A stream should begin below 2^15: a receiver that misses the first packets before
/// an early rollover cannot know of it.
public final class SRTPSender {
    /// How packets are protected.
    public let profile: SRTPProfile
    /// What was protected and refused.
    public private(set) var counters = SRTPSenderCounters()
    /// The most that protecting adds to an RTP packet, in bytes: the tag, and with Cryptex four bytes for packets that have
    /// contributing sources and no header extension.
    public let rtpOverhead: Int
    /// What protecting adds to an RTCP packet, in bytes.
    public var rtcpOverhead: Int { self.profile.rtcpOverhead }

    let engine: any SRTPSendingEngine
    /// How many packets the key may protect (RFC 3711 section 9.2).
    var rtpLifetime: UInt64 = 1 << 48
    var rtcpLifetime: UInt64 = 1 << 31
    private let cryptex: Bool

    /// A sender.
    ///
    /// - Parameters:
    ///   - profile: What DTLS negotiated.
    ///   - masterKey: This side's write key and salt.
    ///   - configuration: Engine, limits and Cryptex.
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
        self.cryptex = configuration.cryptex != .disabled
        self.rtpOverhead = profile.rtpTagLength + (self.cryptex ? 4 : 0)
        switch configuration.engine {
        case .libsrtp:
            self.engine = try LibSRTPSendingEngine(profile, masterKey, configuration)
        case .openSSL where profile.isAEAD:
            self.engine = try TransformSendingEngine<GCMTransform>(profile, masterKey, configuration)
        case .openSSL:
            self.engine = try TransformSendingEngine<CounterModeTransform>(profile, masterKey, configuration)
        }
    }

    init(profile: SRTPProfile, engine: any SRTPSendingEngine, cryptex: Bool = false) {
        self.profile = profile
        self.engine = engine
        self.cryptex = cryptex
        self.rtpOverhead = profile.rtpTagLength + (cryptex ? 4 : 0)
    }

    /// Protects an RTP packet where it stands.
    ///
    /// - Parameters:
    ///   - buffer: The packet, with at least ``rtpOverhead`` bytes of room behind it.
    ///   - length: The packet's length.
    /// - Returns: The protected packet's length.
    /// - Throws: ``SRTPProtectError``; the packet is then undefined after ``SRTPProtectError/library``, else untouched.
    public func protectRTP(
        in buffer: UnsafeMutableRawBufferPointer,
        length: Int
    ) throws(SRTPProtectError) -> Int {
        guard length >= 0, length <= buffer.count else { throw self.refuse(.bufferTooSmall) }
        return try self.protectRTP(UnsafeRawBufferPointer(rebasing: buffer[..<length]), into: buffer)
    }

    /// Protects an RTP packet into another buffer, in one pass: reading and encrypting are one. For forwarding the same
    /// packet to several receivers, straight into each one's batch.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - destination: Where the protected packet goes: at least ``rtpOverhead`` bytes more than the packet. It either
    ///     begins where `packet` begins or has nothing in common with it.
    /// - Returns: The protected packet's length.
    /// - Throws: ``SRTPProtectError``.
    public func protectRTP(
        _ packet: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(SRTPProtectError) -> Int {
        guard let layout = RTPLayout(packet) else { throw self.refuse(.malformed) }
        return try self.protectRTP(
            layout,
            header: packet,
            payload: UnsafeRawBufferPointer(rebasing: packet[layout.headerLength...]),
            into: destination
        )
    }

    /// Protects an RTP packet whose header and payload stand apart, in one pass. For forwarding a payload behind a header
    /// that was rewritten for one receiver.
    ///
    /// - Parameters:
    ///   - header: The RTP header: with contributing sources and header extension, and nothing behind.
    ///   - payload: What follows it.
    ///   - destination: Where the protected packet goes: at least ``rtpOverhead`` bytes more than both. It has nothing in
    ///     common with either.
    /// - Returns: The protected packet's length.
    /// - Throws: ``SRTPProtectError``.
    public func protectRTP(
        header: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(SRTPProtectError) -> Int {
        guard let layout = RTPLayout(header), layout.headerLength == header.count else {
            throw self.refuse(.malformed)
        }
        return try self.protectRTP(layout, header: header, payload: payload, into: destination)
    }

    private func protectRTP(
        _ layout: RTPLayout,
        header: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(SRTPProtectError) -> Int {
        guard payload.count <= RTPLayout.maximumLength else { throw self.refuse(.malformed) }
        var length = layout.headerLength + payload.count + self.profile.rtpTagLength
        if self.cryptex, layout.needsExtensionForCryptex { length += 4 }
        guard let header = header.baseAddress, let base = destination.baseAddress, destination.count >= length else {
            throw self.refuse(.bufferTooSmall)
        }
        guard self.counters.rtpPackets < self.rtpLifetime else { throw self.refuse(.keyExpired) }
        if let error = self.engine.protectRTP(layout, header: header, payload: payload, into: base) {
            throw self.refuse(error)
        }
        self.counters.rtpPackets &+= 1
        return length
    }

    /// Protects a compound RTCP packet where it stands.
    ///
    /// - Parameters:
    ///   - buffer: The packet, with at least ``rtcpOverhead`` bytes of room behind it.
    ///   - length: The packet's length.
    /// - Returns: The protected packet's length.
    /// - Throws: ``SRTPProtectError``; the packet is then undefined after ``SRTPProtectError/library``, else untouched.
    public func protectRTCP(
        in buffer: UnsafeMutableRawBufferPointer,
        length: Int
    ) throws(SRTPProtectError) -> Int {
        guard length >= 0, length <= buffer.count else { throw self.refuse(.bufferTooSmall) }
        return try self.protectRTCP(UnsafeRawBufferPointer(rebasing: buffer[..<length]), into: buffer)
    }

    /// Protects a compound RTCP packet into another buffer, in one pass.
    ///
    /// - Parameters:
    ///   - packet: The packet.
    ///   - destination: Where the protected packet goes: at least ``rtcpOverhead`` bytes more than the packet. It either
    ///     begins where `packet` begins or has nothing in common with it.
    /// - Returns: The protected packet's length.
    /// - Throws: ``SRTPProtectError``.
    public func protectRTCP(
        _ packet: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawBufferPointer
    ) throws(SRTPProtectError) -> Int {
        guard RTCPLayout.isRTCP(packet) else { throw self.refuse(.malformed) }
        let length = packet.count + self.profile.rtcpOverhead
        guard let base = destination.baseAddress, destination.count >= length else {
            throw self.refuse(.bufferTooSmall)
        }
        guard self.counters.rtcpPackets < self.rtcpLifetime else { throw self.refuse(.keyExpired) }
        if let error = self.engine.protectRTCP(packet, into: base) { throw self.refuse(error) }
        self.counters.rtcpPackets &+= 1
        return length
    }

    private func refuse(_ error: SRTPProtectError) -> SRTPProtectError {
        self.counters.refused &+= 1
        return error
    }
}

extension SRTPMasterKey {
    func validate(for profile: SRTPProfile) throws(SRTPError) {
        guard self.key.count == profile.keyLength, self.salt.count == profile.saltLength else {
            throw SRTPError(
                .invalidKeyLength,
                "the profile takes \(profile.keyLength) + \(profile.saltLength) bytes of key and salt, "
                    + "not \(self.key.count) + \(self.salt.count)"
            )
        }
    }
}
