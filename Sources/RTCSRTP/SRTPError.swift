/// Why a sender or a receiver cannot be made.
public struct SRTPError: Error, Sendable, Hashable {
    /// What kind of failure this is.
    public enum Code: String, Sendable, Hashable {
        /// The configuration holds a value outside its range, or asks an engine for what it does not have.
        case invalidConfiguration
        /// The master key or salt does not have the profile's length.
        case invalidKeyLength
        /// The cryptographic library refused an operation that should never fail.
        case library
    }

    /// What kind of failure this is.
    public var code: Code
    /// What happened, in words.
    public var message: String

    /// An error with a code and its explanation.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension SRTPError: CustomStringConvertible {
    /// Code and message in one line.
    public var description: String { "\(self.code.rawValue): \(self.message)" }
}

/// Why a packet was not protected.
public enum SRTPProtectError: Error, Sendable, Hashable, CaseIterable {
    /// The bytes are no RTP or RTCP packet: too short, not version 2, or with lists that reach past the end.
    case malformed
    /// The buffer has no room for the protected packet.
    case bufferTooSmall
    /// Cryptex is on, and the header extension is not of RFC 8285, or has application bits, which Cryptex cannot carry (RFC
    /// 9335 section 4).
    case headerExtensionNotEncryptable
    /// ``SRTPConfiguration/maximumSendingStreams`` is reached.
    case tooManyStreams
    /// The sequence number is older than the engine looks back: ``SRTPConfiguration/Engine/libsrtp`` keeps a replay window for
    /// sending too.
    case tooOld
    /// The key has protected as many packets as it may (RFC 3711 section 9.2): 2^48 of RTP, 2^31 of RTCP, or 2^48 numbers
    /// of one stream. Nothing more can be sent without a new DTLS association.
    case keyExpired
    /// The cryptographic library failed.
    case library
}

/// Why a packet from the network was not accepted.
public enum SRTPUnprotectFailure: Error, Sendable, Hashable, CaseIterable {
    /// The packet was received before (RFC 3711 section 3.3.2).
    case replayed
    /// The packet is older than the replay window reaches.
    case tooOld
    /// The tag is not the packet's: somebody changed it, or does not have the key.
    case authenticationFailed
    /// The bytes are no SRTP or SRTCP packet.
    case malformed
    /// The stream has used up its packet numbers.
    case keyExpired
    /// The packet is of a new SSRC, and ``SRTPConfiguration/maximumReceivingStreams`` is reached.
    case tooManyStreams
    /// Cryptex is required, and the packet shows header extensions or contributing sources (RFC 9335 section 5.2).
    case cryptexRequired
}

/// What came of a packet from the network.
public enum SRTPUnprotectResult: Sendable, Hashable {
    /// The packet is the peer's and new; so many bytes of it are left.
    case packet(length: Int)
    /// The packet is dropped and counted. Its bytes may have been overwritten.
    case failure(SRTPUnprotectFailure)
}
