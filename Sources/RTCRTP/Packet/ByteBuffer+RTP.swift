public import NIOCore

extension ByteBuffer {
    /// Appends one RTP packet: the header, then what `body` appends to the writer.
    ///
    /// - Parameters:
    ///   - maximumSize: The packet's greatest size in bytes; so many are reserved.
    ///   - paddingSize: How many bytes of padding to append, 0 to 255, the one that counts them included.
    /// - Returns: The packet's size; `nil`, with nothing appended, if it did not fit or a step was not allowed.
    @discardableResult
    public mutating func writeRTPPacket(
        _ header: RTPHeader,
        contributingSources: some Collection<SSRC> = EmptyCollection(),
        maximumSize: Int,
        paddingSize: Int = 0,
        _ body: (inout RTPPacketWriter) -> Void
    ) -> Int? {
        var size: Int?
        self.writeWithUnsafeMutableBytes(minimumWritableBytes: max(maximumSize, 0)) { bytes in
            let packet = UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(max(maximumSize, 0)))
            var writer = RTPPacketWriter(packet, header: header, contributingSources: contributingSources)
            body(&writer)
            size = writer.finish(paddingSize: paddingSize)
            return size ?? 0
        }
        return size
    }
}
