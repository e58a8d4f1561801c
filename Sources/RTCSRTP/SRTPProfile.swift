/// How SRTP protects packets (RFC 5764 section 4.1.2, RFC 7714 section 14.2). The raw value is the number DTLS negotiates.
public enum SRTPProfile: UInt16, Sendable, Hashable, CaseIterable {
    /// AES-CM with 128-bit keys and an 80-bit HMAC-SHA1 tag; every WebRTC endpoint has it (RFC 8827 section 6.5).
    case aes128CMSHA1_80 = 0x0001
    /// AES-CM with 128-bit keys and a 32-bit HMAC-SHA1 tag on RTP, 80 bits on RTCP.
    case aes128CMSHA1_32 = 0x0002
    /// AES-GCM with 128-bit keys.
    case aeadAES128GCM = 0x0007
    /// AES-GCM with 256-bit keys.
    case aeadAES256GCM = 0x0008

    /// The length of the master key in bytes.
    public var keyLength: Int { self == .aeadAES256GCM ? 32 : 16 }

    /// The length of the master salt in bytes.
    public var saltLength: Int { self.isAEAD ? 12 : 14 }

    /// What protecting an RTP packet adds, in bytes: the tag. Cryptex may add four more, see ``SRTPSender/rtpOverhead``.
    public var rtpTagLength: Int {
        switch self {
        case .aes128CMSHA1_80: return 10
        case .aes128CMSHA1_32: return 4
        case .aeadAES128GCM, .aeadAES256GCM: return 16
        }
    }

    /// What protecting an RTCP packet adds, in bytes: the tag and the word with the index (RFC 3711 section 3.4).
    public var rtcpOverhead: Int { self.rtcpTagLength + 4 }

    /// The length of the tag of an RTCP packet; it is 80 bits with a 32-bit tag on RTP too (RFC 5764 section 4.1.2).
    var rtcpTagLength: Int { self.isAEAD ? 16 : 10 }

    var isAEAD: Bool { self == .aeadAES128GCM || self == .aeadAES256GCM }
}
