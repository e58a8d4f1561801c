internal import CRTCSRTP

/// Sending over libsrtp2. It keeps the packet numbers; what is kept here bounds how many streams it has.
final class LibSRTPSendingEngine: SRTPSendingEngine {
    let library: LibSRTPSession
    private var streams: SSRCTable

    init(
        _ profile: SRTPProfile,
        _ masterKey: SRTPMasterKey,
        _ configuration: SRTPConfiguration
    ) throws(SRTPError) {
        self.library = try LibSRTPSession(profile, masterKey, configuration, direction: ssrc_any_outbound)
        self.streams = SSRCTable(limit: configuration.maximumSendingStreams)
    }

    func protectRTP(
        _ layout: RTPLayout,
        header: UnsafeRawPointer,
        payload: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawPointer
    ) -> SRTPProtectError? {
        if UnsafeRawPointer(destination) != header {
            destination.copyMemory(from: header, byteCount: layout.headerLength)
            if let start = payload.baseAddress {
                (destination + layout.headerLength).copyMemory(from: start, byteCount: payload.count)
            }
        }
        guard self.hasRoom(for: layout.ssrc) else { return .tooManyStreams }
        var length = Int32(truncatingIfNeeded: layout.headerLength + payload.count)
        return Self.error(srtp_protect(self.library.session, destination, &length))
    }

    func protectRTCP(
        _ packet: UnsafeRawBufferPointer,
        into destination: UnsafeMutableRawPointer
    ) -> SRTPProtectError? {
        guard let source = packet.baseAddress else { return .malformed }
        if UnsafeRawPointer(destination) != source {
            destination.copyMemory(from: source, byteCount: packet.count)
        }
        guard self.hasRoom(for: source.bigEndian(at: 4)) else { return .tooManyStreams }
        var length = Int32(truncatingIfNeeded: packet.count)
        return Self.error(srtp_protect_rtcp(self.library.session, destination, &length))
    }

    private func hasRoom(for ssrc: UInt32) -> Bool {
        if self.streams.number(of: ssrc) != nil { return true }
        guard !self.streams.isFull else { return false }
        _ = self.streams.insert(ssrc)
        return true
    }

    private static func error(_ status: srtp_err_status_t) -> SRTPProtectError? {
        switch status {
        case srtp_err_status_ok: return nil
        case srtp_err_status_key_expired: return .keyExpired
        case srtp_err_status_replay_old: return .tooOld
        case srtp_err_status_bad_param, srtp_err_status_parse_err: return .malformed
        default: return .library
        }
    }
}
