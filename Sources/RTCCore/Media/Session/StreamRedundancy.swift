import NIOCore
import RTCRTP

/// The redundancy of a stream of sound that is sent: each packet with the sound before it (RFC 2198).
struct StreamRedundancy {
    /// The payload type of the packets.
    let redPayloadType: PayloadType
    /// The payload type of the sound in them.
    let payloadType: PayloadType
    private var encoder: RedundantAudioSender
    private var lastSequence: UInt16?

    init(redPayloadType: PayloadType, payloadType: PayloadType) {
        self.redPayloadType = redPayloadType
        self.payloadType = payloadType
        // Whoever prefers redundancy wants it before the first loss, as browsers have it.
        var configuration = RedundancyPolicy.Configuration()
        configuration.minimum = 1
        self.encoder = RedundantAudioSender(
            redPayloadType: redPayloadType,
            payloadType: payloadType,
            policy: RedundancyPolicy(configuration: configuration)
        )
    }

    /// How many earlier packets each one carries.
    var redundancy: Int { self.encoder.redundancy }

    /// Takes a report of the peer's.
    ///
    /// - Parameter fractionLost: The share of packets lost since the last report, 0 to 1.
    mutating func update(fractionLost: Double, now: NIODeadline) {
        self.encoder.update(fractionLost: fractionLost, now: now)
    }

    /// Appends the payload of a packet to `buffer`.
    ///
    /// What follows a tone, or a packet that never came, repeats nothing: receivers tell by the order of the blocks which packet each of them
    /// was. Late packets go out as they are.
    ///
    /// - Returns: The payload type to send it with; `nil`, with nothing appended, if it is to go out as it is.
    mutating func encode(
        _ sound: ByteBuffer,
        header: RTPHeader,
        maximumPayloadSize: Int,
        into buffer: inout ByteBuffer
    ) -> PayloadType? {
        if let last = self.lastSequence {
            let distance = SequenceNumbers.distance(from: last, to: header.sequenceNumber)
            guard distance > 0 else { return nil }
            if distance > 1 { self.encoder.reset() }
        }
        self.lastSequence = header.sequenceNumber
        return try? self.encoder.encode(
            sound,
            timestamp: header.timestamp,
            maximumPayloadSize: maximumPayloadSize,
            into: &buffer
        )
    }
}
