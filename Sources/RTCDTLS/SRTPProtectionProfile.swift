/// An SRTP protection profile that DTLS can negotiate (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
public enum SRTPProtectionProfile: UInt16, Sendable, Hashable, CaseIterable {
    /// AES-CM with 128-bit keys and an 80-bit HMAC-SHA1 tag; every WebRTC endpoint has it (RFC 8827 section 6.5).
    case aes128CMSHA1_80 = 0x0001
    /// AES-CM with 128-bit keys and a 32-bit HMAC-SHA1 tag on media (80 bits on RTCP).
    case aes128CMSHA1_32 = 0x0002
    /// AES-GCM with 128-bit keys.
    case aeadAES128GCM = 0x0007
    /// AES-GCM with 256-bit keys.
    case aeadAES256GCM = 0x0008

    /// The IANA name, for example `SRTP_AES128_CM_HMAC_SHA1_80`.
    public var name: String {
        switch self {
        case .aes128CMSHA1_80: return "SRTP_AES128_CM_HMAC_SHA1_80"
        case .aes128CMSHA1_32: return "SRTP_AES128_CM_HMAC_SHA1_32"
        case .aeadAES128GCM: return "SRTP_AEAD_AES_128_GCM"
        case .aeadAES256GCM: return "SRTP_AEAD_AES_256_GCM"
        }
    }

    /// The length of the master key in bytes.
    public var keyLength: Int { self == .aeadAES256GCM ? 32 : 16 }

    /// The length of the master salt in bytes.
    public var saltLength: Int {
        switch self {
        case .aes128CMSHA1_80, .aes128CMSHA1_32: return 14
        case .aeadAES128GCM, .aeadAES256GCM: return 12
        }
    }

    /// What OpenSSL calls the profile.
    var libraryName: String {
        switch self {
        case .aes128CMSHA1_80: return "SRTP_AES128_CM_SHA1_80"
        case .aes128CMSHA1_32: return "SRTP_AES128_CM_SHA1_32"
        case .aeadAES128GCM, .aeadAES256GCM: return self.name
        }
    }
}

extension SRTPProtectionProfile: CustomStringConvertible {
    /// The name.
    public var description: String { self.name }
}

/// The SRTP keys of one DTLS association (RFC 5764 section 4.2).
///
/// Whoever was the DTLS client protects with the client's write key and salt and unprotects with the server's.
public struct DTLSSRTPKeyingMaterial: Sendable, Hashable {
    /// The negotiated profile, which the lengths below follow.
    public var profile: SRTPProtectionProfile
    /// The master key of packets the DTLS client sends.
    public var clientWriteKey: [UInt8]
    /// The master salt of packets the DTLS client sends.
    public var clientWriteSalt: [UInt8]
    /// The master key of packets the DTLS server sends.
    public var serverWriteKey: [UInt8]
    /// The master salt of packets the DTLS server sends.
    public var serverWriteSalt: [UInt8]

    /// Cuts up exported keying material: client key, server key, client salt, server salt.
    init(profile: SRTPProtectionProfile, exported: [UInt8]) {
        self.profile = profile
        let key = profile.keyLength
        let salt = profile.saltLength
        self.clientWriteKey = Array(exported.prefix(key))
        self.serverWriteKey = Array(exported.dropFirst(key).prefix(key))
        self.clientWriteSalt = Array(exported.dropFirst(2 * key).prefix(salt))
        self.serverWriteSalt = Array(exported.dropFirst(2 * key + salt).prefix(salt))
    }
}
