internal import CRTCOpenSSL

/// AES in counter mode with HMAC-SHA1 (RFC 3711 sections 4.1.1 and 4.2.1).
final class CounterModeTransform: PacketTransform {
    static var tagPrecedesIndex: Bool { false }

    private let cipher: CipherContext
    private let authentication: UnsafeMutablePointer<crtc_hmac_sha1>
    private let tagLength: Int
    private let saltHigh: UInt64
    private let saltLow: UInt64
    /// Room for an initialization vector, for the bytes behind a packet that are authenticated with it, and for a code.
    private let scratch: UnsafeMutableRawPointer

    private var code: UnsafeMutablePointer<UInt8> { (self.scratch + 24).assumingMemoryBound(to: UInt8.self) }

    init(_ keys: SessionKeys, tagLength: Int, seals: Bool) throws(SRTPError) {
        self.cipher = try CipherContext(EVP_aes_128_ctr(), key: keys.cipherKey, seals: seals)
        self.tagLength = tagLength
        let salt = keys.salt + [0, 0]
        self.saltHigh = salt.withUnsafeBytes { $0.bigEndian(at: 0) }
        self.saltLow = salt.withUnsafeBytes { $0.bigEndian(at: 8) }
        self.scratch = .allocate(byteCount: 44, alignment: 16)
        self.authentication = .allocate(capacity: 1)
        self.authentication.initialize(to: crtc_hmac_sha1())
        guard crtc_hmac_sha1_set_key(self.authentication, keys.authenticationKey, keys.authenticationKey.count) == 1
        else { throw SRTPError(.library, "HMAC-SHA1 cannot be set up") }
    }

    deinit {
        OPENSSL_cleanse(self.authentication, MemoryLayout<crtc_hmac_sha1>.size)
        self.authentication.deallocate()
        self.scratch.deallocate()
    }

    func sealRTP(_ packet: RTPRegions, payload: UnsafeRawPointer, ssrc: UInt32, index: UInt64) -> Bool {
        guard self.begin(ssrc: ssrc, index: index), self.cipher.updateHeader(packet),
            self.cipher.update(payload, into: packet.payload, count: packet.payloadLength)
        else { return false }
        self.authenticateRTP(packet, index: index)
        (packet.base + packet.length).copyMemory(from: self.code, byteCount: self.tagLength)
        return true
    }

    func openRTP(_ packet: RTPRegions, ssrc: UInt32, index: UInt64) -> Bool {
        self.authenticateRTP(packet, index: index)
        guard CRYPTO_memcmp(packet.base + packet.length, self.code, self.tagLength) == 0 else { return false }
        return self.begin(ssrc: ssrc, index: index) && self.cipher.updateHeader(packet)
            && self.cipher.update(packet.payload, into: packet.payload, count: packet.payloadLength)
    }

    func sealRTCP(
        _ source: UnsafeRawPointer,
        count: Int,
        into destination: UnsafeMutableRawPointer,
        ssrc: UInt32,
        word: UInt32
    ) -> Bool {
        let header = RTCPLayout.headerLength
        guard self.begin(ssrc: ssrc, index: UInt64(word & ~RTCPLayout.encryptedFlag)),
            self.cipher.update(source + header, into: destination + header, count: count - header)
        else { return false }
        destination.storeBigEndian(word, at: count)
        crtc_hmac_sha1_compute(self.authentication, destination, count + 4, nil, 0, self.code)
        (destination + count + 4).copyMemory(from: self.code, byteCount: self.tagLength)
        return true
    }

    func openRTCP(_ packet: UnsafeMutableRawPointer, count: Int, ssrc: UInt32, word: UInt32) -> Bool {
        crtc_hmac_sha1_compute(self.authentication, packet, count + 4, nil, 0, self.code)
        guard CRYPTO_memcmp(packet + count + 4, self.code, self.tagLength) == 0 else { return false }
        guard word & RTCPLayout.encryptedFlag != 0 else { return true }
        let body = packet + RTCPLayout.headerLength
        return self.begin(ssrc: ssrc, index: UInt64(word & ~RTCPLayout.encryptedFlag))
            && self.cipher.update(body, into: body, count: count - RTCPLayout.headerLength)
    }

    /// The code over the packet and its rollover counter (RFC 3711 section 4.2).
    private func authenticateRTP(_ packet: RTPRegions, index: UInt64) {
        self.scratch.storeBigEndian(UInt32(truncatingIfNeeded: index >> 16), at: 16)
        crtc_hmac_sha1_compute(self.authentication, packet.base, packet.length, self.scratch + 16, 4, self.code)
    }

    /// The first counter block: salt, SSRC and index on top of each other, and sixteen zero bits (RFC 3711 section 4.1.1).
    private func begin(ssrc: UInt32, index: UInt64) -> Bool {
        self.scratch.storeBigEndian(self.saltHigh ^ UInt64(ssrc), at: 0)
        self.scratch.storeBigEndian(self.saltLow ^ index << 16, at: 8)
        return self.cipher.begin(self.scratch.assumingMemoryBound(to: UInt8.self))
    }
}
