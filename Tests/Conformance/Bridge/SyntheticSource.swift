import NIOCore
import RTCCore
import RTCRTP
import WebRTC

/// Stands for a camera or a microphone: small pictures 30 times a second, or sound 50 times, as long as a sender has a live track of it.
/// Confined to the event loop.
final class SyntheticSource {
    private let source: MediaStreamTrackSource
    private let eventLoop: any EventLoop
    private var users: [RTCRtpTransceiver] = []
    private var task: RepeatedTask?
    private var number = 0
    private var wantsKeyFrame = true

    init(_ source: MediaStreamTrackSource, eventLoop: any EventLoop) {
        self.source = source
        self.eventLoop = eventLoop
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        source.setFeedbackHandler { [weak eventLoop] feedback in
            // The one event loop of the bridge is that of all connections.
            guard case .keyFrameRequest = feedback, eventLoop?.inEventLoop == true else { return }
            bound.value.wantsKeyFrame = true
        }
    }

    /// A transceiver sends a track of this source.
    func feed(_ transceiver: RTCRtpTransceiver) {
        if !self.users.contains(where: { $0 === transceiver }) { self.users.append(transceiver) }
        guard self.task == nil else { return }
        let interval: TimeAmount = self.source.kind == .audio ? .milliseconds(20) : .microseconds(33_333)
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        self.task = self.eventLoop.scheduleRepeatedTask(initialDelay: interval, delay: interval) { _ in
            bound.value.tick()
        }
    }

    private func tick() {
        self.users.removeAll { transceiver in
            let track = transceiver.sender.track
            return transceiver.direction == .stopped || track?.source !== self.source || track?.readyState != .live
        }
        guard !self.users.isEmpty else {
            self.task?.cancel()
            self.task = nil
            return
        }
        self.source.write(self.source.kind == .audio ? self.sound() : self.picture())
        self.number &+= 1
    }

    /// 20 ms of Opus: the configuration of a packet of silence.
    private func sound() -> RTCEncodedFrame {
        var frame = RTCEncodedFrame(
            data: ByteBuffer(bytes: [0xF8, 0xFF, 0xFE]),
            timestamp: UInt32(truncatingIfNeeded: self.number &* 960),
            codec: RTCRtpCodec(mimeType: "audio/opus", clockRate: 48_000, channels: 2)
        )
        frame.audioLevel = AudioLevel(level: 30, hasVoiceActivity: true)
        return frame
    }

    /// A picture of VP8: the header that a frame begins with, and what no decoder will ever see.
    private func picture() -> RTCEncodedFrame {
        let isKeyFrame = self.wantsKeyFrame
        self.wantsKeyFrame = false
        var data = ByteBuffer()
        data.writeBytes(
            isKeyFrame ? [0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A, 0x80, 0x02, 0xE0, 0x01] : [0x11, 0x02, 0x00]
        )
        data.writeRepeatingByte(UInt8(truncatingIfNeeded: self.number), count: 300)
        return RTCEncodedFrame(
            data: data,
            timestamp: UInt32(truncatingIfNeeded: self.number &* 3000),
            isKeyFrame: isKeyFrame,
            codec: RTCRtpCodec(mimeType: "video/VP8", clockRate: 90_000)
        )
    }
}
