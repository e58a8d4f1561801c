public import NIOCore

extension ByteBuffer {
    /// Appends transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).
    ///
    /// - Parameters:
    ///   - referenceTime: In units of 64 ms; bits above the 24th are dropped.
    ///   - statuses: About the packet of the base sequence number and those after it; at most 65,535, the others are left
    ///     out. None writes nothing.
    public mutating func writeRTCPTransportFeedback(
        sender: SSRC,
        media: SSRC,
        baseSequenceNumber: UInt16,
        referenceTime: Int32,
        feedbackCount: UInt8,
        statuses: some RandomAccessCollection<RTCPTransportFeedback.Status>
    ) {
        let statuses = statuses.prefix(Int(UInt16.max))
        guard !statuses.isEmpty else { return }
        self.writeRTCPFeedback(
            .transportFeedback,
            format: RTCPFeedbackFormat.transportWide,
            sender: sender,
            media: media
        ) { buffer in
            buffer.writeInteger(baseSequenceNumber)
            buffer.writeInteger(UInt16(statuses.count))
            buffer.writeInteger(UInt32(bitPattern: referenceTime << 8) | UInt32(feedbackCount))
            var rest = statuses[...]
            while !rest.isEmpty {
                let (chunk, count) = RTCPStatusChunk.covering(rest)
                buffer.writeInteger(chunk.bits)
                rest = rest.dropFirst(count)
            }
            for case .received(let delta) in statuses {
                if (0...255).contains(delta) {
                    buffer.writeInteger(UInt8(delta))
                } else {
                    buffer.writeInteger(delta)
                }
            }
        }
    }
}

extension RTCPStatusChunk {
    /// The chunk that covers most of what `statuses` begins with, and how many it covers.
    static func covering(
        _ statuses: some RandomAccessCollection<RTCPTransportFeedback.Status>
    ) -> (chunk: RTCPStatusChunk, count: Int) {
        let first = statuses.first?.symbol ?? 0
        var run = 0
        var oneBit: (bits: UInt16, count: Int) = (0x8000, 0)
        var twoBit: (bits: UInt16, count: Int) = (0xC000, 0)
        var isRun = true
        var isOneBit = true
        for status in statuses {
            let symbol = status.symbol
            isRun = isRun && symbol == first && run < Self.longestRun
            isOneBit = isOneBit && symbol < 2
            if isRun { run += 1 }
            if isOneBit, oneBit.count < 14 {
                oneBit.bits |= UInt16(symbol) << UInt16(13 - oneBit.count)
                oneBit.count += 1
            }
            if twoBit.count < 7 {
                twoBit.bits |= UInt16(symbol) << UInt16(12 - 2 * twoBit.count)
                twoBit.count += 1
            }
            let isSettled = oneBit.count == 14 || !isOneBit && twoBit.count == 7
            if !isRun && isSettled { break }
        }
        // A vector has no room for an end: it is whole, or the last chunk.
        let isOneBitUsable = oneBit.count == 14 || oneBit.count == statuses.count
        let vector = isOneBitUsable && oneBit.count > twoBit.count ? oneBit : twoBit
        if run >= vector.count { return (RTCPStatusChunk(run: first, count: run), run) }
        return (RTCPStatusChunk(vector.bits), vector.count)
    }
}
