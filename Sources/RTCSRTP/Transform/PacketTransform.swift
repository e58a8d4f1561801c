/// How packets of one kind and direction are encrypted and authenticated: the cryptographic transform of RFC 3711 section
/// 3.1, without streams, indices and replay.
protocol PacketTransform: AnyObject {
    /// Whether the tag of an RTCP packet stands before the word with its index, and not behind.
    static var tagPrecedesIndex: Bool { get }

    /// A transform that seals or opens.
    init(_ keys: SessionKeys, tagLength: Int, seals: Bool) throws(SRTPError)

    /// Encrypts `payload` to behind the header, which is in place, and appends the tag. `false` if the library fails.
    func sealRTP(_ packet: RTPRegions, payload: UnsafeRawPointer, ssrc: UInt32, index: UInt64) -> Bool

    /// Decrypts in place; `false` if the tag, which follows the packet, is wrong.
    func openRTP(_ packet: RTPRegions, ssrc: UInt32, index: UInt64) -> Bool

    /// Encrypts the packet of `count` bytes at `source` to `destination`, which may be the same, behind the header, which is
    /// in place; appends tag and `word`. `false` if the library fails.
    func sealRTCP(
        _ source: UnsafeRawPointer,
        count: Int,
        into destination: UnsafeMutableRawPointer,
        ssrc: UInt32,
        word: UInt32
    ) -> Bool

    /// Decrypts in place a packet of `count` bytes, tag and word not counted; `false` if the tag is wrong.
    func openRTCP(_ packet: UnsafeMutableRawPointer, count: Int, ssrc: UInt32, word: UInt32) -> Bool
}

/// The parts of an RTP packet in a buffer, as a transform treats them.
struct RTPRegions {
    /// The first byte.
    let base: UnsafeMutableRawPointer
    /// The length of the whole header.
    let headerLength: Int
    /// Where contributing sources end.
    let sourcesEnd: Int
    /// Whether contributing sources and the contents of the extension are encrypted. If so, there is an extension.
    let isHeaderEncrypted: Bool
    /// The length of the payload, padding included.
    let payloadLength: Int

    /// The length of header and payload.
    var length: Int { self.headerLength + self.payloadLength }
    /// The contributing sources.
    var sources: UnsafeMutableRawPointer { self.base + RTPLayout.fixedHeaderLength }
    /// The length of the contributing sources.
    var sourcesLength: Int { self.sourcesEnd - RTPLayout.fixedHeaderLength }
    /// The contents of the extension, behind its first four bytes.
    var extensionContents: UnsafeMutableRawPointer { self.base + self.sourcesEnd + 4 }
    /// The length of the contents of the extension.
    var extensionLength: Int { self.headerLength - self.sourcesEnd - 4 }
    /// The payload.
    var payload: UnsafeMutableRawPointer { self.base + self.headerLength }
}

extension CipherContext {
    /// Encrypts or decrypts where they stand the parts of the header that Cryptex hides, if it does.
    func updateHeader(_ packet: RTPRegions) -> Bool {
        guard packet.isHeaderEncrypted else { return true }
        return self.update(packet.sources, into: packet.sources, count: packet.sourcesLength)
            && self.update(packet.extensionContents, into: packet.extensionContents, count: packet.extensionLength)
    }
}
