public import NIOCore

/// The payload of one packet to send: bytes of its own and ranges of the frame, in turns.
///
/// It refers to the frame that was packetized, so that header and payload are written into the packet with one copy.
public struct RTPPayload: Sendable, Hashable {
    /// A few bytes, and the bytes of the frame behind them.
    public struct Piece: Sendable, Hashable {
        /// What comes first.
        public internal(set) var prefix = PayloadPrefix()
        /// What follows: a range of the frame's readable bytes, counted from the first of them. May be empty.
        public internal(set) var range = 0..<0
    }

    /// The pieces in order.
    public let pieces: [Piece]
    /// The whole length in bytes.
    public let byteCount: Int
    /// The marker bit. Pictures: set on a frame's last packet. Sound: set on the first packet after silence.
    public let marker: Bool
    /// Whether the packet is the first of its frame.
    public let beginsFrame: Bool
    /// What to add to the frame's timestamp, in ticks: not zero where a block of samples spans several packets.
    public let timestampOffset: UInt32

    /// Writes the payload to the beginning of `target`, which must have room for ``byteCount`` bytes.
    ///
    /// - Parameter frame: The readable bytes of the frame that was packetized.
    public func copy(from frame: UnsafeRawBufferPointer, to target: UnsafeMutableRawBufferPointer) {
        precondition(target.count >= self.byteCount)
        var offset = 0
        for piece in self.pieces {
            for index in 0..<piece.prefix.count {
                target[offset] = piece.prefix[index]
                offset += 1
            }
            guard !piece.range.isEmpty else { continue }
            UnsafeMutableRawBufferPointer(rebasing: target[offset...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: frame[piece.range]))
            offset += piece.range.count
        }
    }

    /// Appends the payload to `buffer`.
    public func append(to buffer: inout ByteBuffer, from frame: ByteBuffer) {
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: self.byteCount) { target in
            frame.withUnsafeReadableBytes { self.copy(from: $0, to: target) }
            return self.byteCount
        }
    }
}
