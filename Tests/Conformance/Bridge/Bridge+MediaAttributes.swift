import JSONLines
import NIOCore
import RTCBase
import RTCCore
import WebRTC

extension Bridge {
    func adopt(_ track: MediaStreamTrack) -> JSONValue {
        if let known = self.media.id(of: track) { return .reference(known, "MediaStreamTrack") }
        let id = self.makeID("track")
        self.media.add(track, id: id)
        self.image.set(
            [
                "id": .string(track.id), "kind": .string(track.kind.rawValue), "label": .string(track.label),
                "enabled": .bool(track.enabled), "muted": .bool(track.muted),
                "readyState": .string(track.readyState.rawValue),
            ],
            of: id
        )
        return .reference(id, "MediaStreamTrack")
    }

    func adopt(_ stream: MediaStream) -> JSONValue {
        if let known = self.media.id(of: stream) { return .reference(known, "MediaStream") }
        let id = self.makeID("stream")
        self.media.add(stream, id: id)
        self.image.set("id", .string(stream.id), of: id)
        self.tellTracks(of: stream, id)
        return .reference(id, "MediaStream")
    }

    private func tellTracks(of stream: MediaStream, _ id: String) {
        self.image.set("tracks", .array(stream.getTracks().map { self.adopt($0) }), of: id)
    }

    /// A transceiver as Node knows it, with all attributes if it did not.
    func adopt(_ transceiver: RTCRtpTransceiver, of owner: ConnectionObject) -> MediaObjects.Transceiver {
        if let known = self.media.transceiver(transceiver) { return known }
        let object = MediaObjects.Transceiver(
            id: self.makeID("transceiver"),
            senderID: self.makeID("sender"),
            receiverID: self.makeID("receiver"),
            dtmfID: transceiver.sender.dtmf == nil ? nil : self.makeID("dtmf"),
            object: transceiver,
            owner: owner
        )
        self.media.add(object)
        // A page that shows a track reads its frames.
        transceiver.receiver.setFrameHandler { _ in }
        self.image.set(
            [
                "mid": JSONValue(transceiver.mid),
                "currentDirection": JSONValue(transceiver.currentDirection?.rawValue),
                "sender": .reference(object.senderID, "RTCRtpSender"),
                "receiver": .reference(object.receiverID, "RTCRtpReceiver"),
            ],
            of: object.id
        )
        let dtmf = object.dtmfID.map { JSONValue.reference($0, "RTCDTMFSender") } ?? .null
        self.image.set(["dtmf": dtmf, "transport": nil], of: object.senderID)
        if let id = object.dtmfID { self.image.set("toneBuffer", "", of: id) }
        self.image.set(
            ["track": self.adopt(transceiver.receiver.track), "jitterBufferTarget": nil, "transport": nil],
            of: object.receiverID
        )
        self.tellChangeable(object)
        return object
    }

    /// What calls change, as it is now.
    func tellChangeable(_ transceiver: MediaObjects.Transceiver) {
        if let source = transceiver.object.sender.track?.source { self.media.source(source)?.feed(transceiver.object) }
        let direction = JSONValue.string(transceiver.object.direction.rawValue)
        let track = transceiver.object.sender.track.map { self.adopt($0) } ?? .null
        self.image.set("direction", direction, of: transceiver.id)
        self.image.set("track", track, of: transceiver.senderID)
    }

    /// What descriptions change, as it was at that moment.
    func tellTransceivers(_ moment: Moment, of object: ConnectionObject) {
        let before = object.transceivers
        object.transceivers = moment.transceivers.map { self.adopt($0.object, of: object) }
        for (known, values) in zip(object.transceivers, moment.transceivers) {
            self.image.set("mid", JSONValue(values.mid), of: known.id)
            self.image.set("currentDirection", JSONValue(values.currentDirection?.rawValue), of: known.id)
            let transport = values.hasTransport ? self.dtlsReference(of: object) : .null
            self.image.set("transport", transport, of: known.senderID)
            self.image.set("transport", transport, of: known.receiverID)
            self.tellChangeable(known)
        }
        for gone in before where !object.transceivers.contains(where: { $0 === gone }) {
            let transceiver = gone.object
            self.image.set("mid", JSONValue(transceiver.mid), of: gone.id)
            self.image.set("currentDirection", JSONValue(transceiver.currentDirection?.rawValue), of: gone.id)
            self.image.set("transport", nil, of: gone.senderID)
            self.image.set("transport", nil, of: gone.receiverID)
            self.tellChangeable(gone)
        }
    }

    /// Tells an event of tracks and streams.
    func tellMedia(_ event: RTCPeerConnection.Event, of object: ConnectionObject) {
        switch event {
        case .track(let event):
            let transceiver = self.adopt(event.transceiver, of: object)
            self.write(
                event: "track",
                of: object.id,
                [
                    "receiver": .reference(transceiver.receiverID, "RTCRtpReceiver"),
                    "track": self.adopt(event.track),
                    "streams": .array(event.streams.map { self.adopt($0) }),
                    "transceiver": .reference(transceiver.id, "RTCRtpTransceiver"),
                ]
            )
        case .addTrack(let stream, let track), .removeTrack(let stream, let track):
            guard let id = self.adopt(stream).reference else { return }
            self.tellTracks(of: stream, id)
            var name = "removetrack"
            if case .addTrack = event { name = "addtrack" }
            self.write(event: name, of: id, ["track": self.adopt(track)])
        case .mute(let track): self.tell("mute", ["muted": true], of: track)
        case .unmute(let track): self.tell("unmute", ["muted": false], of: track)
        case .toneChange(let dtmf, let tone):
            let owner = object.transceivers.first { $0.object.sender.dtmf === dtmf }
            guard let id = owner?.dtmfID else { return }
            self.image.set("toneBuffer", .string(dtmf.toneBuffer), of: id)
            self.write(event: "tonechange", of: id, ["tone": .string(tone)])
        case .ended(let track): self.tell("ended", ["readyState": "ended"], of: track)
        default: break
        }
    }

    private func tell(_ event: String, _ attributes: [String: JSONValue], of track: MediaStreamTrack) {
        guard let id = self.adopt(track).reference else { return }
        self.image.set(attributes, of: id)
        self.write(event: event, of: id)
    }

    /// The tracks of a closed connection's receivers are over, without events.
    func tellTracksEnded(of object: ConnectionObject) {
        for transceiver in object.transceivers {
            let track = transceiver.object.receiver.track
            guard let id = self.media.id(of: track) else { continue }
            self.image.set("readyState", .string(track.readyState.rawValue), of: id)
        }
    }
}

extension RTCPeerConnection.Event {
    /// Whether setting a description brings it about before it settles (webrtc-pc section 4.4.1.5).
    var belongsToDescription: Bool {
        switch self {
        case .signalingStateChange, .mute, .removeTrack, .addTrack, .track: return true
        default: return false
        }
    }
}
