import JSONLines
import NIOCore
import RTCBase
import RTCCore
import WebRTC

// MARK: - Calls

extension Bridge {
    /// A method of a connection that has to do with media.
    func callMedia(_ object: ConnectionObject, _ method: String, _ arguments: JSONValue) async throws -> JSONValue {
        switch method {
        case "addTrack":
            let track = try self.track(arguments[0])
            let streams = (arguments.array ?? []).dropFirst().compactMap {
                $0.reference.flatMap { self.media.streams[$0] }
            }
            let sender = try await object.connection.addTrack(track, streams: streams)
            return .reference(try self.tellOwner(of: sender, object).senderID, "RTCRtpSender")
        case "addTransceiver":
            return try await self.addTransceiver(object, arguments)
        case "removeTrack":
            guard let sender = arguments[0]?.reference.flatMap({ self.media.senders[$0] }) else {
                throw Failure("TypeError", "a sender is required")
            }
            try await object.connection.removeTrack(sender.object.sender)
            self.tellChangeable(sender)
            return nil
        case "getTransceivers":
            return .array(object.transceivers.map { .reference($0.id, "RTCRtpTransceiver") })
        case "getSenders":
            return .array(object.transceivers.map { .reference($0.senderID, "RTCRtpSender") })
        case "getReceivers":
            return .array(object.transceivers.map { .reference($0.receiverID, "RTCRtpReceiver") })
        default:
            throw Failure.notImplemented("RTCPeerConnection.\(method)")
        }
    }

    private func addTransceiver(_ object: ConnectionObject, _ arguments: JSONValue) async throws -> JSONValue {
        let options = arguments[1] ?? [:]
        let settings = RTCRtpTransceiverInit(
            direction: options["direction"]?.string.flatMap(RTCRtpTransceiverDirection.init(rawValue:)) ?? .sendrecv,
            streams: (options["streams"]?.array ?? []).compactMap { $0.reference.flatMap { self.media.streams[$0] } },
            sendEncodings: (options["sendEncodings"]?.array ?? []).map(\.encoding)
        )
        let transceiver: RTCRtpTransceiver
        if arguments[0]?.reference != nil {
            transceiver = try await object.connection.addTransceiver(try self.track(arguments[0]), settings)
        } else {
            guard let kind = arguments[0]?.string.flatMap(MediaKind.init(rawValue:)) else {
                throw Failure("TypeError", "the kind is audio or video")
            }
            transceiver = try await object.connection.addTransceiver(kind, settings)
        }
        return .reference(try self.tellOwner(of: transceiver.sender, object).id, "RTCRtpTransceiver")
    }

    func track(_ json: JSONValue?) throws -> MediaStreamTrack {
        guard let track = json?.reference.flatMap({ self.media.tracks[$0] }) else {
            throw Failure("TypeError", "a track is required")
        }
        return track
    }

    /// The transceiver of a sender, which Node may not have met yet.
    private func tellOwner(of sender: RTCRtpSender, _ object: ConnectionObject) throws -> MediaObjects.Transceiver {
        guard let transceiver = object.connection.getTransceivers().first(where: { $0.sender === sender }) else {
            throw Failure("BackendError", "the transceiver is gone")
        }
        let known = self.adopt(transceiver, of: object)
        if !object.transceivers.contains(where: { $0 === known }) { object.transceivers.append(known) }
        self.tellChangeable(known)
        return known
    }

    /// A blocking method of a media object; `nil` if `id` is none.
    func callMediaObject(_ id: String, _ method: String, _ arguments: JSONValue) async throws -> JSONValue? {
        if let transceiver = self.media.transceivers[id] { return try await self.call(transceiver, method, arguments) }
        if let sender = self.media.senders[id] { return try await self.callSender(sender, method, arguments) }
        if let receiver = self.media.receivers[id] {
            return try await self.callReceiver(receiver, method)
        }
        if let dtmf = self.media.dtmf[id] { return try await self.callDTMF(dtmf, method, arguments) }
        guard let track = self.media.tracks[id] else { return nil }
        switch method {
        case "stop":
            track.stop()
            self.image.forget("readyState", of: id)
            self.image.set("readyState", "ended", of: id)
            return .null
        case "clone":
            return self.adopt(track.clone())
        default:
            throw Failure.notImplemented("MediaStreamTrack.\(method)")
        }
    }

    private func call(
        _ transceiver: MediaObjects.Transceiver,
        _ method: String,
        _ arguments: JSONValue
    ) async throws -> JSONValue {
        switch method {
        case "stop":
            try await transceiver.object.stop()
            self.tellChangeable(transceiver)
        case "setCodecPreferences":
            try await transceiver.object.setCodecPreferences((arguments[0]?.array ?? []).map(\.codec))
        case "getHeaderExtensionsToNegotiate":
            return JSONValue(transceiver.object.getHeaderExtensionsToNegotiate())
        case "getNegotiatedHeaderExtensions":
            return JSONValue(transceiver.object.getNegotiatedHeaderExtensions())
        case "setHeaderExtensionsToNegotiate":
            let extensions = (arguments[0]?.array ?? []).map(\.headerExtension)
            try await transceiver.object.setHeaderExtensionsToNegotiate(extensions)
        default:
            throw Failure.notImplemented("RTCRtpTransceiver.\(method)")
        }
        return .null
    }

    private func callSender(
        _ sender: MediaObjects.Transceiver,
        _ method: String,
        _ arguments: JSONValue
    ) async throws -> JSONValue {
        switch method {
        case "getParameters":
            return JSONValue(sender.object.sender.getParameters())
        case "setStreams":
            let streams = (arguments.array ?? []).compactMap { $0.reference.flatMap { self.media.streams[$0] } }
            try await sender.object.sender.setStreams(streams)
            return .null
        default:
            throw Failure.notImplemented("RTCRtpSender.\(method)")
        }
    }

    private func callReceiver(_ receiver: MediaObjects.Transceiver, _ method: String) async throws -> JSONValue {
        let object = receiver.object.receiver
        switch method {
        case "getParameters":
            return JSONValue(object.getParameters())
        case "getSynchronizationSources":
            return await self.json(object.getSynchronizationSources(), of: receiver.owner)
        case "getContributingSources":
            return await self.json(object.getContributingSources(), of: receiver.owner)
        default:
            throw Failure.notImplemented("RTCRtpReceiver.\(method)")
        }
    }

    private func json(_ sources: [RTCRtpContributingSource], of owner: ConnectionObject) async -> JSONValue {
        // The time of day of this moment, by the clock that statistics go by.
        let timeOfDay = await owner.connection.getStats().entries.first?.timestamp ?? 0
        let now = NIODeadline.now()
        return .array(
            sources.map { source in
                var members: [String: JSONValue] = [
                    "timestamp": .number(timeOfDay - Double((now - source.timestamp).nanoseconds) / 1e6),
                    "source": JSONValue(source.source.rawValue), "rtpTimestamp": JSONValue(source.rtpTimestamp),
                ]
                members["audioLevel"] = source.audioLevel.map { .number($0) }
                return .object(members)
            }
        )
    }

    private func callDTMF(
        _ transceiver: MediaObjects.Transceiver,
        _ method: String,
        _ arguments: JSONValue
    ) async throws -> JSONValue {
        guard method == "insertDTMF", let dtmf = transceiver.object.sender.dtmf, let id = transceiver.dtmfID else {
            throw Failure.notImplemented("RTCDTMFSender.\(method)")
        }
        try await dtmf.insertDTMF(
            arguments[0]?.string ?? "",
            duration: .milliseconds(arguments[1]?.double ?? 100),
            interToneGap: .milliseconds(arguments[2]?.double ?? 70)
        )
        self.image.set("toneBuffer", .string(dtmf.toneBuffer), of: id)
        return .null
    }

    /// An attribute that no message tells of.
    func getMedia(_ id: String, _ attribute: String) throws -> JSONValue {
        guard attribute == "canInsertDTMF", let dtmf = self.media.dtmf[id]?.object.sender.dtmf else {
            throw Failure.notImplemented("get \(attribute)")
        }
        return .bool(dtmf.canInsertDTMF)
    }

    /// A method of a sender or receiver that gives a promise.
    func callMediaPromise(_ id: String, _ method: String, _ arguments: JSONValue) async throws -> JSONValue {
        if let transceiver = self.media.receivers[id], method == "getStats" {
            return JSONValue(await transceiver.object.receiver.getStats())
        }
        guard let transceiver = self.media.senders[id] else {
            throw Failure.notImplemented("\(self.media.receivers[id] == nil ? "" : "RTCRtpReceiver.")\(method)")
        }
        let sender = transceiver.object.sender
        switch method {
        case "getStats":
            return JSONValue(await sender.getStats())
        case "replaceTrack":
            let track = try arguments[0].map { try self.track($0) }
            try await sender.replaceTrack(track)
            self.tellChangeable(transceiver)
        case "setParameters":
            try await sender.setParameters((arguments[0] ?? [:]).sendParameters(like: sender.getParameters()))
        default:
            throw Failure.notImplemented("RTCRtpSender.\(method)")
        }
        return nil
    }

    /// Sets an attribute of a media object.
    ///
    /// - Returns: Whether there is such an object.
    func setMedia(_ id: String, _ attribute: String, _ value: JSONValue?) async throws -> Bool {
        if let transceiver = self.media.transceivers[id], attribute == "direction" {
            let direction = value?.string.flatMap(RTCRtpTransceiverDirection.init(rawValue:)) ?? .stopped
            try await transceiver.object.setDirection(direction)
            self.tellChangeable(transceiver)
            return true
        }
        if let receiver = self.media.receivers[id], attribute == "jitterBufferTarget" {
            try receiver.object.receiver.setJitterBufferTarget(value?.double.map { .milliseconds($0) })
            self.image.forget("jitterBufferTarget", of: id)
            self.image.set("jitterBufferTarget", value ?? .null, of: id)
            return true
        }
        if let track = self.media.tracks[id], attribute == "enabled" {
            track.enabled = value?.bool ?? true
            self.image.set("enabled", .bool(track.enabled), of: id)
            return true
        }
        return false
    }

    /// A track or stream that Node makes.
    func makeMedia(_ type: String, _ arguments: JSONValue) -> JSONValue? {
        switch type {
        case "MediaStreamTrack":
            let kind = arguments[0]?["kind"]?.string.flatMap(MediaKind.init(rawValue:)) ?? .audio
            let source = MediaStreamTrackSource(kind: kind, label: "synthetic")
            self.media.add(SyntheticSource(source, eventLoop: self.eventLoop), for: source)
            return self.adopt(MediaStreamTrack(source: source))
        case "MediaStream":
            let tracks = (arguments[0]?.array ?? []).compactMap { $0.reference.flatMap { self.media.tracks[$0] } }
            return self.adopt(MediaStream(tracks))
        default:
            return nil
        }
    }
}

// MARK: - Attributes

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
