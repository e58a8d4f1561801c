internal import CRTCOpenSSL

/// AES-GCM (RFC 7714).
final class GCMTransform: PacketTransform {
    static var tagPrecedesIndex: Bool { true }

    private let cipher: CipherContext
    private let tagLength: Int
    private let saltHigh: UInt64
    private let saltLow: UInt32
    /// Room for an initialization vector, and for the word that is authenticated with an RTCP packet.
    private let scratch: UnsafeMutableRawPointer

    init(_ keys: SessionKeys, tagLength: Int, seals: Bool) throws(SRTPError) {
        let cipher = keys.cipherKey.count == 32 ? EVP_aes_256_gcm() : EVP_aes_128_gcm()
        self.cipher = try CipherContext(cipher, key: keys.cipherKey, seals: seals)
        self.tagLength = tagLength
        self.saltHigh = keys.salt.withUnsafeBytes { $0.bigEndian(at: 0) }
        self.saltLow = keys.salt.withUnsafeBytes { $0.bigEndian(at: 8) }
        self.scratch = .allocate(byteCount: 16, alignment: 16)
    }

    deinit { self.scratch.deallocate() }

    func sealRTP(_ packet: RTPRegions, payload: UnsafeRawPointer, ssrc: UInt32, index: UInt64) -> Bool {
        self.begin(ssrc: ssrc, index: index) && self.authenticateHeader(packet) && self.cipher.updateHeader(packet)
            && self.cipher.update(payload, into: packet.payload, count: packet.payloadLength)
            && self.cipher.finish() && self.cipher.tag(into: packet.base + packet.length, count: self.tagLength)
    }

    func openRTP(_ packet: RTPRegions, ssrc: UInt32, index: UInt64) -> Bool {
        self.begin(ssrc: ssrc, index: index)
            && self.cipher.expect(packet.base + packet.length, count: self.tagLength)
            && self.authenticateHeader(packet) && self.cipher.updateHeader(packet)
            && self.cipher.update(packet.payload, into: packet.payload, count: packet.payloadLength)
            && self.cipher.finish()
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
            self.cipher.authenticate(destination, count: header), self.authenticateWord(word),
            self.cipher.update(source + header, into: destination + header, count: count - header),
            self.cipher.finish(), self.cipher.tag(into: destination + count, count: self.tagLength)
        else { return false }
        destination.storeBigEndian(word, at: count + self.tagLength)
        return true
    }

    func openRTCP(_ packet: UnsafeMutableRawPointer, count: Int, ssrc: UInt32, word: UInt32) -> Bool {
        // Of a packet that is not encrypted everything is only authenticated (RFC 7714 section 9.3).
        let isEncrypted = word & RTCPLayout.encryptedFlag != 0
        let clear = isEncrypted ? RTCPLayout.headerLength : count
        return self.begin(ssrc: ssrc, index: UInt64(word & ~RTCPLayout.encryptedFlag))
            && self.cipher.expect(packet + count, count: self.tagLength)
            && self.cipher.authenticate(packet, count: clear) && self.authenticateWord(word)
            && self.cipher.update(packet + clear, into: packet + clear, count: count - clear)
            && self.cipher.finish()
    }

    /// The header, without what Cryptex encrypts of it (RFC 7714 section 8.2, RFC 9335 section 6.2).
    private func authenticateHeader(_ packet: RTPRegions) -> Bool {
        guard packet.isHeaderEncrypted else {
            return self.cipher.authenticate(packet.base, count: packet.headerLength)
        }
        return self.cipher.authenticate(packet.base, count: RTPLayout.fixedHeaderLength)
            && self.cipher.authenticate(packet.base + packet.sourcesEnd, count: 4)
    }

    private func authenticateWord(_ word: UInt32) -> Bool {
        self.scratch.storeBigEndian(word, at: 12)
        return self.cipher.authenticate(self.scratch + 12, count: 4)
    }

    /// Two zero bytes, SSRC and a 48-bit index, combined with the salt (RFC 7714 sections 8.1 and 9.1).
    private func begin(ssrc: UInt32, index: UInt64) -> Bool {
        self.scratch.storeBigEndian(self.saltHigh ^ (UInt64(ssrc) << 16 | index >> 32), at: 0)
        self.scratch.storeBigEndian(self.saltLow ^ UInt32(truncatingIfNeeded: index), at: 8)
        return self.cipher.begin(self.scratch.assumingMemoryBound(to: UInt8.self))
    }
}
