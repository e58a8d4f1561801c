internal import CRTCOpenSSL
internal import RTCBase

/// The records of an established DTLS 1.2 association whose suite is an AEAD (RFC 6347 section 4.1, RFC 5288, RFC 7905).
///
/// OpenSSL does the handshake. What comes after is a header, a nonce and one call of the cipher: that takes a third less time
/// than OpenSSL's own records, straight into the batch that is sent, and a connection's `SSL`, 58 KB, can be freed.
final class RecordLayer {
    /// The size of every tag.
    private static let tagSize = 16
    /// Epoch 1, version 1.2: there is no renegotiation.
    private static let epoch: UInt64 = 1
    private static let sequenceLimit: UInt64 = 1 << 48

    let secrets: SessionSecrets
    private let suite: Suite
    private let sealing: OpaquePointer
    private let opening: OpaquePointer
    private let sealingIV: [UInt8]
    private let openingIV: [UInt8]
    private var nextSequence: UInt64
    private var window = ReplayWindow()

    /// Takes over from an `SSL` whose handshake is complete.
    ///
    /// - Parameter nextSequence: One more than the number of the last record that it sent in epoch 1.
    /// - Returns: `nil` for what OpenSSL has to go on with: another version, or a suite that is no AEAD.
    init?(takingOver ssl: OpaquePointer, role: DTLSRole, nextSequence: UInt64) {
        guard SSL_version(ssl) == crtc_dtls12_version, let suite = Suite(ssl), let cipher = suite.cipher,
            let secrets = SessionSecrets(ssl),
            var block = secrets.keyBlock(count: 2 * (suite.keySize + suite.fixedIVSize))
        else { return nil }
        defer { OPENSSL_cleanse(&block, block.count) }
        let ownIsFirst = role == .client
        let keys = [block[..<suite.keySize], block[suite.keySize..<2 * suite.keySize]].map(Array.init)
        let ivs = block[(2 * suite.keySize)...]
        guard let sealing = crtc_aead_create(cipher, keys[ownIsFirst ? 0 : 1], 1) else { return nil }
        guard let opening = crtc_aead_create(cipher, keys[ownIsFirst ? 1 : 0], 0) else {
            EVP_CIPHER_CTX_free(sealing)
            return nil
        }
        self.secrets = secrets
        self.suite = suite
        self.sealing = sealing
        self.opening = opening
        self.sealingIV = Array(ownIsFirst ? ivs.prefix(suite.fixedIVSize) : ivs.suffix(suite.fixedIVSize))
        self.openingIV = Array(ownIsFirst ? ivs.suffix(suite.fixedIVSize) : ivs.prefix(suite.fixedIVSize))
        self.nextSequence = nextSequence
    }

    deinit {
        EVP_CIPHER_CTX_free(self.sealing)
        EVP_CIPHER_CTX_free(self.opening)
    }

    /// Appends a record as a datagram of its own.
    ///
    /// - Returns: `false` when all numbers are used up, or OpenSSL refuses.
    func seal(_ type: UInt8, _ plaintext: UnsafeRawBufferPointer, to output: inout DatagramBatcher) -> Bool {
        guard self.nextSequence < Self.sequenceLimit else { return false }
        let number = Self.epoch << 48 | self.nextSequence
        self.nextSequence += 1
        let bodySize = self.suite.explicitNonceSize + plaintext.count + Self.tagSize
        return output.append(count: RecordHeader.size + bodySize) { record in
            record[0] = type
            record.storeBytes(of: number.bigEndian, toByteOffset: 3, as: UInt64.self)
            Self.writeVersion(record)
            record[11] = UInt8(truncatingIfNeeded: bodySize >> 8)
            record[12] = UInt8(truncatingIfNeeded: bodySize)
            if self.suite.explicitNonceSize > 0 {
                record.storeBytes(of: number.bigEndian, toByteOffset: RecordHeader.size, as: UInt64.self)
            }
            let body = record.baseAddress! + RecordHeader.size + self.suite.explicitNonceSize
            return self.suite.withNonce(fixed: self.sealingIV, number: number) { nonce in
                Self.withAssociatedData(number: number, type: type, count: plaintext.count) { associated in
                    crtc_aead_seal(
                        self.sealing,
                        nonce,
                        associated.baseAddress,
                        Int32(associated.count),
                        plaintext.baseAddress,
                        Int32(plaintext.count),
                        body.assumingMemoryBound(to: UInt8.self)
                    ) == 1
                }
            }
        }
    }

    /// Decrypts the record of `header`, which lies at `offset`, to `plaintext`, which is at least as large.
    ///
    /// - Returns: The number of bytes; `nil` for a record of another epoch, one seen before and one that is not authentic.
    func open(
        _ header: RecordHeader,
        in datagram: UnsafeRawBufferPointer,
        at offset: Int,
        to plaintext: UnsafeMutableRawBufferPointer
    ) -> Int? {
        let count = header.bodySize - self.suite.explicitNonceSize - Self.tagSize
        guard header.epoch == Self.epoch, datagram[offset + 2] == 0xFD, count >= 0, count <= plaintext.count,
            self.window.admits(header.sequence), let start = datagram.baseAddress, let output = plaintext.baseAddress
        else { return nil }
        let number = Self.epoch << 48 | header.sequence
        let body = start + offset + RecordHeader.size
        // The sender chooses the explicit part of the nonce (RFC 5288 section 3).
        let explicit =
            self.suite.explicitNonceSize > 0 ? body.loadUnaligned(as: UInt64.self).bigEndian : number
        let isAuthentic = self.suite.withNonce(fixed: self.openingIV, number: explicit) { nonce in
            Self.withAssociatedData(number: number, type: header.type, count: count) { associated in
                crtc_aead_open(
                    self.opening,
                    nonce,
                    associated.baseAddress,
                    Int32(associated.count),
                    (body + self.suite.explicitNonceSize).assumingMemoryBound(to: UInt8.self),
                    Int32(count),
                    output.assumingMemoryBound(to: UInt8.self)
                ) == 1
            }
        }
        guard isAuthentic else { return nil }
        self.window.note(header.sequence)
        return count
    }

    private static func writeVersion(_ record: UnsafeMutableRawBufferPointer) {
        record[1] = 0xFE
        record[2] = 0xFD
    }

    /// What is authenticated besides the plaintext (RFC 5246 section 6.2.3.3).
    private static func withAssociatedData<Result>(
        number: UInt64,
        type: UInt8,
        count: Int,
        _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        withUnsafeTemporaryAllocation(byteCount: 13, alignment: 8) { bytes in
            bytes.storeBytes(of: number.bigEndian, as: UInt64.self)
            bytes[8] = type
            bytes[9] = 0xFE
            bytes[10] = 0xFD
            bytes[11] = UInt8(truncatingIfNeeded: count >> 8)
            bytes[12] = UInt8(truncatingIfNeeded: count)
            return body(UnsafeRawBufferPointer(bytes))
        }
    }
}

extension RecordLayer {
    /// The AEAD of a cipher suite.
    enum Suite {
        case aes128GCM
        case aes256GCM
        case chaCha20Poly1305

        /// The AEAD of an `SSL`'s suite, `nil` if it has none that is known here.
        init?(_ ssl: OpaquePointer) {
            switch SSL_get_current_cipher(ssl).map({ SSL_CIPHER_get_cipher_nid($0) }) {
            case crtc_nid_aes_128_gcm: self = .aes128GCM
            case crtc_nid_aes_256_gcm: self = .aes256GCM
            case crtc_nid_chacha20_poly1305: self = .chaCha20Poly1305
            default: return nil
            }
        }

        var keySize: Int { self == .aes128GCM ? 16 : 32 }
        /// The part of the nonce that the handshake agreed on.
        var fixedIVSize: Int { self == .chaCha20Poly1305 ? 12 : 4 }
        /// The part of the nonce that each record carries.
        var explicitNonceSize: Int { self == .chaCha20Poly1305 ? 0 : 8 }

        /// OpenSSL's cipher, looked up once.
        var cipher: OpaquePointer? {
            switch self {
            case .aes128GCM: return Self.aes128GCMCipher
            case .aes256GCM: return Self.aes256GCMCipher
            case .chaCha20Poly1305: return Self.chaCha20Poly1305Cipher
            }
        }

        // A C pointer is never Sendable. What these point to is made once, never changed and never freed, and OpenSSL lets any thread
        // use it; fetching for each connection would cost more than its keys.
        nonisolated(unsafe) private static let aes128GCMCipher = EVP_CIPHER_fetch(nil, "AES-128-GCM", nil)
        nonisolated(unsafe) private static let aes256GCMCipher = EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
        nonisolated(unsafe) private static let chaCha20Poly1305Cipher = EVP_CIPHER_fetch(nil, "ChaCha20-Poly1305", nil)

        /// The nonce of 12 bytes: the fixed part followed by the number for GCM (RFC 5288 section 3), both combined by
        /// exclusive or for ChaCha20 (RFC 7905 section 2).
        func withNonce<Result>(
            fixed: [UInt8],
            number: UInt64,
            _ body: (UnsafePointer<UInt8>) -> Result
        ) -> Result {
            withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 12) { nonce in
                for index in 0..<12 {
                    let digit = index < 4 ? 0 : UInt8(truncatingIfNeeded: number >> UInt64(8 * (11 - index)))
                    nonce[index] = index < fixed.count ? fixed[index] ^ digit : digit
                }
                return body(UnsafePointer(nonce.baseAddress!))
            }
        }
    }
}
