import JSONLines
import NIOCore
import RTCBase
import RTCCore
import WebRTC

extension Bridge {
    static let promiseMethods: Set<String> = [
        "createOffer", "createAnswer", "setLocalDescription", "setRemoteDescription", "addIceCandidate", "getStats",
        "replaceTrack", "setParameters",
    ]

    /// A method that gives a promise.
    func callPromise(_ object: ConnectionObject?, _ request: JSONValue) async throws -> JSONValue {
        if request["op"]?.string == "static" { return try await self.callStatic(request) }
        let method = request["method"]?.string ?? ""
        let arguments = request["args"] ?? []
        let id = request["obj"]?.string ?? ""
        guard self.connections[id] != nil, let connection = object?.connection else {
            return try await self.callMediaPromise(id, method, arguments)
        }
        switch method {
        case "createOffer":
            let options = arguments[0]
            return JSONValue(
                try await connection.createOffer(
                    RTCOfferOptions(
                        iceRestart: options?["iceRestart"]?.bool ?? false,
                        offerToReceiveAudio: options?["offerToReceiveAudio"]?.bool,
                        offerToReceiveVideo: options?["offerToReceiveVideo"]?.bool
                    )
                )
            )
        case "createAnswer":
            return JSONValue(try await connection.createAnswer())
        case "setLocalDescription":
            let description = arguments[0]
            if description?["type"] == nil, description?["sdp"]?.string ?? "" == "" {
                try await connection.setLocalDescription()
            } else {
                try await connection.setLocalDescription(description?.sessionDescription())
            }
        case "setRemoteDescription":
            guard let description = arguments[0] else { throw Failure("TypeError", "a description is required") }
            try await connection.setRemoteDescription(description.sessionDescription())
        case "addIceCandidate":
            try await connection.addIceCandidate(arguments[0]?.candidateInit)
        case "getStats":
            guard let track = arguments[0], track != nil else { return JSONValue(await connection.getStats()) }
            return JSONValue(try await connection.getStats(self.track(track)))
        default:
            throw Failure.notImplemented("RTCPeerConnection.\(method)")
        }
        return nil
    }

    /// A request that Node waits for.
    func answer(_ request: JSONValue) async throws -> JSONValue {
        let arguments = request["args"] ?? []
        switch request["op"]?.string {
        case "static":
            guard request["method"]?.string == "getCapabilities" else { throw Failure.notImplemented("static") }
            guard let kind = arguments[0]?.string.flatMap(MediaKind.init(rawValue:)) else { return nil }
            return JSONValue(
                request["type"]?.string == "RTCRtpSender"
                    ? RTCRtpSender.getCapabilities(kind) : RTCRtpReceiver.getCapabilities(kind)
            )
        case "new":
            return try self.make(request["type"]?.string ?? "", arguments)
        case "call":
            let id = request["obj"]?.string ?? ""
            let method = request["method"]?.string ?? ""
            if let object = self.connections[id] { return try await self.call(object, method, arguments) }
            if let object = self.channels[id] { return try self.call(object, method, arguments) }
            if let result = try await self.callMediaObject(id, method, arguments) { return result }
            if let certificate = self.certificates[id], method == "getFingerprints" {
                return Self.fingerprints(of: certificate)
            }
            return try self.callTransport(id, method)
        case "set":
            return try await self.set(request)
        case "get":
            return try self.getMedia(request["obj"]?.string ?? "", request["attr"]?.string ?? "")
        default:
            throw Failure.notImplemented("\(request["op"]?.string ?? "") \(request["attr"]?.string ?? "")")
        }
    }

    private func make(_ type: String, _ arguments: JSONValue) throws -> JSONValue {
        switch type {
        case "RTCPeerConnection":
            var configuration = self.configuration(arguments[0] ?? [:])
            if configuration.certificates.isEmpty {
                // Every connection of a page has a certificate of its own (webrtc-pc section 4.4.1.1); here it would be the process's.
                configuration.certificates = [try RTCCertificate.generate()]
            }
            let connection = try RTCPeerConnection(configuration: configuration, eventLoop: self.eventLoop)
            let object = ConnectionObject(id: self.makeID("pc"), connection: connection)
            self.connections[object.id] = object
            self.tellStates(of: object)
            self.tellMoment(Moment(connection), of: object)
            self.listen(to: object)
            return .reference(object.id, type)
        case "RTCIceCandidate":
            let members = arguments[0] ?? [:]
            return JSONValue(
                try RTCIceCandidate(
                    members.candidateInit,
                    relayProtocol: members["relayProtocol"]?.string.flatMap(
                        RTCIceServerTransportProtocol.init(rawValue:)
                    ),
                    url: members["url"]?.string
                )
            )
        default:
            if let media = self.makeMedia(type, arguments) { return media }
            throw Failure.notImplemented("new \(type)")
        }
    }

    private func call(_ object: ConnectionObject, _ method: String, _ arguments: JSONValue) async throws -> JSONValue {
        switch method {
        case "createDataChannel":
            let options = (arguments[1] ?? [:]).dataChannelInit
            let channel = try await object.connection.createDataChannel(arguments[0]?.string ?? "", options)
            return self.adopt(channel, of: object, readyState: .connecting)
        case "getConfiguration":
            return self.json(await object.connection.getConfiguration())
        case "setConfiguration":
            try await object.connection.setConfiguration(self.configuration(arguments[0] ?? [:]))
        case "restartIce":
            await object.connection.restartIce()
        case "close":
            await self.close(object)
        default:
            return try await self.callMedia(object, method, arguments)
        }
        return nil
    }

    private func close(_ object: ConnectionObject) async {
        guard !object.isClosed else { return }
        await object.connection.close()
        object.isClosed = true
        self.tellClosed(object)
    }

    private func call(_ object: ChannelObject, _ method: String, _ arguments: JSONValue) throws -> JSONValue {
        switch method {
        case "send":
            let message: RTCDataChannelMessage
            if let bytes = arguments[0]?.binary {
                message = .binary(ByteBuffer(bytes: bytes))
            } else {
                message = .text(arguments[0]?.string ?? "")
            }
            let before = object.channel.bufferedAmount
            try object.channel.sendUnbounded(message)
            self.watchDrain(of: object)
            return JSONValue(object.channel.bufferedAmount - before)
        case "close":
            object.channel.close()
            object.closeWasCalled = true
            self.image.set("readyState", .string(object.channel.readyState.rawValue), of: object.id)
        default:
            throw Failure.notImplemented("RTCDataChannel.\(method)")
        }
        return nil
    }

    private func callTransport(_ id: String, _ method: String) throws -> JSONValue {
        let owner = self.connections.values.first { $0.transports?.ice == id || $0.transports?.dtls == id }
        guard let connection = owner?.connection,
            let transport = connection.sctp?.transport
                ?? connection.getSenders().compactMap(\.transport).first
        else {
            throw Failure("BackendError", "no object \(id)")
        }
        switch method {
        case "getRemoteCertificates":
            return .array(transport.getRemoteCertificates().map { .binary($0) })
        case "getLocalCandidates":
            return .array(transport.iceTransport.getLocalCandidates().map { JSONValue($0) })
        case "getRemoteCandidates":
            return .array(transport.iceTransport.getRemoteCandidates().map { JSONValue($0) })
        case "getSelectedCandidatePair":
            return JSONValue(transport.iceTransport.getSelectedCandidatePair())
        case "getLocalParameters":
            return JSONValue(transport.iceTransport.getLocalParameters())
        case "getRemoteParameters":
            return JSONValue(transport.iceTransport.getRemoteParameters())
        default:
            throw Failure.notImplemented("transport.\(method)")
        }
    }

    private func set(_ request: JSONValue) async throws -> JSONValue {
        let isMedia = try await self.setMedia(
            request["obj"]?.string ?? "",
            request["attr"]?.string ?? "",
            request["value"]
        )
        if isMedia { return nil }
        guard let object = request["obj"]?.string.flatMap({ self.channels[$0] }),
            request["attr"]?.string == "bufferedAmountLowThreshold", let value = request["value"]?.int
        else { throw Failure.notImplemented("set \(request["attr"]?.string ?? "")") }
        object.channel.bufferedAmountLowThreshold = value
        self.image.set(
            "bufferedAmountLowThreshold",
            JSONValue(object.channel.bufferedAmountLowThreshold),
            of: object.id
        )
        return nil
    }
}
