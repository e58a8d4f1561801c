import RTCCore
import RTCSDP
import Synchronization
import WebRTC

/// Streams that are published under names and watched under the same: what a ``WHIPService`` takes, a ``WHEPService`` gives, packet by
/// packet. Nothing is decoded or encoded.
///
/// ```swift
/// let streams = LiveStreams()
/// let whip = WHIPService(path: "/whip", endpoint: endpoint, streams: streams)
/// let whep = WHEPService(path: "/whep", endpoint: endpoint, streams: streams)
/// ```
///
/// One publisher has a name at a time. One codec of each kind is agreed upon with it, the first of its offer, so that all viewers get what
/// they can decode. Of simulcast the first encoding is passed on.
public final class LiveStreams: Sendable {
    /// What happens when a name that has a publisher gets another one.
    public enum SecondPublisher: Sendable, Hashable {
        /// The new one takes its place once it is connected: it may be the same program, started again. Viewers stay where the codecs are
        /// the same.
        case takesOver
        /// The new one is refused with 409 while the old one is there. Of several that come at the same time the first that is connected
        /// has the name, and the sessions of the others end.
        case isRefused
    }

    /// What happens when a name that has a publisher gets another one.
    public let secondPublisher: SecondPublisher
    private let streams = Mutex<[String: LiveStream]>([:])

    /// No streams yet.
    public init(secondPublisher: SecondPublisher = .takesOver) { self.secondPublisher = secondPublisher }

    /// The names that something is published under.
    public var names: [String] { self.streams.withLock { $0.keys.sorted() } }

    /// What viewers of a stream get; nil if nobody publishes it.
    public func source(_ name: String) -> WHEPSource? { self.streams.withLock { $0[name] }?.source }

    // MARK: Publishers

    func prepare(_ peer: WHIPPeer) async throws {
        let stream = self.streams.withLock { $0[peer.name] }
        if stream?.hasPublisher == true, self.secondPublisher == .isRefused {
            throw WHIPRefusal.conflict("the stream has a publisher", retryAfter: .seconds(5))
        }
        let offered = peer.offeredCodecs
        for transceiver in peer.connection.getTransceivers() {
            let names = offered[transceiver.kind] ?? []
            // What viewers have now, if the publisher has it too.
            let kept = stream.flatMap { stream in names.first { stream.carries($0) } }
            if let name = kept ?? names.first { try await transceiver.prefer([name]) }
        }
    }

    /// Publishes until the task is cancelled, or another one takes the name; not at all if another one has it for good.
    func publish(_ peer: WHIPPeer) async {
        let next = LiveStream(peer)
        let beginning = self.streams.withLock { streams -> (LiveStream, Latch)? in
            let before = streams[peer.name]
            // Both may have been answered while neither was here.
            if self.secondPublisher == .isRefused, before?.hasPublisher == true { return nil }
            let stream = before.map { $0.codecs == next.codecs ? $0 : next } ?? next
            if let before, before !== stream { before.end() }
            streams[peer.name] = stream
            return (stream, stream.begin(peer))
        }
        guard let (stream, turn) = beginning else { return }
        await turn.wait()
        self.streams.withLock { streams in
            guard stream.leave(peer) else { return }
            if streams[peer.name] === stream { streams[peer.name] = nil }
            stream.end()
        }
    }
}

extension WHIPPeer {
    /// The names of the codecs that the client offers of each kind, in its order, as far as they are known here.
    fileprivate var offeredCodecs: [MediaKind: [String]] {
        guard let offer = self.connection.remoteDescription.flatMap({ try? SDPSession(parsing: $0.sdp) }) else {
            return [:]
        }
        var codecs: [MediaKind: [String]] = [:]
        for section in offer.media {
            guard let kind = MediaKind(rawValue: section.kind) else { continue }
            let known = RTCRtpReceiver.getCapabilities(kind).codecs.filter(\.carriesMedia).map { $0.name.lowercased() }
            let offered = section.formats.compactMap { format in
                section.rtpmaps.first { String($0.payloadType) == format }?.encodingName
            }
            codecs[kind, default: []] += offered.filter { known.contains($0.lowercased()) }
        }
        return codecs
    }
}

extension RTCRtpCodec {
    /// Whether it is a codec of sound or pictures, and not what goes with one.
    fileprivate var carriesMedia: Bool {
        !["rtx", "red", "ulpfec", "flexfec-03", "telephone-event", "cn"].contains(self.name.lowercased())
    }
}
