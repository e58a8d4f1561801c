import RTCCore
import Synchronization
import WebRTC

/// One stream: the sources that viewers are fed from, and who feeds them.
final class LiveStream: Sendable {
    private struct Feed {
        var peer: WHIPPeer
        /// Opens when another one takes its place.
        var isReplaced: Latch
    }

    /// The names of the codecs, in lower case.
    let codecs: Set<String>
    private let sources: [MediaStreamTrackSource]
    private let current = Mutex<Feed?>(nil)
    private let isOver = Latch()

    /// A stream of what a publisher has negotiated.
    init(_ peer: WHIPPeer) {
        var codecs: Set<String> = []
        var sources: [MediaStreamTrackSource] = []
        for transceiver in peer.connection.getTransceivers() where transceiver.currentDirection == .recvonly {
            guard let codec = transceiver.receiver.getParameters().codecs.first?.codec else { continue }
            codecs.insert(codec.name.lowercased())
            sources.append(MediaStreamTrackSource(kind: transceiver.kind, label: peer.name))
        }
        self.codecs = codecs
        self.sources = sources
        for source in sources where source.kind == .video {
            source.setFeedbackHandler { [weak self] feedback in
                // Nothing is encoded here: whoever sends the picture must make it new.
                if case .keyFrameRequest(let encoding) = feedback { self?.requestKeyFrame(encoding) }
            }
        }
    }

    func carries(_ codec: String) -> Bool { self.codecs.contains(codec.lowercased()) }

    /// What viewers get, until the stream is over.
    var source: WHEPSource {
        WHEPSource(
            sources: self.sources,
            codecs: Array(self.codecs),
            neighbour: self.current.withLock { $0?.peer.connection }
        ) { _ in
            // A picture that was sent before somebody could receive it is of no use.
            self.requestKeyFrame(0)
            await self.isOver.wait()
        }
    }

    /// Whether a publisher feeds the viewers. One whose session has ended is none, though it may not have left yet.
    var hasPublisher: Bool {
        self.current.withLock { $0?.peer.connection }.map { $0.signalingState != .closed } ?? false
    }

    /// Has a publisher feed the viewers, in the place of another if there is one. What is returned opens when the publisher's turn is over.
    func begin(_ peer: WHIPPeer) -> Latch {
        let isReplaced = Latch()
        let before = self.current.withLock { current in
            defer { current = Feed(peer: peer, isReplaced: isReplaced) }
            return current
        }
        if let before {
            Self.detach(before.peer)
            before.isReplaced.open()
        }
        for source in self.sources {
            peer.transceiver(source.kind)?.receiver.setPacketHandler { packet in
                if packet.encoding == 0 { source.write(packet) }
            }
        }
        self.requestKeyFrame(0)
        return isReplaced
    }

    /// Says that a publisher is gone; true if that is the stream's end, because no other has taken its place.
    func leave(_ peer: WHIPPeer) -> Bool {
        let wasCurrent = self.current.withLock { current in
            guard current?.peer.session == peer.session else { return false }
            current = nil
            return true
        }
        if wasCurrent { Self.detach(peer) }
        return wasCurrent
    }

    /// Ends the stream for its viewers, and for its publisher if there is one.
    func end() {
        self.current.withLock { $0 }?.isReplaced.open()
        self.isOver.open()
    }

    private static func detach(_ peer: WHIPPeer) {
        for receiver in peer.connection.getReceivers() { receiver.setPacketHandler(nil) }
    }

    private func requestKeyFrame(_ encoding: Int) {
        let peer = self.current.withLock { $0?.peer }
        peer?.transceiver(.video)?.receiver.requestKeyFrame(encoding: encoding)
    }
}
