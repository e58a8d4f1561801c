import RTCCore
import RTCRTP

/// The objects that stand for a connection's transceivers and its peer's streams. The event loop's own.
final class PeerMedia {
    private let shared: PeerShared
    private var transceivers: [TransceiverID: RTCRtpTransceiver] = [:]
    /// The streams of the peer: one object for each identification as long as the connection lives.
    private var streams: [String: MediaStream] = [:]
    private var publishedRevision: UInt64?
    /// A peer that names ever new streams must not fill the memory: beyond this many, those without tracks are forgotten.
    private static let maximumIdleStreams = 256
    /// The transceivers in their order.
    private(set) var list: [RTCRtpTransceiver] = []

    init(shared: PeerShared) { self.shared = shared }

    subscript(id: TransceiverID) -> RTCRtpTransceiver? { self.transceivers[id] }

    /// Brings the objects to the session's state.
    func update(from session: PeerSession) {
        guard self.publishedRevision != session.transceiverRevision else { return }
        self.publishedRevision = session.transceiverRevision
        let states = session.transceiverStates
        var gone = self.transceivers
        self.list = states.map { state in
            if let known = gone.removeValue(forKey: state.id) {
                known.update(state)
                return known
            }
            let transceiver = RTCRtpTransceiver(state, shared: self.shared)
            self.transceivers[state.id] = transceiver
            return transceiver
        }
        for transceiver in gone.values { transceiver.left() }
        // Their tracks' last events may still be on their way.
        self.departed += gone.keys
    }

    /// Transceivers that left and whose events were not all told yet.
    private var departed: [TransceiverID] = []

    /// All that was reported is told: who left is forgotten.
    func forgetDeparted() {
        for id in self.departed { self.transceivers[id] = nil }
        self.departed = []
    }

    /// The connection is closed: everything ends, without events.
    func close(_ session: PeerSession) {
        for state in session.transceiverStates { self.transceivers[state.id]?.update(state) }
        for transceiver in self.transceivers.values {
            transceiver.receiver.track.end(silently: true)
            transceiver.receiver.end()
            transceiver.sender.end()
        }
    }

    func stream(_ id: String) -> MediaStream {
        if let known = self.streams[id] { return known }
        if self.streams.count >= Self.maximumIdleStreams {
            self.streams = self.streams.filter { !$0.value.getTracks().isEmpty }
        }
        let stream = MediaStream(id: id, tracks: [])
        self.streams[id] = stream
        return stream
    }

    /// Hands on what arrived, and what the peer asks for.
    func handle(_ event: MediaEvent) {
        switch event {
        case .packet(let id, let packet): self.transceivers[id]?.receiver.outlets.deliver(packet)
        case .frame(let id, let frame): self.transceivers[id]?.receiver.outlets.deliver(frame)
        case .keyFrameRequest(let id, let encoding): self.transceivers[id]?.sender.keyFrameRequested(encoding: encoding)
        case .targetBitrate(let id, let encoding, let rate):
            self.transceivers[id]?.sender.mayUse(rate, encoding: encoding)
        case .tone(let id, let tone): self.transceivers[id]?.receiver.outlets.deliver(tone)
        case .toneChange(let id, let tone, let remaining):
            guard let dtmf = self.transceivers[id]?.sender.dtmf else { return }
            dtmf.toneChanged(to: tone, remaining: remaining)
            self.shared.emit(.toneChange(dtmf, tone))
        case .arrived, .left: break
        }
    }

    /// Does to the objects what an event tells of.
    ///
    /// - Returns: What to tell of it to the user, `nil` for other events and for those that change nothing.
    func handle(_ event: PeerSession.Event) -> RTCPeerConnection.Event? {
        switch event {
        case .trackMuted(let id):
            guard let track = self.transceivers[id]?.receiver.track, track.setMuted(true) else { return nil }
            return .mute(track)
        case .trackUnmuted(let id):
            guard let track = self.transceivers[id]?.receiver.track, track.setMuted(false) else { return nil }
            return .unmute(track)
        case .trackEnded(let id):
            guard let transceiver = self.transceivers[id] else { return nil }
            transceiver.receiver.end()
            transceiver.sender.end()
            guard transceiver.receiver.track.end() else { return nil }
            return .ended(transceiver.receiver.track)
        case .streamTrackAdded(let id, let transceiver):
            guard let track = self.transceivers[transceiver]?.receiver.track else { return nil }
            let stream = self.stream(id)
            stream.joined(by: track)
            return .addTrack(stream, track)
        case .streamTrackRemoved(let id, let transceiver):
            guard let track = self.transceivers[transceiver]?.receiver.track else { return nil }
            let stream = self.stream(id)
            stream.left(by: track)
            return .removeTrack(stream, track)
        case .track(let id, let streams):
            guard let transceiver = self.transceivers[id] else { return nil }
            return .track(
                RTCTrackEvent(
                    receiver: transceiver.receiver,
                    track: transceiver.receiver.track,
                    streams: streams.map { self.stream($0) },
                    transceiver: transceiver
                )
            )
        default:
            return nil
        }
    }
}
