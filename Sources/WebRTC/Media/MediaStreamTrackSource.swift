public import RTCCore
public import RTCRTP
import Synchronization

/// What local tracks are fed from: a file, an encoder, another peer.
///
/// ```swift
/// let source = MediaStreamTrackSource(kind: .video, label: "clip")
/// try await connection.addTrack(MediaStreamTrack(source: source))
/// source.write(RTCEncodedFrame(data: picture, timestamp: 0, isKeyFrame: true, codec: vp8))
/// ```
///
/// What is written goes to every sender that a track of this source is set on. Writing never waits; what a peer does not want, or the
/// path cannot carry in time, is dropped and counted in the sender's statistics.
public final class MediaStreamTrackSource: Sendable {
    /// What the receivers of the media ask for.
    public enum Feedback: Sendable, Hashable {
        /// A peer needs a key frame of an encoding: it joined, or lost too much.
        case keyFrameRequest(encoding: Int)
        /// So much may be used for an encoding, headers included; zero while it is switched off.
        case targetBitrate(Bitrate, encoding: Int)
    }

    /// What the source delivers.
    public let kind: MediaKind
    /// The label that its tracks get.
    public let label: String
    /// What the receivers ask for, the last 64 that were not read. To be read by one task.
    public let feedback: AsyncStream<Feedback>

    private let continuation: AsyncStream<Feedback>.Continuation
    private let handler = Mutex<(@Sendable (Feedback) -> Void)?>(nil)
    private let sinks = Mutex<[Sink]>([])

    /// A track of this source on a sender.
    private struct Sink: Sendable {
        let track: MediaStreamTrack
        let outlet: SenderOutlet
    }

    /// A source.
    public init(kind: MediaKind, label: String = "") {
        self.kind = kind
        self.label = label
        (self.feedback, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(64))
    }

    deinit { self.continuation.finish() }

    // MARK: Writing

    /// Sends a frame. Frames of an encoding are written in the order of sending, and about when they are to be seen: nothing here
    /// waits until a frame's time has come.
    public func write(_ frame: RTCEncodedFrame) {
        let source = ObjectIdentifier(self).hashValue
        for sink in self.sinks.withLock({ $0 }) where sink.track.letsThrough {
            sink.outlet.write(.frame(frame, source: source))
        }
    }

    /// Sends a packet that a peer sent. It keeps its payload, its order and its gaps; names and numbers become those of the sender's stream.
    ///
    /// - Parameters:
    ///   - packet: The packet, as a receiver gave it.
    ///   - encoding: Which of the sender's encodings it is to be; default 0.
    public func write(_ packet: RTCReceivedPacket, encoding: Int = 0) {
        for sink in self.sinks.withLock({ $0 }) where sink.track.letsThrough {
            sink.outlet.write(.packet(packet, encoding: encoding))
        }
    }

    // MARK: Feedback

    /// Calls `handler` with feedback as it comes, on the event loop of the connection that it comes from; it must not block.
    /// `nil` takes it away. ``feedback`` goes on beside it.
    public func setFeedbackHandler(_ handler: (@Sendable (Feedback) -> Void)?) {
        self.handler.withLock { $0 = handler }
    }

    func tell(_ feedback: Feedback) {
        self.continuation.yield(feedback)
        self.handler.withLock { $0 }?(feedback)
    }

    // MARK: Senders

    func attach(_ track: MediaStreamTrack, to outlet: SenderOutlet) {
        self.sinks.withLock { $0.append(Sink(track: track, outlet: outlet)) }
        if self.kind == .video { self.tell(.keyFrameRequest(encoding: 0)) }
    }

    func detach(_ track: MediaStreamTrack, from outlet: SenderOutlet) {
        self.sinks.withLock { $0.removeAll { $0.track === track && $0.outlet === outlet } }
    }
}
