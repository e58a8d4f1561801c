public import NIOCore

extension SRTPSender {
    /// Protects the RTP packet that a buffer's readable bytes are, in place; the buffer grows by the tag. Its storage is copied
    /// only if it is shared or has no room.
    ///
    /// - Throws: ``SRTPProtectError``; the buffer's indices then stay.
    public func protectRTP(_ packet: inout ByteBuffer) throws(SRTPProtectError) {
        let length = packet.readableBytes
        let result = packet.withReadableBytesAndRoom(self.rtpOverhead) { bytes in
            Result { () throws(SRTPProtectError) in try self.protectRTP(in: bytes, length: length) }
        }
        packet.moveWriterIndex(to: packet.readerIndex + (try result.get()))
    }

    /// Protects the compound RTCP packet that a buffer's readable bytes are, in place; the buffer grows by tag and index.
    ///
    /// - Throws: ``SRTPProtectError``; the buffer's indices then stay.
    public func protectRTCP(_ packet: inout ByteBuffer) throws(SRTPProtectError) {
        let length = packet.readableBytes
        let result = packet.withReadableBytesAndRoom(self.rtcpOverhead) { bytes in
            Result { () throws(SRTPProtectError) in try self.protectRTCP(in: bytes, length: length) }
        }
        packet.moveWriterIndex(to: packet.readerIndex + (try result.get()))
    }

    /// Protects an RTP packet whose header and payload stand apart, at the end of a buffer (a batch, for example).
    ///
    /// - Parameters:
    ///   - header: The RTP header: with contributing sources and header extension, and nothing behind.
    ///   - payload: What follows it.
    ///   - buffer: Where the protected packet is appended.
    /// - Returns: The protected packet's length.
    /// - Throws: ``SRTPProtectError``; nothing is then appended.
    @discardableResult
    public func protectRTP(
        header: UnsafeRawBufferPointer,
        payload: UnsafeRawBufferPointer,
        appendingTo buffer: inout ByteBuffer
    ) throws(SRTPProtectError) -> Int {
        let room = header.count + payload.count + self.rtpOverhead
        buffer.reserveCapacity(minimumWritableBytes: room)
        let result = buffer.withUnsafeMutableWritableBytes { bytes in
            Result { () throws(SRTPProtectError) in
                try self.protectRTP(header: header, payload: payload, into: bytes)
            }
        }
        let length = try result.get()
        buffer.moveWriterIndex(forwardBy: length)
        return length
    }
}

extension SRTPReceiver {
    /// Unprotects the SRTP packet that a buffer's readable bytes are, in place; the buffer shrinks by the tag. Its storage is
    /// copied if it is shared.
    ///
    /// - Returns: `nil` for the peer's new packet, otherwise why it is to be dropped.
    public func unprotectRTP(_ packet: inout ByteBuffer) -> SRTPUnprotectFailure? {
        let result = packet.withUnsafeMutableReadableBytes { self.unprotectRTP($0) }
        return packet.shorten(result)
    }

    /// Unprotects the SRTCP packet that a buffer's readable bytes are, in place; the buffer shrinks by tag and index.
    ///
    /// - Returns: `nil` for the peer's new packet, otherwise why it is to be dropped.
    public func unprotectRTCP(_ packet: inout ByteBuffer) -> SRTPUnprotectFailure? {
        let result = packet.withUnsafeMutableReadableBytes { self.unprotectRTCP($0) }
        return packet.shorten(result)
    }
}

extension ByteBuffer {
    fileprivate mutating func withReadableBytesAndRoom<Result>(
        _ room: Int,
        _ body: (UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        self.reserveCapacity(minimumWritableBytes: room)
        let start = self.readerIndex
        return self.withVeryUnsafeMutableBytes { body(UnsafeMutableRawBufferPointer(rebasing: $0[start...])) }
    }

    fileprivate mutating func shorten(_ result: SRTPUnprotectResult) -> SRTPUnprotectFailure? {
        switch result {
        case .packet(let length):
            self.moveWriterIndex(to: self.readerIndex + length)
            return nil
        case .failure(let failure): return failure
        }
    }
}
