internal import Logging
internal import NIOCore
internal import RTCBase
internal import RTCSockets
internal import RTCTURN

extension TURNShard {
    // MARK: The core's outputs

    func drainOutputs(now: NIODeadline) {
        while let output = self.core.poll() { self.handle(output, now: now) }
        self.checkDrained()
    }

    private func handle(_ output: TURNServerOutput, now: NIODeadline) {
        switch output {
        case .send(let message, let client, let origin): self.send(message, to: client, from: origin)
        case .authenticate(let request): self.authenticate(request, now: now)
        case .cancelAuthentication(let id): self.questions[id]?.cancel()
        case .openRelay(let request): self.openRelay(request, now: now)
        case .closeRelay(let id): self.closeRelay(id)
        case .releaseReservation(let token): self.setting.reservedPorts.take(token)?.close()
        case .connectPeer(let connection, let relay, let peer): self.connectPeer(connection, relay, peer)
        case .joinConnections(let client, let connection): self.join(client, connection)
        case .closePeerConnection(let connection):
            self.connectingPeers.remove(connection)
            self.peerStreams.removeValue(forKey: connection)?.channel.close(promise: nil)
        case .closeClient(let client): self.streams.removeValue(forKey: client)?.client.channel.close(promise: nil)
        case .allocated(let summary):
            self.streams[summary.client]?.client.trust()
            self.log("Allocated", summary)
        case .deallocated(let summary, let reason): self.log("Deallocated", summary, reason)
        }
    }

    private func log(_ what: Logger.Message, _ summary: TURNAllocationSummary, _ reason: TURNAllocationEnd? = nil) {
        let logger = self.setting.logger
        guard logger.logLevel <= .debug else { return }
        var metadata: Logger.Metadata = [
            "client": "\(summary.client.client)", "transport": "\(summary.client.transport)",
            "user": "\(summary.username)",
            "relays": "\(summary.relayedAddresses.map(\.description).joined(separator: " "))",
        ]
        if let reason {
            metadata["reason"] = "\(reason.rawValue)"
            metadata["toPeers"] = "\(summary.bytesToPeers)"
            metadata["toClient"] = "\(summary.bytesToClient)"
            metadata["seconds"] = "\(summary.age.nanoseconds / 1_000_000_000)"
        }
        logger.debug(what, metadata: metadata)
    }

    private func authenticate(_ request: TURNAuthenticationRequest, now: NIODeadline) {
        guard let authenticator = self.setting.configuration.configuration.authenticator else { return }
        // Whoever answers may go on for longer than the core waits.
        guard self.questions.count < self.core.configuration.pendingAuthentications else {
            return self.core.authenticated(request.id, .unavailable, now: now)
        }
        let mailbox = self.setting.mailbox
        self.questions[request.id] = Task { mailbox.post(.authenticated(request.id, await authenticator(request))) }
    }

    // MARK: Messages of other threads

    func readMailbox(now: NIODeadline) {
        for message in self.setting.mailbox.take(limit: Self.mailboxPortion) {
            self.handle(message, now: now)
            self.drainOutputs(now: now)
        }
        self.flushRelay()
    }

    /// How many messages are handled before datagrams are looked at again.
    private static let mailboxPortion = 64

    private func handle(_ message: ShardMessage, now: NIODeadline) {
        switch message {
        case .streamOpened(let client):
            // The client's address and port may be in use again before the end of the connection before is known.
            if let before = self.streams[client.tuple] {
                before.client.channel.close(promise: nil)
                self.core.clientDisconnected(client.tuple, now: now)
            }
            self.streams[client.tuple] = ShardStream(client)
            self.core.clientConnected(client.tuple, now: now)
        case .streamReceived(let client, let messages, let count):
            self.receive(messages, from: client, count: count, now: now)
        case .streamClosed(let client):
            guard self.streams[client.tuple]?.client === client else { return }
            self.streams[client.tuple] = nil
            self.core.clientDisconnected(client.tuple, now: now)
        case .authenticated(let id, let answer):
            self.questions[id] = nil
            self.core.authenticated(id, answer, now: now)
        case .relayOpened(let id, let address, let channel):
            self.tcpRelays[id] = channel
            self.core.relayOpened(id, at: address, now: now)
        case .relayFailed(let id): self.core.relayFailed(id, now: now)
        case .peerAccepted(let relay, let peer, let stream): self.accept(stream, on: relay, from: peer, now: now)
        case .peerConnecting(let id, let stream):
            guard self.connectingPeers.contains(id) else { return stream.channel.close(promise: nil) }
            self.peerStreams[id] = stream
        case .peerConnected(let id, let stream):
            self.connectingPeers.remove(id)
            self.peerStreams[id] = stream
            self.core.peerConnected(id, now: now)
        case .peerFailed(let id):
            if self.connectingPeers.remove(id) != nil { self.peerStreams[id] = nil }
            self.core.peerConnectionFailed(id, now: now)
        case .peerClosed(let id):
            self.connectingPeers.remove(id)
            self.peerStreams[id] = nil
            self.core.peerDisconnected(id, now: now)
        case .count(let promise): promise.succeed(self.counters)
        case .drain(let promise):
            self.core.drain()
            self.drained.append(promise)
            self.checkDrained()
        case .close: self.isRunning = false
        }
    }

    private func checkDrained() {
        guard !self.drained.isEmpty, self.core.allocationCount == 0 else { return }
        for promise in self.drained { promise.succeed() }
        self.drained = []
    }

    private func receive(_ messages: [ByteBuffer], from client: StreamClient, count: Int, now: NIODeadline) {
        defer { client.processed(count) }
        guard self.streams[client.tuple]?.client === client else { return }
        for message in messages {
            message.withUnsafeReadableBytes { bytes in
                guard let forward = self.core.receive(bytes.bytes, from: client.tuple, now: now) else { return }
                self.send(UnsafeRawBufferPointer(rebasing: bytes[forward.payload]), forward)
                // The bytes do not stay.
                self.flushRelay()
            }
            self.drainOutputs(now: now)
        }
    }
}
