package import NIOCore

/// Sends frames of sound with as many earlier ones as the loss asks for (RFC 2198): plainly while there is none.
package struct RedundantAudioSender: Sendable {
    private let redPayloadType: PayloadType
    private let payloadType: PayloadType
    private var policy: RedundancyPolicy
    private var encoder = REDEncoder(redundancy: 0)

    /// A sender of one stream.
    ///
    /// - Parameters:
    ///   - redPayloadType: The payload type agreed for RED.
    ///   - payloadType: The payload type of the frames.
    ///   - policy: How many earlier frames are carried.
    package init(redPayloadType: PayloadType, payloadType: PayloadType, policy: RedundancyPolicy = RedundancyPolicy()) {
        self.redPayloadType = redPayloadType
        self.payloadType = payloadType
        self.policy = policy
        self.encoder.redundancy = policy.redundancy
    }

    /// How many earlier frames packets carry now.
    package var redundancy: Int { self.policy.redundancy }

    /// Takes a report of the peer's.
    ///
    /// - Parameter fractionLost: The share of packets lost since the last report, 0 to 1.
    package mutating func update(fractionLost: Double, now: NIODeadline) {
        let redundancy = self.policy.update(fractionLost: fractionLost, now: now)
        self.encoder.redundancy = redundancy
    }

    /// Forgets the earlier frames: after a change of the timestamps' base.
    package mutating func reset() { self.encoder.reset() }

    /// Appends the payload for a frame to `buffer`.
    ///
    /// - Parameters:
    ///   - frame: The frame as its own format puts it into a packet.
    ///   - timestamp: Its RTP timestamp.
    ///   - maximumPayloadSize: The largest payload in bytes.
    ///   - buffer: What to append to.
    /// - Returns: The payload type to send it with.
    package mutating func encode(
        _ frame: ByteBuffer,
        timestamp: UInt32,
        maximumPayloadSize: Int,
        into buffer: inout ByteBuffer
    ) throws(PacketizationError) -> PayloadType {
        // A frame that fills a packet has no room for the byte that says that nothing precedes it.
        guard self.redundancy > 0, frame.readableBytes < maximumPayloadSize else {
            guard frame.readableBytes > 0 else { throw .emptyFrame }
            guard frame.readableBytes <= maximumPayloadSize else {
                throw .indivisible(byteCount: frame.readableBytes)
            }
            // What comes before a frame that is not repeated must not be repeated after it: the order tells what is what.
            self.encoder.reset()
            buffer.writeImmutableBuffer(frame)
            return self.payloadType
        }
        try self.encoder.encode(
            frame,
            payloadType: self.payloadType,
            timestamp: timestamp,
            maximumPayloadSize: maximumPayloadSize,
            into: &buffer
        )
        return self.redPayloadType
    }
}
