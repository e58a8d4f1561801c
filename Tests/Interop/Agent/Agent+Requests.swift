import ExampleSupport
import JSONLines
import NIOCore
import RTCBase
import RTCCore
import WebRTC

extension Agent {
    private static let features: JSONValue = [
        "trickle", "iceRestart", "restartIce", "negotiationneeded", "selectedPair", "remoteMaxMessageSize",
        "maxSend=1073741824", "maxReceive=262144",
    ]

    /// Starts what may have to wait for room, and answers later.
    ///
    /// - Returns: Whether the request was such a one.
    func begin(_ request: JSONValue, id: Int) throws -> Bool {
        let messages: [RTCDataChannelMessage]
        let pattern: Range<Int>
        let kind: RTCDataChannelMessage.Kind
        switch request["op"]?.string {
        case "send":
            kind = try Self.kind(request)
            let data = try request.text("data")
            if kind == .text {
                messages = [.text(data)]
            } else {
                guard let bytes = JSONValue.string(data).base64Bytes else { throw AgentError.missing("data") }
                messages = [.binary(ByteBuffer(bytes: bytes))]
            }
            pattern = 0..<0
        case "sendPattern":
            kind = try Self.kind(request)
            let first = request["first"]?.int ?? 0
            messages = []
            pattern = try first..<first + max(0, request.integer("count"))
        default:
            return false
        }
        let channel = try self.channel(request)
        let size = pattern.isEmpty ? 0 : try request.integer("size")
        channel.enqueue {
            do {
                for message in messages { try await channel.channel.send(message) }
                for number in pattern {
                    try await channel.channel.send(Pattern.message(kind, number: number, size: size))
                }
                await self.reply(id, .success([:]))
            } catch {
                await self.reply(id, .failure(error))
            }
        }
        return true
    }

    private static func kind(_ request: JSONValue) throws -> RTCDataChannelMessage.Kind {
        switch try request.text("kind") {
        case "text": return .text
        case "binary": return .binary
        default: throw AgentError.missing("kind")
        }
    }

    func perform(_ request: JSONValue) async throws -> JSONValue {
        switch request["op"]?.string {
        case "hello":
            return ["name": "swift-webrtc", "version": "0", "features": Self.features]
        case "createPeer":
            let name = try request.text("pc")
            guard self.peers[name] == nil else {
                throw AgentError(name: "InvalidAccessError", message: "there is a peer \(name) already")
            }
            let options = ConnectionOptions(request["configuration"])
            let peer = try await Self.makePeer(options)
            self.peers[name] = peer
            self.listen(to: peer.connection, name)
            return [:]
        case "closePeer":
            let peer = try self.peer(request)
            self.peers[try request.text("pc")] = nil
            await peer.close()
            return [:]
        case "createDataChannel":
            return try await self.createDataChannel(request)
        case "receive", "closeChannel", "getChannel":
            return try self.perform(request, on: self.channel(request))
        default:
            let connection = try self.peer(request).connection
            if let result = try await self.performMedia(request, on: connection) { return result }
            return try await self.perform(request, on: connection)
        }
    }

    private static func makePeer(_ options: ConnectionOptions) async throws -> Peer {
        guard options.usesEndpoint else {
            let connection = try RTCPeerConnection(
                configuration: options.configuration,
                addressPolicy: options.addressPolicy
            )
            return Peer(connection: connection, endpoint: nil)
        }
        var configuration = WebRTCEndpoint.Configuration()
        configuration.addressPolicy = options.addressPolicy
        let endpoint = try await WebRTCEndpoint.bind(configuration)
        return Peer(connection: try endpoint.makePeerConnection(options.configuration), endpoint: endpoint)
    }

    private func perform(_ request: JSONValue, on connection: RTCPeerConnection) async throws -> JSONValue {
        switch request["op"]?.string {
        case "createOffer":
            let options = RTCOfferOptions(iceRestart: request["iceRestart"]?.bool ?? false)
            return Self.json(try await connection.createOffer(options))
        case "createAnswer":
            if try self.peer(request).media.isReturned { try await MediaEcho.attach(to: connection) }
            return Self.json(try await connection.createAnswer())
        case "setLocalDescription":
            if request["type"] == nil {
                try await connection.setLocalDescription()
            } else {
                try await connection.setLocalDescription(Self.description(request))
            }
        case "setRemoteDescription":
            try await connection.setRemoteDescription(Self.description(request))
        case "addIceCandidate":
            try await connection.addIceCandidate(Self.candidate(request))
        case "getLocalDescription":
            guard let description = connection.localDescription else {
                throw AgentError(name: "InvalidStateError", message: "there is no local description yet")
            }
            return Self.json(description)
        case "setConfiguration":
            try await connection.setConfiguration(ConnectionOptions(request["configuration"]).configuration)
        case "restartIce":
            await connection.restartIce()
        case "getState":
            return [
                "signaling": .string(connection.signalingState.rawValue),
                "gathering": .string(connection.iceGatheringState.rawValue),
                "ice": .string(connection.iceConnectionState.rawValue),
                "connection": .string(connection.connectionState.rawValue),
            ]
        case "diagnose":
            guard let diagnosis = await connection.diagnose() else { throw AgentError.notFound("open connection") }
            return [
                "problems": .array(diagnosis.problems.map { .string($0.description) }),
                "text": .string(diagnosis.description),
            ]
        case "getStats":
            let report = await connection.getStats()
            let pair = report.selectedCandidatePair.map { pair -> JSONValue in
                [
                    "local": Self.candidate(pair.localCandidateId, report),
                    "remote": Self.candidate(pair.remoteCandidateId, report),
                ]
            }
            return ["selectedPair": pair ?? .null]
        default:
            throw AgentError.notFound("operation \(request["op"]?.string ?? "")")
        }
        return [:]
    }

    private func createDataChannel(_ request: JSONValue) async throws -> JSONValue {
        let name = try request.text("ch")
        let peer = try self.peer(request)
        guard peer.channels[name] == nil else {
            throw AgentError(name: "InvalidAccessError", message: "there is a channel \(name) already")
        }
        let options = RTCDataChannelInit(
            ordered: request["ordered"]?.bool ?? true,
            maxPacketLifeTime: try request.optionalUInt16("maxPacketLifeTime"),
            maxRetransmits: try request.optionalUInt16("maxRetransmits"),
            protocol: request["protocol"]?.string ?? "",
            negotiated: request["negotiated"]?.bool ?? false,
            id: try request.optionalUInt16("channelId")
        )
        let channel = try await peer.connection.createDataChannel(request.text("label"), options)
        let agentChannel = AgentChannel(name: name, channel: channel)
        let pc = try request.text("pc")
        self.peers[pc]?.channels[name] = agentChannel
        self.listen(to: agentChannel, of: peer.connection, pc)
        return [:]
    }

    private func perform(_ request: JSONValue, on channel: AgentChannel) throws -> JSONValue {
        switch request["op"]?.string {
        case "receive":
            switch try request.text("mode") {
            case "each": channel.receive(.each)
            case "tally": channel.receive(.tally(AgentChannel.Tally(wanted: try request.integer("count"))))
            case "echo": channel.receive(.echo)
            default: throw AgentError.missing("mode")
            }
            return [:]
        case "closeChannel":
            channel.channel.close()
            return [:]
        default:
            var members = channel.members
            members["readyState"] = .string(channel.channel.readyState.rawValue)
            members["bufferedAmount"] = JSONValue(channel.channel.bufferedAmount)
            return .object(members)
        }
    }
}

// MARK: - Coding

extension Agent {
    private static func json(_ description: RTCSessionDescription) -> JSONValue {
        ["type": .string(description.type.rawValue), "sdp": .string(description.sdp)]
    }

    private static func description(_ request: JSONValue) throws -> RTCSessionDescription {
        guard let type = RTCSdpType(rawValue: try request.text("type")) else { throw AgentError.missing("type") }
        return RTCSessionDescription(type: type, sdp: try request.text("sdp"))
    }

    private static func candidate(_ request: JSONValue) -> RTCIceCandidateInit? {
        guard let text = request["candidate"]?.string else { return nil }
        return RTCIceCandidateInit(
            candidate: text,
            sdpMid: request["sdpMid"]?.string,
            sdpMLineIndex: request["sdpMLineIndex"]?.int,
            usernameFragment: request["usernameFragment"]?.string
        )
    }

    private static func candidate(_ id: String, _ report: RTCStatsReport) -> JSONValue {
        switch report[id]?.content {
        case .localCandidate(let stats), .remoteCandidate(let stats):
            return [
                "type": .string(stats.candidateType.rawValue),
                "protocol": .string(stats.protocol.rawValue),
                "address": JSONValue(stats.address),
                "port": JSONValue(stats.port),
                "relayProtocol": JSONValue(stats.relayProtocol?.rawValue),
                "url": JSONValue(stats.url),
            ]
        default:
            return .null
        }
    }
}
