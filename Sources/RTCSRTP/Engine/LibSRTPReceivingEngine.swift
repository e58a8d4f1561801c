internal import CRTCSRTP

/// Receiving over libsrtp2. It keeps the replay windows; what is kept here bounds how many streams it has.
final class LibSRTPReceivingEngine: SRTPReceivingEngine {
    let library: LibSRTPSession
    private var rtpStreams: SSRCTable
    private var rtcpStreams: SSRCTable

    init(
        _ profile: SRTPProfile,
        _ masterKey: SRTPMasterKey,
        _ configuration: SRTPConfiguration
    ) throws(SRTPError) {
        self.library = try LibSRTPSession(profile, masterKey, configuration, direction: ssrc_any_inbound)
        self.rtpStreams = SSRCTable(limit: configuration.maximumReceivingStreams)
        self.rtcpStreams = SSRCTable(limit: configuration.maximumReceivingStreams)
    }

    var streamCount: Int { self.rtpStreams.count + self.rtcpStreams.count }

    func unprotectRTP(
        _ layout: RTPLayout,
        _ packet: UnsafeMutableRawPointer,
        count: Int
    ) -> SRTPUnprotectFailure? {
        let isKnown = self.rtpStreams.number(of: layout.ssrc) != nil
        guard isKnown || !self.rtpStreams.isFull else { return .tooManyStreams }
        var length = Int32(truncatingIfNeeded: count)
        let status = srtp_unprotect(self.library.session, packet, &length)
        if status == srtp_err_status_ok, !isKnown { _ = self.rtpStreams.insert(layout.ssrc) }
        return Self.failure(status)
    }

    func unprotectRTCP(_ packet: UnsafeMutableRawPointer, count: Int) -> SRTPUnprotectFailure? {
        let ssrc: UInt32 = UnsafeRawPointer(packet).bigEndian(at: 4)
        let isKnown = self.rtcpStreams.number(of: ssrc) != nil
        guard isKnown || !self.rtcpStreams.isFull else { return .tooManyStreams }
        var length = Int32(truncatingIfNeeded: count)
        let status = srtp_unprotect_rtcp(self.library.session, packet, &length)
        if status == srtp_err_status_ok, !isKnown { _ = self.rtcpStreams.insert(ssrc) }
        return Self.failure(status)
    }

    private static func failure(_ status: srtp_err_status_t) -> SRTPUnprotectFailure? {
        switch status {
        case srtp_err_status_ok: return nil
        case srtp_err_status_replay_fail: return .replayed
        case srtp_err_status_replay_old: return .tooOld
        case srtp_err_status_key_expired: return .keyExpired
        case srtp_err_status_bad_param, srtp_err_status_parse_err: return .malformed
        default: return .authenticationFailed
        }
    }
}
