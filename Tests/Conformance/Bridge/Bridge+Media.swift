import JSONLines
import NIOCore
import RTCBase
import RTCCore
import WebRTC

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
