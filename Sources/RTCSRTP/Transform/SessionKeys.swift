internal import CRTCOpenSSL

/// The keys that protect packets of one kind, derived from a master key (RFC 3711 section 4.3 with a derivation rate of 0).
struct SessionKeys: Equatable {
    /// What the keys are for.
    enum Purpose: UInt8 {
        case rtp = 0
        case rtcp = 3
    }

    /// The cipher's key.
    var cipherKey: [UInt8]
    /// The key of HMAC-SHA1; empty for AEAD.
    var authenticationKey: [UInt8]
    /// What initialization vectors are made of.
    var salt: [UInt8]

    /// Keys that are known already.
    init(cipherKey: [UInt8], authenticationKey: [UInt8], salt: [UInt8]) {
        self.cipherKey = cipherKey
        self.authenticationKey = authenticationKey
        self.salt = salt
    }

    /// Derives the keys; the labels are those of RFC 3711 section 4.3.1 and 4.3.2.
    init(_ master: SRTPMasterKey, _ profile: SRTPProfile, _ purpose: Purpose) throws(SRTPError) {
        let label = purpose.rawValue
        self.cipherKey = try Self.derive(master, label: label, count: profile.keyLength)
        self.authenticationKey = profile.isAEAD ? [] : try Self.derive(master, label: label + 1, count: 20)
        self.salt = try Self.derive(master, label: label + 2, count: profile.saltLength)
    }

    /// `count` bytes of the key stream whose counter begins at the salt, combined with the label. A salt of 96 bits is followed
    /// by zeros (RFC 7714 section 11).
    static func derive(_ master: SRTPMasterKey, label: UInt8, count: Int) throws(SRTPError) -> [UInt8] {
        var counter = master.salt + [UInt8](repeating: 0, count: 16 - master.salt.count)
        counter[7] ^= label
        let cipher = master.key.count == 32 ? EVP_aes_256_ctr() : EVP_aes_128_ctr()
        let context = try CipherContext(cipher, key: master.key, seals: true)
        var stream = [UInt8](repeating: 0, count: count)
        let succeeded = stream.withUnsafeMutableBytes { bytes -> Bool in
            guard let base = bytes.baseAddress else { return true }
            return context.begin(counter) && context.update(base, into: base, count: count)
        }
        guard succeeded else { throw SRTPError(.library, "the session keys cannot be derived") }
        return stream
    }

    /// Overwrites the keys.
    mutating func erase() {
        Self.erase(&self.cipherKey)
        Self.erase(&self.authenticationKey)
        Self.erase(&self.salt)
    }

    private static func erase(_ bytes: inout [UInt8]) {
        bytes.withUnsafeMutableBytes { OPENSSL_cleanse($0.baseAddress, $0.count) }
    }
}
