internal import CRTCOpenSSL

/// One side of a password-authenticated key exchange: SPAKE2-P256-SHA256-HKDF-HMAC (RFC 9382).
///
/// Two sides that know the same password get the same strong key; whoever sits between them, or guesses, gets one try for each
/// exchange and learns nothing else. The key counts only after ``confirm(_:)`` has said so.
///
/// Each side sends its ``share``, gives the other's to ``receive(_:)``, sends its ``confirmation`` and gives the other's to
/// ``confirm(_:)``. Multiplications take a time that does not depend on the secrets, as far as OpenSSL's do.
public struct SPAKE2: Sendable {
    /// Which side of the exchange one is; the two must differ.
    public enum Role: Sendable, Hashable {
        /// RFC 9382's A.
        case a
        /// RFC 9382's B.
        case b
    }

    /// The size of a share in bytes: an uncompressed point.
    public static let shareSize = 65
    /// The size of a confirmation in bytes.
    public static let confirmationSize = 32

    private enum State: Sendable {
        case waitingForShare
        case waitingForConfirmation(Keys)
        case confirmed(Keys)
        case failed
    }

    private struct Keys: Sendable {
        var encryption: [UInt8]
        var ownConfirmation: [UInt8]
        var peerConfirmation: [UInt8]
    }

    /// Which side this is.
    public let role: Role
    /// What the other side needs: pA or pB.
    public let share: [UInt8]

    private let identities: (a: [UInt8], b: [UInt8])
    private let associated: [UInt8]
    private let secret: [UInt8]
    private let scalar: [UInt8]
    private var state = State.waitingForShare

    /// Begins an exchange.
    ///
    /// - Parameters:
    ///   - role: Which side this is.
    ///   - password: What both know. It is stretched by HKDF only: a password that lives longer than one exchange belongs through a
    ///     memory-hard function first (RFC 9382 section 3.2).
    ///   - identityA: The name of side A, the same on both sides.
    ///   - identityB: The name of side B.
    ///   - associated: What both sides must agree on besides (RFC 9382's AAD).
    /// - Returns: `nil` if OpenSSL refuses.
    public init?(
        _ role: Role,
        password: [UInt8],
        identityA: [UInt8],
        identityB: [UInt8],
        associated: [UInt8] = []
    ) {
        var scalar = [UInt8](repeating: 0, count: crtc_p256_scalar_size)
        guard crtc_p256_random_scalar(&scalar) == 1, let secret = Self.secret(of: password) else { return nil }
        self.init(
            role,
            secret: secret,
            scalar: scalar,
            identityA: identityA,
            identityB: identityB,
            associated: associated
        )
    }

    /// Begins with a secret number and a private scalar that are given, as RFC 9382's vectors have them.
    init?(
        _ role: Role,
        secret: [UInt8],
        scalar: [UInt8],
        identityA: [UInt8],
        identityB: [UInt8],
        associated: [UInt8] = []
    ) {
        guard secret.count == crtc_p256_scalar_size, scalar.count == secret.count else { return nil }
        let constant = role == .a ? Self.m : Self.n
        let share = [UInt8](unsafeUninitializedCapacity: Self.shareSize) { output, count in
            let done = crtc_spake2_share(scalar, secret, constant, constant.count, output.baseAddress)
            count = done == 1 ? Self.shareSize : 0
        }
        guard share.count == Self.shareSize else { return nil }
        self.role = role
        self.share = share
        self.identities = (identityA, identityB)
        self.associated = associated
        self.secret = secret
        self.scalar = scalar
    }

    /// Takes the other side's share, once.
    ///
    /// - Returns: The confirmation to send; `nil` if the share is no point of the curve, or one came before: then the exchange
    ///   has failed.
    public mutating func receive(_ peer: [UInt8]) -> [UInt8]? {
        guard case .waitingForShare = self.state, let keys = self.keys(with: peer) else {
            self.state = .failed
            return nil
        }
        self.state = .waitingForConfirmation(keys)
        return keys.ownConfirmation
    }

    /// Takes the other side's confirmation, once.
    ///
    /// - Returns: Whether it knows the password and both have seen the same exchange.
    public mutating func confirm(_ confirmation: [UInt8]) -> Bool {
        guard case .waitingForConfirmation(let keys) = self.state,
            ConstantTime.equals(keys.peerConfirmation.span.bytes, confirmation.span.bytes)
        else {
            self.state = .failed
            return false
        }
        self.state = .confirmed(keys)
        return true
    }

    /// The key that both sides have, Ke: 16 bytes; `nil` until the other side has confirmed.
    public var key: [UInt8]? {
        guard case .confirmed(let keys) = self.state else { return nil }
        return keys.encryption
    }

    /// The secret number w of a password: 40 bytes of HKDF modulo the group's order, so that none is likelier than others.
    static func secret(of password: [UInt8]) -> [UInt8]? {
        let info = Array("SPAKE2 P-256 password".utf8)
        guard
            let stretched = HKDF.key(
                .sha256,
                secret: password.span.bytes,
                salt: RawSpan(),
                info: info.span.bytes,
                count: 40
            )
        else { return nil }
        var secret = [UInt8](repeating: 0, count: crtc_p256_scalar_size)
        return crtc_p256_reduce(stretched, stretched.count, &secret) == 1 ? secret : nil
    }

    /// The keys of the transcript (RFC 9382 sections 3.3 and 4).
    private func keys(with peer: [UInt8]) -> Keys? {
        let constant = self.role == .a ? Self.n : Self.m
        let point = [UInt8](unsafeUninitializedCapacity: Self.shareSize) { output, count in
            let done = crtc_spake2_secret(
                self.scalar,
                self.secret,
                constant,
                constant.count,
                peer,
                peer.count,
                output.baseAddress
            )
            count = done == 1 ? Self.shareSize : 0
        }
        guard point.count == Self.shareSize else { return nil }
        let shares = self.role == .a ? (self.share, peer) : (peer, self.share)
        var transcript: [UInt8] = []
        for part in [self.identities.a, self.identities.b, shares.0, shares.1, point, self.secret] {
            withUnsafeBytes(of: UInt64(part.count).littleEndian) { transcript += $0 }
            transcript += part
        }
        let digest = HashAlgorithm.sha256.digest(of: transcript.span.bytes)
        let confirmation = Array(digest.suffix(16))
        let info = Array("ConfirmationKeys".utf8) + self.associated
        guard
            let keys = HKDF.key(
                .sha256,
                secret: confirmation.span.bytes,
                salt: RawSpan(),
                info: info.span.bytes,
                count: 32
            ),
            let keyA = HMACKey(.sha256, key: Array(keys.prefix(16)).span.bytes),
            let keyB = HMACKey(.sha256, key: Array(keys.suffix(16)).span.bytes)
        else { return nil }
        let codes = (keyA.code(of: transcript.span.bytes), keyB.code(of: transcript.span.bytes))
        return Keys(
            encryption: Array(digest.prefix(16)),
            ownConfirmation: self.role == .a ? codes.0 : codes.1,
            peerConfirmation: self.role == .a ? codes.1 : codes.0
        )
    }

    /// M of RFC 9382 section 6, for P-256, whose logarithm nobody knows.
    private static let m: [UInt8] = [
        0x02, 0x88, 0x6E, 0x2F, 0x97, 0xAC, 0xE4, 0x6E, 0x55, 0xBA, 0x9D, 0xD7, 0x24, 0x25, 0x79, 0xF2, 0x99,
        0x3B, 0x64, 0xE1, 0x6E, 0xF3, 0xDC, 0xAB, 0x95, 0xAF, 0xD4, 0x97, 0x33, 0x3D, 0x8F, 0xA1, 0x2F,
    ]
    /// N of the same.
    private static let n: [UInt8] = [
        0x03, 0xD8, 0xBB, 0xD6, 0xC6, 0x39, 0xC6, 0x29, 0x37, 0xB0, 0x4D, 0x99, 0x7F, 0x38, 0xC3, 0x77, 0x07,
        0x19, 0xC6, 0x29, 0xD7, 0x01, 0x4D, 0x49, 0xA2, 0x4B, 0x4F, 0x98, 0xBA, 0xA1, 0x29, 0x2B, 0x49,
    ]
}
