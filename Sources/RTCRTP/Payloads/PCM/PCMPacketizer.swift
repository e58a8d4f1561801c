internal import NIOCore

/// Sound of one byte a tick to packets: G.711 and G.722 (RFC 3551 sections 4.5.14 and 4.5.2).
///
/// G.722 has two samples of 16,000 Hz in a byte and a clock rate of 8,000 Hz, so one byte is one tick of either. A block
/// that is larger than a packet is divided, the timestamps moving on with it.
public struct PCMPacketizer: RTPPacketizer {
    private var builder = PayloadBuilder()

    /// A packetizer of one stream.
    public init() {}

    /// The ticks of the RTP timestamp that a block lasts.
    public static func duration(of block: EncodedFrame) -> Int { block.payload.readableBytes }

    /// Cuts a block of samples into payloads.
    public mutating func packetize(
        _ frame: EncodedFrame,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        guard maximumPayloadSize > 0 else { throw .maximumPayloadSizeTooSmall(minimum: 1) }
        try requireDivisible(byteCount: frame.payload.readableBytes, capacity: maximumPayloadSize)
        let split = EvenSplit(frame.payload.readableBytes, capacity: maximumPayloadSize)
        for index in 0..<split.count {
            let range = split.range(index)
            self.builder.append(frame: range)
            self.builder.emit(
                marker: false,
                beginsFrame: true,
                timestampOffset: UInt32(truncatingIfNeeded: range.lowerBound),
                emit
            )
        }
    }
}
