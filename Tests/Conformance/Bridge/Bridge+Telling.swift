import JSONLines
import RTCBase
import RTCCore
import WebRTC

// MARK: - Attributes

extension Bridge {
    /// What a description changes, in one step with the signaling state (webrtc-pc section 4.4.1.5).
    func tellMoment(_ moment: Moment, of object: ConnectionObject) {
        let snapshot = moment.snapshot
        let currentLocal = JSONValue(snapshot.currentLocalDescription)
        let pendingLocal = JSONValue(snapshot.pendingLocalDescription)
        let currentRemote = JSONValue(snapshot.currentRemoteDescription)
        let pendingRemote = JSONValue(snapshot.pendingRemoteDescription)
        self.image.set(
            [
                "currentLocalDescription": currentLocal,
                "pendingLocalDescription": pendingLocal,
                "localDescription": pendingLocal == nil ? currentLocal : pendingLocal,
                "currentRemoteDescription": currentRemote,
                "pendingRemoteDescription": pendingRemote,
                "remoteDescription": pendingRemote == nil ? currentRemote : pendingRemote,
                "canTrickleIceCandidates": JSONValue(snapshot.canTrickleIceCandidates),
                "sctp": self.tellTransports(
                    snapshot.transports,
                    hasMediaTransport: moment.transceivers.contains { $0.hasTransport },
                    of: object
                ),
            ],
            of: object.id
        )
        self.tellTransceivers(moment, of: object)
        for channel in object.channels { self.image.set("id", JSONValue(channel.channel.id), of: channel.id) }
    }

    /// When a remote offer takes back one of ours, the snapshot is that of the state which follows at once.
    private func tellNothingPending(_ snapshot: RTCPeerConnection.Snapshot, of object: ConnectionObject) {
        self.image.set(
            [
                "pendingLocalDescription": nil,
                "localDescription": JSONValue(snapshot.currentLocalDescription),
                "pendingRemoteDescription": nil,
                "remoteDescription": JSONValue(snapshot.currentRemoteDescription),
            ],
            of: object.id
        )
    }

    func tellStates(of object: ConnectionObject) {
        let snapshot = object.connection.snapshot
        self.image.set(
            [
                "signalingState": .string(snapshot.signalingState.rawValue),
                "iceGatheringState": .string(snapshot.iceGatheringState.rawValue),
                "iceConnectionState": .string(snapshot.iceConnectionState.rawValue),
                "connectionState": .string(snapshot.connectionState.rawValue),
            ],
            of: object.id
        )
    }

    /// - Returns: The value of the attribute `sctp`.
    private func tellTransports(
        _ snapshot: PeerSession.TransportSnapshot?,
        hasMediaTransport: Bool,
        of object: ConnectionObject
    ) -> JSONValue {
        guard let snapshot else {
            if !hasMediaTransport {
                object.transports = nil
                object.states = ConnectionObject.TransportStates()
            }
            return nil
        }
        let ids = self.transports(of: object)
        self.image.set(["role": .string(snapshot.iceRole.rawValue), "component": "rtp"], of: ids.ice)
        self.image.set("iceTransport", .reference(ids.ice, "RTCIceTransport"), of: ids.dtls)
        guard snapshot.sctpState != nil else {
            object.transports?.sctp = self.makeID("\(object.id)/sctp")
            self.tellTransportStates(of: object)
            return nil
        }
        self.image.set(
            [
                "transport": .reference(ids.dtls, "RTCDtlsTransport"),
                "maxMessageSize": .limit(snapshot.maximumMessageSize),
                "maxChannels": JSONValue(snapshot.maxChannels),
            ],
            of: ids.sctp
        )
        self.tellTransportStates(of: object)
        return .reference(ids.sctp, "RTCSctpTransport")
    }

    private func transports(of object: ConnectionObject) -> ConnectionObject.Transports {
        if let known = object.transports { return known }
        let ids = ConnectionObject.Transports(
            sctp: self.makeID("\(object.id)/sctp"),
            dtls: self.makeID("\(object.id)/dtls"),
            ice: self.makeID("\(object.id)/ice")
        )
        object.transports = ids
        self.image.set("iceTransport", .reference(ids.ice, "RTCIceTransport"), of: ids.dtls)
        self.image.set(["role": "unknown", "component": "rtp"], of: ids.ice)
        self.tellTransportStates(of: object)
        return ids
    }

    /// The DTLS transport that senders and receivers have.
    func dtlsReference(of object: ConnectionObject) -> JSONValue {
        .reference(self.transports(of: object).dtls, "RTCDtlsTransport")
    }

    private func tellTransportStates(of object: ConnectionObject) {
        guard let ids = object.transports else { return }
        self.image.set("state", .string(object.states.ice.rawValue), of: ids.ice)
        self.image.set("gatheringState", .string(object.states.gathering.rawValue), of: ids.ice)
        self.image.set("state", .string(object.states.dtls.rawValue), of: ids.dtls)
        self.image.set("state", .string(object.states.sctp.rawValue), of: ids.sctp)
    }

    /// Everything that is closed with a connection, at once and without events (webrtc-pc section 4.4.1.2, "close").
    func tellClosed(_ object: ConnectionObject) {
        self.happenings.removeAll { _, happening in
            guard case .connection(let owner, _, _) = happening else { return false }
            return owner === object
        }
        self.image.forget(object.id)
        object.states.ice = .closed
        object.states.dtls = .closed
        object.states.sctp = .closed
        if let ids = object.transports {
            for id in [ids.ice, ids.dtls, ids.sctp] { self.image.forget("state", of: id) }
        }
        self.tellStates(of: object)
        self.tellMoment(Moment(object.connection), of: object)
        self.tellTracksEnded(of: object)
        for channel in object.channels {
            self.image.forget("readyState", of: channel.id)
            self.image.set("readyState", .string(channel.channel.readyState.rawValue), of: channel.id)
        }
    }

    /// Gives a channel an id and tells all its attributes.
    ///
    /// - Parameter readyState: What it was when Node shall meet it; events tell how it went on.
    func adopt(
        _ channel: RTCDataChannel,
        of owner: ConnectionObject,
        readyState: RTCDataChannelState
    ) -> JSONValue {
        let object = ChannelObject(id: self.makeID("dc"), channel: channel, owner: owner)
        self.channels[object.id] = object
        owner.channels.append(object)
        self.image.set(
            [
                "label": .string(channel.label),
                "ordered": .bool(channel.ordered),
                "maxPacketLifeTime": JSONValue(channel.maxPacketLifeTime),
                "maxRetransmits": JSONValue(channel.maxRetransmits),
                "protocol": .string(channel.protocol),
                "negotiated": .bool(channel.negotiated),
                "id": JSONValue(channel.id),
                "priority": .string(channel.priority.rawValue),
                "readyState": .string(readyState.rawValue),
                "bufferedAmount": JSONValue(channel.bufferedAmount),
                "bufferedAmountLowThreshold": JSONValue(channel.bufferedAmountLowThreshold),
            ],
            of: object.id
        )
        self.listen(to: object)
        return .reference(object.id, "RTCDataChannel")
    }
}

// MARK: - Events

extension Bridge {
    /// Tells what was heard, in order, one message each.
    func tell() {
        let heard = self.happenings
        self.happenings = []
        for (index, (_, happening)) in heard.enumerated() {
            switch happening {
            case .reply(let id, let result, let object, let moment):
                if let object, let moment, !object.isClosed {
                    self.image.set("signalingState", .string(moment.snapshot.signalingState.rawValue), of: object.id)
                    self.tellMoment(moment, of: object)
                    // Gathering begins in a task of its own; with the last transport it is over at once.
                    if moment.snapshot.transports == nil { self.image.set("iceGatheringState", "new", of: object.id) }
                }
                self.write(reply: id, result)
            case .connection(let object, let event, let moment) where !object.isClosed:
                self.takeStates(from: heard[index...].prefix { $0.happening.isState(of: object) }.map(\.happening))
                self.tell(event, of: object, moment)
            case .incomingChannel(let object, let channel, let readyState, let moment) where !object.isClosed:
                self.tellMoment(moment, of: object)
                let reference = self.adopt(channel, of: object, readyState: readyState)
                self.write(event: "datachannel", of: object.id, ["channel": reference])
            case .channel(let object, let event) where !object.owner.isClosed:
                self.tell(event, of: object)
            case .message(let object, let message) where !object.owner.isClosed:
                self.write(event: "message", of: object.id, ["data": JSONValue(message)])
            default:
                // Nothing happens any more to what was closed by Node.
                break
            }
        }
    }

    /// The states of one transition are visible together, before the first of its events (webrtc-pc section 5.6).
    private func takeStates(from happenings: [Happening]) {
        for case .connection(let object, let event, _) in happenings {
            let id = object.id
            switch event {
            case .iceTransportStateChange(let state): object.states.ice = state
            case .iceTransportGatheringStateChange(let state): object.states.gathering = state
            case .dtlsTransportStateChange(let state): object.states.dtls = state
            case .iceGatheringStateChange(let state):
                self.image.set("iceGatheringState", .string(state.rawValue), of: id)
            case .iceConnectionStateChange(let state):
                self.image.set("iceConnectionState", .string(state.rawValue), of: id)
            case .connectionStateChange(let state): self.image.set("connectionState", .string(state.rawValue), of: id)
            default: break
            }
            self.tellTransportStates(of: object)
        }
    }

    private func tell(
        _ event: RTCPeerConnection.Event,
        of object: ConnectionObject,
        _ moment: Moment
    ) {
        let ids = object.transports
        switch event {
        case .negotiationNeeded:
            self.write(event: "negotiationneeded", of: object.id)
        case .signalingStateChange(let state):
            self.tellMoment(moment, of: object)
            if state == .stable { self.tellNothingPending(moment.snapshot, of: object) }
            self.image.set("signalingState", .string(state.rawValue), of: object.id)
            self.write(event: "signalingstatechange", of: object.id)
        case .iceCandidate(let candidate):
            self.tellMoment(moment, of: object)
            let json = candidate.map { JSONValue($0) } ?? .null
            self.write(event: "icecandidate", of: object.id, ["candidate": json, "url": JSONValue(candidate?.url)])
        case .iceCandidateError(let error):
            self.write(event: "icecandidateerror", of: object.id, JSONValue(error))
        case .iceGatheringStateChange:
            self.tellMoment(moment, of: object)
            self.write(event: "icegatheringstatechange", of: object.id)
        case .iceConnectionStateChange:
            self.write(event: "iceconnectionstatechange", of: object.id)
        case .connectionStateChange:
            self.write(event: "connectionstatechange", of: object.id)
        case .dataChannel, .connectionFailed:
            break
        case .track, .addTrack, .removeTrack, .mute, .unmute, .ended, .toneChange:
            self.tellMedia(event, of: object)
        case .iceTransportStateChange:
            self.write(event: "statechange", of: ids?.ice)
        case .iceTransportGatheringStateChange:
            self.write(event: "gatheringstatechange", of: ids?.ice)
        case .selectedCandidatePairChange:
            self.write(event: "selectedcandidatepairchange", of: ids?.ice)
        case .dtlsTransportStateChange:
            self.write(event: "statechange", of: ids?.dtls)
        case .dtlsTransportError(let error):
            self.write(event: "error", of: ids?.dtls, ["error": Failure(error).json])
        case .sctpTransportStateChange(let state):
            object.states.sctp = state
            self.tellMoment(moment, of: object)
            self.write(event: "statechange", of: ids?.sctp)
        }
    }

    /// Nobody hears the events of a transport that no attribute has shown yet.
    private func write(event: String, of object: String?, _ data: JSONValue = nil) {
        guard let object else { return }
        self.write(event: event, of: object, data)
    }

    private func tell(_ event: RTCDataChannel.Event, of object: ChannelObject) {
        let id = object.id
        switch event {
        case .open:
            // The channel was closed before it was announced as open (webrtc-pc section 6.2).
            guard !object.closeWasCalled else { return }
            self.image.set("readyState", "open", of: id)
            self.image.set("id", JSONValue(object.channel.id), of: id)
            self.write(event: "open", of: id)
        case .bufferedAmountLow:
            self.image.forget("bufferedAmount", of: id)
            self.image.set("bufferedAmount", JSONValue(object.channel.bufferedAmount), of: id)
            self.write(event: "bufferedamountlow", of: id)
        case .closing:
            self.image.set("readyState", "closing", of: id)
            self.write(event: "closing", of: id)
        case .error(let error):
            self.image.set("readyState", "closed", of: id)
            self.write(event: "error", of: id, ["error": Failure(error).json])
        case .close:
            self.image.set("readyState", "closed", of: id)
            self.write(event: "close", of: id)
        }
    }
}

extension Happening {
    /// Whether it is the change of a state that belongs to the transition of a transport.
    fileprivate func isState(of object: ConnectionObject) -> Bool {
        guard case .connection(let owner, let event, _) = self, owner === object else { return false }
        switch event {
        case .iceTransportStateChange, .iceTransportGatheringStateChange, .dtlsTransportStateChange,
            .iceGatheringStateChange, .iceConnectionStateChange, .connectionStateChange:
            return true
        default:
            return false
        }
    }
}

extension JSONValue {
    init(_ error: RTCIceCandidateError) {
        self = [
            "address": JSONValue(error.address),
            "port": JSONValue(error.port),
            "url": .string(error.url),
            "errorCode": JSONValue(error.errorCode),
            "errorText": .string(error.errorText),
        ]
    }
}
