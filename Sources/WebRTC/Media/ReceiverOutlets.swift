import RTCCore
import Synchronization

/// Who takes what a receiver gets. A sequence that nobody reads in time loses the oldest, and counts.
final class ReceiverOutlets: Sendable {
    private struct Values {
        var packetHandler: (@Sendable (RTCReceivedPacket) -> Void)?
        var packets: AsyncStream<RTCReceivedPacket>.Continuation?
        var frameHandler: (@Sendable (RTCEncodedFrame) -> Void)?
        var frames: AsyncStream<RTCEncodedFrame>.Continuation?
        var tones: AsyncStream<RTCTelephoneEvent>.Continuation?
        var transform: (@Sendable (RTCEncodedFrame) -> RTCEncodedFrame?)?
        var dropped: UInt64 = 0
        var hasEnded = false
    }

    private let values = Mutex(Values())

    /// Packets and frames that were dropped because nobody read them.
    var droppedCount: UInt64 { self.values.withLock { $0.dropped } }

    var wantsPackets: Bool { self.values.withLock { $0.packetHandler != nil || $0.packets != nil } }
    var wantsFrames: Bool { self.values.withLock { $0.frameHandler != nil || $0.frames != nil } }

    func setPacketHandler(_ handler: (@Sendable (RTCReceivedPacket) -> Void)?) {
        self.values.withLock { $0.packetHandler = handler }
    }

    func setFrameHandler(_ handler: (@Sendable (RTCEncodedFrame) -> Void)?) {
        self.values.withLock { $0.frameHandler = handler }
    }

    func setTransform(_ transform: (@Sendable (RTCEncodedFrame) -> RTCEncodedFrame?)?) {
        self.values.withLock { $0.transform = transform }
    }

    func makePackets(limit: Int) -> AsyncStream<RTCReceivedPacket> {
        let (stream, continuation) = AsyncStream<RTCReceivedPacket>.makeStream(bufferingPolicy: .bufferingNewest(limit))
        let before = self.values.withLock { values in
            defer { values.packets = continuation }
            if values.hasEnded { continuation.finish() }
            return values.packets
        }
        before?.finish()
        return stream
    }

    func makeFrames(limit: Int) -> AsyncStream<RTCEncodedFrame> {
        let (stream, continuation) = AsyncStream<RTCEncodedFrame>.makeStream(bufferingPolicy: .bufferingNewest(limit))
        let before = self.values.withLock { values in
            defer { values.frames = continuation }
            if values.hasEnded { continuation.finish() }
            return values.frames
        }
        before?.finish()
        return stream
    }

    func makeTones(limit: Int) -> AsyncStream<RTCTelephoneEvent> {
        let (stream, continuation) = AsyncStream<RTCTelephoneEvent>.makeStream(bufferingPolicy: .bufferingNewest(limit))
        let before = self.values.withLock { values in
            defer { values.tones = continuation }
            if values.hasEnded { continuation.finish() }
            return values.tones
        }
        before?.finish()
        return stream
    }

    // MARK: On the event loop

    func deliver(_ packet: RTCReceivedPacket) {
        let (handler, packets) = self.values.withLock { ($0.packetHandler, $0.packets) }
        handler?(packet)
        if let packets, case .dropped = packets.yield(packet) { self.noteDrop() }
    }

    func deliver(_ frame: RTCEncodedFrame) {
        let (transform, handler, frames) = self.values.withLock { ($0.transform, $0.frameHandler, $0.frames) }
        guard let frame = transform.map({ $0(frame) }) ?? frame else { return }
        handler?(frame)
        if let frames, case .dropped = frames.yield(frame) { self.noteDrop() }
    }

    func deliver(_ tone: RTCTelephoneEvent) {
        let tones = self.values.withLock { $0.tones }
        if let tones, case .dropped = tones.yield(tone) { self.noteDrop() }
    }

    /// The track has ended: nothing comes any more.
    func end() {
        let (packets, frames, tones) = self.values.withLock { values in
            defer { values = Values(dropped: values.dropped, hasEnded: true) }
            return (values.packets, values.frames, values.tones)
        }
        packets?.finish()
        frames?.finish()
        tones?.finish()
    }

    private func noteDrop() { self.values.withLock { $0.dropped &+= 1 } }
}
