/// Both directions of SRTP over one DTLS association.
///
/// DTLS hands over the number of the profile and the keys as bytes. Whoever was the DTLS client sends with the client's write
/// key and salt and receives with the server's (RFC 5764 section 4.2):
///
/// ```swift
/// let session = try SRTPSession(
///     profile: .aeadAES128GCM,
///     sending: SRTPMasterKey(key: clientWriteKey, salt: clientWriteSalt),
///     receiving: SRTPMasterKey(key: serverWriteKey, salt: serverWriteSalt)
/// )
/// ```
public struct SRTPSession {
    /// Protects what goes out.
    public let sender: SRTPSender
    /// Unprotects what comes in.
    public let receiver: SRTPReceiver

    /// A session.
    ///
    /// - Parameters:
    ///   - profile: What DTLS negotiated.
    ///   - sending: This side's write key and salt.
    ///   - receiving: The peer's write key and salt.
    ///   - configuration: Engine, limits, replay window and Cryptex.
    /// - Throws: ``SRTPError/Code/invalidKeyLength``, ``SRTPError/Code/invalidConfiguration``, or
    ///   ``SRTPError/Code/library``.
    public init(
        profile: SRTPProfile,
        sending: SRTPMasterKey,
        receiving: SRTPMasterKey,
        configuration: SRTPConfiguration = SRTPConfiguration()
    ) throws(SRTPError) {
        self.sender = try SRTPSender(profile: profile, masterKey: sending, configuration: configuration)
        self.receiver = try SRTPReceiver(profile: profile, masterKey: receiving, configuration: configuration)
    }
}
