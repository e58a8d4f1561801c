/// What the handshakes of a ``DTLSContext`` are like.
public struct DTLSConfiguration: Sendable, Hashable {
    /// The largest handshake datagram, in bytes, 256 to 16384; 1200 by default, which passes nearly every path.
    public var mtu = 1200
    /// The largest application record that can be sent, in bytes, 512 to 16384; 1400 by default.
    ///
    /// Every connection keeps a buffer of about this size. Records of up to 16384 bytes are always received.
    public var maximumRecordSize = 1400
    /// The SRTP profiles to offer and accept, most wanted first; none leaves the `use_srtp` extension out.
    public var srtpProfiles: [SRTPProtectionProfile] = [.aeadAES128GCM, .aeadAES256GCM, .aes128CMSHA1_80]
    /// The oldest protocol version to speak; DTLS 1.2 by default.
    public var minimumVersion = DTLSVersion.dtls12
    /// How long a handshake may take, 1 to 60 s; 30 s by default. Waiting for the peer's fingerprint does not count.
    public var handshakeTimeout = Duration.seconds(30)
    /// The first retransmission timeout of a flight, 10 ms to 1 s; 50 ms by default. It doubles with each retransmission.
    ///
    /// RFC 6347 section 4.2.4.1 proposes 1 s, and less where latency counts: with a second, one lost datagram is a second
    /// without a picture. A needless repetition costs one flight of some 2 KB.
    public var initialRetransmissionTimeout = Duration.milliseconds(50)

    /// The defaults.
    public init() {}

    /// The limit of the doubling, in microseconds.
    ///
    /// OpenSSL gives a flight up after twelve retransmissions; waiting longer towards the end makes them last as long as the
    /// handshake may.
    var maximumRetransmissionMicroseconds: UInt32 {
        UInt32(clamping: max(1_000_000, self.handshakeTimeout.microseconds / 6))
    }

    func validate() throws(DTLSError) {
        guard (256...16_384).contains(self.mtu) else {
            throw DTLSError(.invalidConfiguration, "mtu must be 256 to 16384, not \(self.mtu)")
        }
        guard (512...16_384).contains(self.maximumRecordSize) else {
            throw DTLSError(
                .invalidConfiguration,
                "maximumRecordSize must be 512 to 16384, not \(self.maximumRecordSize)"
            )
        }
        guard (.seconds(1) ... .seconds(60)).contains(self.handshakeTimeout) else {
            throw DTLSError(.invalidConfiguration, "handshakeTimeout must be 1 to 60 s, not \(self.handshakeTimeout)")
        }
        guard (.milliseconds(10) ... .seconds(1)).contains(self.initialRetransmissionTimeout) else {
            throw DTLSError(
                .invalidConfiguration,
                "initialRetransmissionTimeout must be 10 ms to 1 s, not \(self.initialRetransmissionTimeout)"
            )
        }
        guard Set(self.srtpProfiles).count == self.srtpProfiles.count else {
            throw DTLSError(.invalidConfiguration, "srtpProfiles names a profile twice")
        }
        guard self.minimumVersion <= DTLSLibrary.maximumVersion else {
            throw DTLSError(.invalidConfiguration, "\(DTLSLibrary.version) does not speak \(self.minimumVersion)")
        }
    }
}

/// A version of DTLS.
public enum DTLSVersion: UInt16, Sendable, Hashable, Comparable, CustomStringConvertible {
    /// DTLS 1.2 (RFC 6347).
    case dtls12 = 0xFEFD
    /// DTLS 1.3 (RFC 9147), where the linked OpenSSL has it: see ``DTLSLibrary``.
    case dtls13 = 0xFEFC

    /// `DTLS 1.2`, for example.
    public var description: String { self == .dtls12 ? "DTLS 1.2" : "DTLS 1.3" }

    /// The version as on the wire, in the four hexadecimal digits of W3C's `tlsVersion` statistic: `FEFD`, for example.
    public var wireDescription: String { self == .dtls12 ? "FEFD" : "FEFC" }

    /// Orders by age.
    public static func < (lhs: DTLSVersion, rhs: DTLSVersion) -> Bool { lhs.rawValue > rhs.rawValue }
}

extension Duration {
    /// The duration in whole microseconds.
    var microseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
