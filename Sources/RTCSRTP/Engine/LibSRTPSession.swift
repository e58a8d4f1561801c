internal import CRTCSRTP

/// One direction's session of libsrtp2.
struct LibSRTPSession: ~Copyable {
    let session: srtp_t

    /// libsrtp is initialized once for the process.
    private static let isInitialized = srtp_init() == srtp_err_status_ok

    init(
        _ profile: SRTPProfile,
        _ masterKey: SRTPMasterKey,
        _ configuration: SRTPConfiguration,
        direction: srtp_ssrc_type_t
    ) throws(SRTPError) {
        guard Self.isInitialized else { throw SRTPError(.library, "libsrtp cannot be initialized") }
        var policy = srtp_policy_t()
        guard
            srtp_crypto_policy_set_from_profile_for_rtp(&policy.rtp, profile.library) == srtp_err_status_ok,
            srtp_crypto_policy_set_from_profile_for_rtcp(&policy.rtcp, profile.library) == srtp_err_status_ok
        else { throw SRTPError(.library, "libsrtp does not have the profile") }
        policy.ssrc.type = direction
        policy.window_size = UInt(configuration.replayWindowBits)
        policy.allow_repeat_tx = 1
        var session: srtp_t?
        var key = masterKey.key + masterKey.salt
        let status = key.withUnsafeMutableBufferPointer { bytes in
            policy.key = bytes.baseAddress
            defer { bytes.update(repeating: 0) }
            return srtp_create(&session, &policy)
        }
        guard status == srtp_err_status_ok, let session else {
            throw SRTPError(.library, "libsrtp cannot make a session: \(status.rawValue)")
        }
        self.session = session
    }

    deinit { srtp_dealloc(self.session) }
}

extension SRTPProfile {
    fileprivate var library: srtp_profile_t {
        switch self {
        case .aes128CMSHA1_80: return srtp_profile_aes128_cm_sha1_80
        case .aes128CMSHA1_32: return srtp_profile_aes128_cm_sha1_32
        case .aeadAES128GCM: return srtp_profile_aead_aes_128_gcm
        case .aeadAES256GCM: return srtp_profile_aead_aes_256_gcm
        }
    }
}
