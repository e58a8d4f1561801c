/// Receiving over the transforms of this module.
final class TransformReceivingEngine<Transform: PacketTransform>: SRTPReceivingEngine {
    /// How far behind the newest an RTCP packet may arrive, in packets.
    static var rtcpReplayWindow: Int { 128 }

    var rtpWindows: ReplayWindows
    var rtcpWindows: ReplayWindows
    private let rtp: Transform
    private let rtcp: Transform
    private let cryptex: Bool
    private let rtpTagLength: Int
    private let rtcpTagLength: Int

    init(rtp: Transform, rtcp: Transform, profile: SRTPProfile, configuration: SRTPConfiguration) {
        self.rtp = rtp
        self.rtcp = rtcp
        let limit = configuration.maximumReceivingStreams
        self.rtpWindows = ReplayWindows(size: configuration.replayWindowBits, limit: limit)
        self.rtcpWindows = ReplayWindows(size: Self.rtcpReplayWindow, limit: limit)
        self.cryptex = configuration.cryptex != .disabled
        self.rtpTagLength = profile.rtpTagLength
        self.rtcpTagLength = profile.rtcpTagLength
    }

    convenience init(
        _ profile: SRTPProfile,
        _ masterKey: SRTPMasterKey,
        _ configuration: SRTPConfiguration
    ) throws(SRTPError) {
        self.init(
            rtp: try Transform.make(.rtp, masterKey, profile, seals: false),
            rtcp: try Transform.make(.rtcp, masterKey, profile, seals: false),
            profile: profile,
            configuration: configuration
        )
    }

    var streamCount: Int { self.rtpWindows.streams.count + self.rtcpWindows.streams.count }

    func unprotectRTP(
        _ layout: RTPLayout,
        _ packet: UnsafeMutableRawPointer,
        count: Int
    ) -> SRTPUnprotectFailure? {
        let index: UInt64
        let stream = self.rtpWindows.stream(layout.ssrc)
        if let stream {
            let newest = self.rtpWindows.newest(of: stream)
            guard let estimate = PacketIndex.estimate(layout.sequenceNumber, newest: newest) else {
                return .keyExpired
            }
            if let refusal = self.rtpWindows.refusal(of: estimate, in: stream) { return refusal }
            index = estimate
        } else {
            guard !self.rtpWindows.streams.isFull else { return .tooManyStreams }
            index = UInt64(layout.sequenceNumber)
        }
        let isHeaderEncrypted = self.cryptex && layout.isCryptex
        let regions = RTPRegions(
            base: packet,
            headerLength: layout.headerLength,
            sourcesEnd: layout.sourcesEnd,
            isHeaderEncrypted: isHeaderEncrypted,
            payloadLength: count - self.rtpTagLength - layout.headerLength
        )
        guard self.rtp.openRTP(regions, ssrc: layout.ssrc, index: index) else { return .authenticationFailed }
        self.rtpWindows.accept(index, from: layout.ssrc, in: stream)
        if isHeaderEncrypted, let profile = layout.extensionProfile.flatMap(CryptexProfile.init(encrypted:)) {
            packet.storeBigEndian(profile.rawValue, at: layout.sourcesEnd)
        }
        return nil
    }

    func unprotectRTCP(_ packet: UnsafeMutableRawPointer, count: Int) -> SRTPUnprotectFailure? {
        let bytes = UnsafeRawPointer(packet)
        let length = count - self.rtcpTagLength - 4
        let ssrc: UInt32 = bytes.bigEndian(at: 4)
        let word: UInt32 = bytes.bigEndian(at: Transform.tagPrecedesIndex ? length + self.rtcpTagLength : length)
        let index = UInt64(word & ~RTCPLayout.encryptedFlag)
        let stream = self.rtcpWindows.stream(ssrc)
        if let stream {
            if let refusal = self.rtcpWindows.refusal(of: index, in: stream) { return refusal }
        } else if self.rtcpWindows.streams.isFull {
            return .tooManyStreams
        }
        guard self.rtcp.openRTCP(packet, count: length, ssrc: ssrc, word: word) else { return .authenticationFailed }
        self.rtcpWindows.accept(index, from: ssrc, in: stream)
        return nil
    }
}
