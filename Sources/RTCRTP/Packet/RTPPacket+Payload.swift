package import NIOCore

extension RTPPacket {
    /// The packet with another payload, and without padding. Contributing sources and header extensions stay.
    package func replacingPayload(with payload: ByteBuffer, as payloadType: PayloadType) -> RTPPacket? {
        let headerSize = self.view.payloadRange.lowerBound
        var packet = ByteBufferAllocator().buffer(capacity: headerSize + payload.readableBytes)
        packet.writeBytes(self.buffer.readableBytesSpan.extracting(0..<headerSize))
        // RFC 3550 section 5.1: the padding bit.
        guard let first = packet.getInteger(at: 0, as: UInt8.self) else { return nil }
        packet.setInteger(first & ~0x20, at: 0)
        packet.writeImmutableBuffer(payload)
        var replaced = RTPPacket(packet)
        replaced?.payloadType = payloadType
        return replaced
    }
}
