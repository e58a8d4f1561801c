import NIOCore
import WebRTC

/// A stream of VP8 packets of equal size at a steady rate, as a load generator publishes it.
final class PacketFlow {
    private let source: MediaStreamTrackSource
    private let format: RTPStreamFormat
    private let payload: ByteBuffer
    private let packetsPerSecond: Double
    private(set) var sent = 0

    init(source: MediaStreamTrackSource, packetsPerSecond: Double, bytes: Int) {
        self.source = source
        self.packetsPerSecond = packetsPerSecond
        // A VP8 descriptor of one byte, then anything.
        self.payload = ByteBuffer(repeating: 0, count: max(bytes - 12, 1))
        self.format = RTPStreamFormat(
            payloadType: PayloadType(lowBitsOf: 96),
            codec: RTCRtpCodec(mimeType: "video/VP8", clockRate: 90_000)
        )
    }

    /// Sends what is due `elapsed` after the beginning; to be called every millisecond or so.
    func send(upTo elapsed: TimeAmount, now: NIODeadline) throws {
        let seconds = Double(elapsed.nanoseconds) / 1e9
        while Double(self.sent) < seconds * self.packetsPerSecond {
            let header = RTPHeader(
                payloadType: self.format.payloadType,
                sequenceNumber: UInt16(truncatingIfNeeded: self.sent),
                timestamp: UInt32(truncatingIfNeeded: Int(seconds * 90_000)),
                ssrc: SSRC(1)
            )
            let packet = try RTPPacket(header: header, payload: self.payload)
            self.source.write(RTCReceivedPacket(packet: packet, format: self.format, arrival: now))
            self.sent += 1
        }
    }

    /// Publishes a stream from each source for a while.
    ///
    /// - Returns: How many packets were sent.
    static func play(
        _ sources: [MediaStreamTrackSource],
        packetsPerSecond rate: Double,
        bytes: Int,
        for duration: TimeAmount,
        on eventLoop: any EventLoop
    ) async throws -> Int {
        try await eventLoop.flatSubmit {
            let flows = NIOLoopBound(
                sources.map { PacketFlow(source: $0, packetsPerSecond: rate, bytes: bytes) },
                eventLoop: eventLoop
            )
            let start = NIODeadline.now()
            let done = eventLoop.makePromise(of: Int.self)
            eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(1)) { task in
                let now = NIODeadline.now()
                do {
                    for flow in flows.value { try flow.send(upTo: now - start, now: now) }
                } catch {
                    done.fail(error)
                }
                guard now - start >= duration else { return }
                task.cancel()
                done.succeed(flows.value.reduce(0) { $0 + $1.sent })
            }
            return done.futureResult
        }.get()
    }
}
