/// How SRTP protects packets (RFC 5764 section 4.1.2, RFC 7714 section 14.2).
public enum SRTPProfile: UInt16, Sendable, Hashable, CaseIterable {
    /// AES-CM with 128-bit keys and an 80-bit HMAC-SHA1 tag.
    case aes128CMSHA1_80 = 0x0001
    /// AES-GCM with 128-bit keys.
    case aeadAES128GCM = 0x0007
    /// AES-GCM with 256-bit keys.
    case aeadAES256GCM = 0x0008
}
