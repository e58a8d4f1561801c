import JSONLines
import NIOCore
import RTCBase
import RTCCore
import WebRTC

/// This package's peer of the interoperability tests (PROTOCOL.md), on the public API only.
actor Agent {
    /// A connection and its channels.
    struct Peer {
        let connection: RTCPeerConnection
        let endpoint: WebRTCEndpoint?
        var channels: [String: AgentChannel] = [:]
        var incoming = 0
        var media = AgentMedia()

        func close() async {
            await self.connection.close()
            await self.endpoint?.close()
        }
    }

    private let output = StandardOutput()
    var peers: [String: Peer] = [:]

    func serve(_ requests: AsyncStream<JSONValue>) async {
        for await request in requests { await self.handle(request) }
        for peer in self.peers.values { await peer.close() }
        self.output.flush()
    }

    private func handle(_ request: JSONValue) async {
        guard let id = request["id"]?.int else { return }
        do {
            if try self.begin(request, id: id) { return }
            self.reply(id, .success(try await self.perform(request)))
        } catch {
            self.reply(id, .failure(error))
        }
    }

    func reply(_ id: Int, _ result: Result<JSONValue, any Error>) {
        switch result {
        case .success(let value): self.output.write(["id": JSONValue(id), "ok": value])
        case .failure(let error): self.output.write(["id": JSONValue(id), "error": AgentError(error).json])
        }
    }

    /// Reports an event, unless its peer was closed by the tests.
    func emit(_ event: String, _ name: String, _ members: [String: JSONValue], of connection: RTCPeerConnection) {
        guard let peer = self.peers[name], peer.connection === connection else { return }
        var members = members
        members["event"] = .string(event)
        members["pc"] = .string(name)
        self.output.write(.object(members))
    }

    // MARK: Finding

    func peer(_ request: JSONValue) throws -> Peer {
        let name = try request.text("pc")
        guard let peer = self.peers[name] else { throw AgentError.notFound("peer \(name)") }
        return peer
    }

    func channel(_ request: JSONValue) throws -> AgentChannel {
        let name = try request.text("ch")
        guard let channel = try self.peer(request).channels[name] else { throw AgentError.notFound("channel \(name)") }
        return channel
    }

    // MARK: Listening

    func listen(to connection: RTCPeerConnection, _ name: String) {
        Task {
            for await event in connection.events { self.report(event, of: connection, name) }
        }
    }

    private func report(_ event: RTCPeerConnection.Event, of connection: RTCPeerConnection, _ name: String) {
        func state(_ of: String, _ value: String) {
            self.emit("state", name, ["of": .string(of), "value": .string(value)], of: connection)
        }
        switch event {
        case .negotiationNeeded: self.emit("negotiationneeded", name, [:], of: connection)
        case .signalingStateChange(let value): state("signaling", value.rawValue)
        case .iceGatheringStateChange(let value): state("gathering", value.rawValue)
        case .iceConnectionStateChange(let value): state("ice", value.rawValue)
        case .connectionStateChange(let value): state("connection", value.rawValue)
        case .iceCandidate(nil):
            self.emit("candidate", name, ["candidate": nil], of: connection)
        case .iceCandidate(let candidate?):
            // The empty candidate ends one generation; null, which follows, ends them all.
            guard !candidate.candidate.isEmpty else { return }
            let members: [String: JSONValue] = [
                "candidate": .string(candidate.candidate),
                "sdpMid": JSONValue(candidate.sdpMid),
                "sdpMLineIndex": JSONValue(candidate.sdpMLineIndex),
                "usernameFragment": JSONValue(candidate.usernameFragment),
            ]
            self.emit("candidate", name, members, of: connection)
        case .iceCandidateError(let error):
            let members: [String: JSONValue] = [
                "url": .string(error.url),
                "errorCode": JSONValue(error.errorCode),
                "errorText": .string(error.errorText),
                "address": JSONValue(error.address),
                "port": JSONValue(error.port),
            ]
            self.emit("candidateerror", name, members, of: connection)
        case .dataChannel(let channel):
            guard self.peers[name]?.connection === connection else { return }
            self.peers[name]?.incoming += 1
            let agentChannel = AgentChannel(name: "in\(self.peers[name]?.incoming ?? 0)", channel: channel)
            self.peers[name]?.channels[agentChannel.name] = agentChannel
            var members = agentChannel.members
            members["ch"] = .string(agentChannel.name)
            self.emit("channel", name, members, of: connection)
            self.listen(to: agentChannel, of: connection, name)
        case .track(let event):
            self.emit("track", name, Self.members(of: event.track, connection), of: connection)
        case .mute(let track): self.emit("mute", name, Self.members(of: track, connection), of: connection)
        case .unmute(let track): self.emit("unmute", name, Self.members(of: track, connection), of: connection)
        case .ended(let track): self.emit("ended", name, Self.members(of: track, connection), of: connection)
        default:
            break
        }
    }

    func listen(to channel: AgentChannel, of connection: RTCPeerConnection, _ name: String) {
        let ch = JSONValue.string(channel.name)
        Task {
            var reading: Task<Void, Never>?
            for await event in channel.channel.events {
                switch event {
                case .open:
                    self.emit("open", name, ["ch": ch, "channelId": JSONValue(channel.channel.id)], of: connection)
                    reading = self.read(channel, of: connection, name)
                case .close:
                    // What arrived before the end is reported before the end.
                    await reading?.value
                    self.emit("close", name, ["ch": ch], of: connection)
                case .bufferedAmountLow, .closing, .error:
                    break
                }
            }
        }
    }

    /// Reads away from the actor: messages are counted without holding up requests.
    private nonisolated func read(
        _ channel: AgentChannel,
        of connection: RTCPeerConnection,
        _ name: String
    ) -> Task<Void, Never> {
        Task {
            do {
                for try await message in channel.channel.messages {
                    switch channel.take(message) {
                    case .nothing: break
                    case .echo: try await channel.channel.send(message)
                    case .event(let event, var members):
                        members["ch"] = .string(channel.name)
                        await self.emit(event, name, members, of: connection)
                    }
                }
            } catch {
                // The channel failed or was closed; its own events say so.
            }
        }
    }
}
