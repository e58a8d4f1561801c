internal import NIOCore

/// Opus packets to RTP, each in one packet (RFC 7587 section 4.2). The marker is set on the first packet after silence.
public struct OpusPacketizer: RTPPacketizer {
    private var isSilent = true
    private var builder = PayloadBuilder()

    /// A packetizer of one stream.
    public init() {}

    /// Makes one payload of an Opus packet.
    public mutating func packetize(
        _ frame: EncodedFrame,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        let count = frame.payload.readableBytes
        guard count > 0 else { throw .emptyFrame }
        guard count <= maximumPayloadSize else { throw .indivisible(byteCount: count) }
        guard let packet = frame.payload.withUnsafeReadableBytes({ OpusPacket(bytes: $0) }) else {
            throw .malformedFrame
        }
        self.builder.append(frame: 0..<count)
        let beginsTalk = self.isSilent && !packet.isDiscontinuous
        self.isSilent = packet.isDiscontinuous
        self.builder.emit(marker: beginsTalk, beginsFrame: true, emit)
    }
}
