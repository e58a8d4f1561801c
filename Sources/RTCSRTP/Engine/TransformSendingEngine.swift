/// Sending over the transforms of this module.
final class TransformSendingEngine<Transform: PacketTransform>: SRTPSendingEngine {
    var streams: SendingStreams
    private let rtp: Transform
    private let rtcp: Transform
    private let cryptex: Bool

    init(rtp: Transform, rtcp: Transform, configuration: SRTPConfiguration) {
        self.rtp = rtp
        self.rtcp = rtcp
        self.streams = SendingStreams(limit: configuration.maximumSendingStreams)
        self.cryptex = configuration.cryptex != .disabled
    }

    convenience init(
        _ profile: SRTPProfile,
        _ masterKey: SRTPMasterKey,
        _ configuration: SRTPConfiguration
    ) throws(SRTPError) {
        self.init(
            rtp: try Transform.make(.rtp, masterKey, profile, seals: true),
            rtcp: try Transform.make(.rtcp, masterKey, profile, seals: true),
            configuration: configuration
        )
    }

    func protectRTP(
        _ layout: RTPLayout,
        header: UnsafeRawPointer,
        payload: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawPointer
    ) -> SRTPProtectError? {
        let hidesHeader = self.cryptex && (layout.hasSources || layout.extensionProfile != nil)
        var cryptexProfile = CryptexProfile.oneByte
        if hidesHeader, let profile = layout.extensionProfile {
            guard let known = CryptexProfile(rawValue: profile) else { return .headerExtensionNotEncryptable }
            cryptexProfile = known
        }
        switch self.streams.rtpPosition(ssrc: layout.ssrc, sequenceNumber: layout.sequenceNumber) {
        case .refused(let error): return error
        case .index(let index, let stream):
            var payloadStart = payload.baseAddress ?? header
            var headerLength = layout.headerLength
            if hidesHeader, layout.needsExtensionForCryptex {
                headerLength += 4
                if UnsafeRawPointer(destination) == header {
                    (destination + headerLength).copyMemory(from: payloadStart, byteCount: payload.count)
                    payloadStart = UnsafeRawPointer(destination + headerLength)
                }
            }
            if UnsafeRawPointer(destination) != header {
                destination.copyMemory(from: header, byteCount: layout.headerLength)
            }
            let packet = RTPRegions(
                base: destination,
                headerLength: headerLength,
                sourcesEnd: layout.sourcesEnd,
                isHeaderEncrypted: hidesHeader,
                payloadLength: payload.count
            )
            if hidesHeader { packet.mark(cryptexProfile, addsExtension: layout.needsExtensionForCryptex) }
            guard self.rtp.sealRTP(packet, payload: payloadStart, ssrc: layout.ssrc, index: index) else {
                return .library
            }
            self.streams.sentRTP(index, stream: stream)
            return nil
        }
    }

    func protectRTCP(
        _ packet: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawPointer
    ) -> SRTPProtectError? {
        guard let source = packet.baseAddress else { return .malformed }
        let ssrc: UInt32 = source.bigEndian(at: 4)
        switch self.streams.rtcpPosition(ssrc: ssrc) {
        case .refused(let error): return error
        case .index(let index, let stream):
            if UnsafeRawPointer(destination) != source {
                destination.copyMemory(from: source, byteCount: RTCPLayout.headerLength)
            }
            let word = RTCPLayout.encryptedFlag | UInt32(truncatingIfNeeded: index)
            guard self.rtcp.sealRTCP(source, count: packet.count, into: destination, ssrc: ssrc, word: word) else {
                return .library
            }
            self.streams.sentRTCP(stream: stream)
            return nil
        }
    }
}

extension PacketTransform {
    /// A transform with keys derived from a master key.
    static func make(
        _ purpose: SessionKeys.Purpose,
        _ masterKey: SRTPMasterKey,
        _ profile: SRTPProfile,
        seals: Bool
    ) throws(SRTPError) -> Self {
        var keys = try SessionKeys(masterKey, profile, purpose)
        defer { keys.erase() }
        let tagLength = purpose == .rtp ? profile.rtpTagLength : profile.rtcpTagLength
        return try Self(keys, tagLength: tagLength, seals: seals)
    }
}

extension RTPRegions {
    /// Marks the header extension as encrypted; adds an empty one where there is room for it and none.
    fileprivate func mark(_ profile: CryptexProfile, addsExtension: Bool) {
        self.base.storeBigEndian(profile.encrypted, at: self.sourcesEnd)
        guard addsExtension else { return }
        self.base.storeBigEndian(UInt16(0), at: self.sourcesEnd + 2)
        self.base.storeBytes(of: self.base.load(as: UInt8.self) | 0x10, as: UInt8.self)
    }
}
