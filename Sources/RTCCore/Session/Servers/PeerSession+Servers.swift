public import NIOCore
public import RTCBase
import RTCICE
import RTCSTUN
import RTCTURN

// MARK: - Asking servers

extension PeerSession {
    /// How long one server may take, from the look-up of its name to its answer; others do not wait for it.
    private static let serverTimeLimit = TimeAmount.seconds(10)
    /// A server that is full is asked again after this (RFC 8656 section 7.4).
    private static let retryWhenFull = TimeAmount.seconds(60)
    private static let maximumAttempts = 8
    /// So many servers may send us on to the next.
    private static let maximumRedirections = 4

    /// Asks all servers of the configuration for the addresses of a generation, at once.
    func askServers(for ufrag: String, now: NIODeadline) {
        for entry in ServerEntry.all(of: self.configuration) {
            if self.configuration.iceTransportPolicy == .relay, !entry.uri.scheme.isTURN { continue }
            self.withGeneration(ufrag) { generation in
                generation.agent.holdGathering()
                generation.note(entry.url, .pending, "no answer yet")
            }
            let deadline = now + Self.serverTimeLimit
            if let literal = TransportAddress(ip: entry.uri.host, port: entry.uri.port) {
                self.ask(entry, at: literal, for: ufrag, deadline: deadline, now: now)
                self.release(ufrag, now: now)
                continue
            }
            let id = self.servers.makeNumber()
            self.servers.lookups[id] = ServerConnections.Lookup(entry: entry, ufrag: ufrag, deadline: deadline)
            self.outputs.append(
                .resolveServer(ServerLookup(id: id, host: entry.uri.host, port: entry.uri.port))
            )
        }
    }

    /// Answers ``Output/resolveServer(_:)``: the first address of each family is asked; none tells that the name has none.
    public func provideServer(_ lookup: ServerLookup, addresses: [TransportAddress], now: NIODeadline) {
        guard let known = self.servers.lookups.removeValue(forKey: lookup.id) else { return }
        for family in [TransportAddress.Family.ipv6, .ipv4] {
            guard let address = addresses.first(where: { $0.family == family }) else { continue }
            self.ask(known.entry, at: address, for: known.ufrag, deadline: known.deadline, now: now)
        }
        if addresses.isEmpty { self.lookupFailed(known, now: now) }
        self.release(known.ufrag, now: now)
    }

    private func lookupFailed(_ lookup: ServerConnections.Lookup, now: NIODeadline) {
        let failure = TURNFailure(
            code: TURNFailure.unreachable,
            text: "The name \(lookup.entry.uri.host) has no address."
        )
        self.withGeneration(lookup.ufrag) { _ = $0.unknownServers.insert(lookup.entry.url) }
        self.report(failure, of: lookup.entry, ufrag: lookup.ufrag, address: nil)
    }

    private func ask(
        _ entry: ServerEntry,
        at address: TransportAddress,
        for ufrag: String,
        deadline: NIODeadline,
        now: NIODeadline
    ) {
        if entry.uri.scheme == .stun {
            self.withGeneration(ufrag) { generation in
                generation.agent.addServer(ICEServerAddress(address: address, url: entry.url), now: now)
            }
            return
        }
        let target = ServerFlowTarget(address: address, transport: entry.transport, host: entry.uri.host)
        self.open(entry, target, for: ufrag, deadline: deadline, holds: true, now: now)
    }

    private func open(
        _ entry: ServerEntry,
        _ target: ServerFlowTarget,
        for ufrag: String,
        deadline: NIODeadline,
        holds: Bool,
        visited: Set<TransportAddress> = [],
        attempt: Int = 0,
        now: NIODeadline
    ) {
        guard let generation = self.transport.allGenerations.first(where: { $0.ufrag == ufrag }) else { return }
        if holds { generation.agent.holdGathering() }
        let client: ServerConnection.Client
        if entry.uri.scheme.isTURN {
            var configuration = TURNClientConfiguration(
                username: entry.username,
                password: entry.credential,
                isReliable: target.transport != .udp
            )
            configuration.timeLimit = max(.seconds(1), deadline - now)
            client = .turn(TURNClient(configuration: configuration, random: self.random))
            _ = self.random.next()
        } else {
            client = .stun(STUNTransactionID.random(using: &self.random))
        }
        let connection = ServerConnection(
            id: ServerFlowID(self.servers.makeNumber()),
            entry: entry,
            target: target,
            deadline: deadline,
            client: client,
            holdsGathering: holds,
            visited: visited.union([target.address]),
            attempt: attempt
        )
        self.servers.connections[connection.id] = connection
        self.servers.ufrags[connection.id] = ufrag
        self.outputs.append(.openFlow(connection.id, target))
    }

    private func release(_ ufrag: String, now: NIODeadline) {
        self.withGeneration(ufrag) { $0.agent.releaseGathering(now: now) }
    }
}

// MARK: - What the owner of the sockets tells

extension PeerSession {
    /// Answers ``Output/openFlow(_:_:)``: the socket is there, and connected if it is one of TCP.
    ///
    /// - Parameter local: The socket's own address, if known.
    public func flowOpened(_ id: ServerFlowID, local: TransportAddress?, now: NIODeadline) {
        guard let connection = self.servers.connections[id], !connection.isOpen else { return }
        connection.isOpen = true
        connection.localAddress = local
        switch connection.client {
        case .turn(let client):
            client.start(now: now)
        case .stun(let transaction):
            var builder = STUNMessageBuilder(.request, .binding, transaction)
            builder.appendFingerprint()
            self.outputs.append(.transmitFlow(id, DatagramBatch(builder.finish())))
        }
    }

    /// Says that a flow could not be opened, or was closed by the server.
    public func flowClosed(_ id: ServerFlowID, reason: String, now: NIODeadline) {
        guard let connection = self.servers.connections[id] else { return }
        if let client = connection.turn {
            client.connectionClosed(reason)
            self.drain(connection, now: now)
        } else {
            self.finish(connection, TURNFailure(code: TURNFailure.unreachable, text: reason), now: now)
        }
    }

    /// Begins conversations anew that went out from an address that is gone: over TCP nothing tells of that, and over UDP only
    /// silence.
    func abandonFlows(from address: TransportAddress, now: NIODeadline) {
        for connection in self.servers.connections.values where connection.localAddress?.ip == address.ip {
            self.flowClosed(connection.id, reason: "The local address is gone.", now: now)
        }
    }

    /// Takes what arrived over a flow: datagrams, or bytes of the stream.
    public func receive(_ batch: DatagramBatch, over id: ServerFlowID, now: NIODeadline) {
        guard !self.isClosed, let connection = self.servers.connections[id] else { return }
        let isSound = connection.forEachMessage(in: batch) { message in
            switch connection.client {
            case .turn(let client):
                if case .data(let range, let peer, let relayed) = client.receive(message, now: now) {
                    self.receive(message.extracting(range), from: peer, to: relayed, now: now)
                }
            case .stun(let transaction):
                guard let answer = STUNMessage(message), answer.transactionID == transaction else { return }
                self.receiveReflexive(answer, connection, now: now)
            }
        }
        if !isSound { self.flowClosed(id, reason: "The server sent what is no STUN message.", now: now) }
    }

    private func receiveReflexive(_ answer: STUNMessage, _ connection: ServerConnection, now: NIODeadline) {
        guard answer.messageClass == .successResponse, let mapped = answer.mappedAddress else {
            let failure = TURNFailure(code: answer.errorCode ?? 500, text: "The STUN server refused.")
            return self.finish(connection, failure, now: now)
        }
        if let ufrag = self.servers.ufrags[connection.id] {
            self.withGeneration(ufrag) { generation in
                generation.note(connection.entry.url, .succeeded, "reflexive address \(mapped.ip)")
                generation.agent.addReflexiveOverTCP(mapped, serverURL: connection.entry.url, now: now)
            }
        }
        self.finish(connection, nil, now: now)
    }
}

// MARK: - What the clients report

extension PeerSession {
    /// Does what is due at the servers.
    func handleServerTimeouts(now: NIODeadline) {
        for (id, lookup) in self.servers.lookups where lookup.deadline <= now {
            self.servers.lookups[id] = nil
            self.lookupFailed(lookup, now: now)
            self.release(lookup.ufrag, now: now)
        }
        for connection in self.servers.connections.values {
            if connection.isOpen { connection.turn?.handleTimeout(now: now) }
            guard connection.relayed.isEmpty, connection.deadline <= now,
                self.servers.connections[connection.id] != nil
            else { continue }
            self.flowClosed(connection.id, reason: "The server could not be reached in time.", now: now)
        }
        let due = self.servers.retries.filter { $0.at <= now }
        self.servers.retries.removeAll { $0.at <= now }
        for retry in due {
            guard let generation = self.transport.allGenerations.first(where: { $0.ufrag == retry.ufrag }),
                generation.agent.state != .failed
            else { continue }
            self.open(
                retry.entry,
                retry.target,
                for: retry.ufrag,
                deadline: now + Self.serverTimeLimit,
                holds: false,
                attempt: retry.attempt,
                now: now
            )
        }
    }

    /// Sends what the clients have to send, and acts on what they report.
    func drainServers(now: NIODeadline) {
        guard !self.servers.connections.isEmpty else { return }
        for connection in self.servers.connections.values.sorted(by: { $0.id.number < $1.id.number }) {
            self.permitPeers(of: connection, now: now)
            self.drain(connection, now: now)
        }
    }

    func drain(_ connection: ServerConnection, now: NIODeadline) {
        guard let client = connection.turn else { return }
        let held = connection.heldEvents
        connection.heldEvents = []
        for event in held { self.handle(event, of: connection, now: now) }
        while let output = client.poll() {
            switch output {
            case .transmit(let batch): self.outputs.append(.transmitFlow(connection.id, batch))
            case .event(let event): self.handle(event, of: connection, now: now)
            }
        }
    }

    /// Lets the peer's candidates send through a relay before they try to.
    private func permitPeers(of connection: ServerConnection, now: NIODeadline) {
        guard let client = connection.turn, !connection.relayed.isEmpty, let ufrag = self.servers.ufrags[connection.id],
            let agent = self.transport.allGenerations.first(where: { $0.ufrag == ufrag })?.agent,
            agent.remoteCandidates.count != connection.permittedCount
        else { return }
        connection.permittedCount = agent.remoteCandidates.count
        for candidate in agent.remoteCandidates where candidate.transport == .udp {
            guard let address = candidate.transportAddress else { continue }
            client.permit(address, now: now)
        }
    }

    private func handle(_ event: TURNClient.Event, of connection: ServerConnection, now: NIODeadline) {
        guard let ufrag = self.servers.ufrags[connection.id] else { return }
        switch event {
        case .allocated(let allocation):
            self.allocated(allocation, connection, ufrag, now: now)
        case .redirected(let address, let domain):
            self.redirected(connection, to: address, domain: domain, now: now)
        case .refused(let failure):
            let isFull = failure.code == 486 || failure.code == 508
            // The server remembers the port of an allocation of old: another port is none of its (RFC 8656 section 7.4).
            if failure.code == 437, connection.attempt == 0 {
                self.retry(connection, after: .zero, now: now)
            } else if isFull {
                self.retry(connection, after: Self.retryWhenFull, now: now)
            }
            self.finish(connection, failure, now: now)
        case .lost(let failure):
            self.retry(connection, after: .seconds(1 << Int64(min(connection.attempt, 5))), now: now)
            self.finish(connection, failure, now: now)
        case .refreshRefused(let failure):
            self.report(failure, of: connection.entry, ufrag: ufrag, address: connection.localAddress)
        case .peerRefused(let peer, let failure):
            self.withGeneration(ufrag) { generation in
                let text = "refused to relay to \(peer.ip): \(failure.code) \(failure.text)"
                generation.note(connection.entry.url, .succeeded, text)
            }
        }
    }

    private func allocated(
        _ allocation: TURNRelayedAddresses,
        _ connection: ServerConnection,
        _ ufrag: String,
        now: NIODeadline
    ) {
        connection.relayed = allocation.relayed
        let hidesAddress = self.configuration.iceTransportPolicy == .relay
        for address in allocation.relayed { self.servers.byRelayedAddress[address] = connection }
        self.withGeneration(ufrag) { generation in
            let list = allocation.relayed.map(\.description).joined(separator: " and ")
            generation.note(connection.entry.url, .succeeded, "relayed address \(list)")
            for address in allocation.relayed {
                generation.relayProtocols[address] = connection.target.transport
                generation.agent.addRelayed(
                    ICEAgent.Relayed(
                        address: address,
                        relatedAddress: hidesAddress ? address.hidden : allocation.mapped,
                        serverURL: connection.entry.url,
                        preference: connection.preference
                    ),
                    now: now
                )
            }
        }
        self.endHold(of: connection, ufrag, now: now)
        self.permitPeers(of: connection, now: now)
    }

    private func redirected(
        _ connection: ServerConnection,
        to address: TransportAddress,
        domain: String?,
        now: NIODeadline
    ) {
        guard let ufrag = self.servers.ufrags[connection.id] else { return }
        guard connection.visited.count <= Self.maximumRedirections, !connection.visited.contains(address),
            address.port != 0, !address.isUnspecified
        else {
            let failure = TURNFailure(code: 300, text: "The server sends us round in a circle.")
            return self.finish(connection, failure, now: now)
        }
        let target = ServerFlowTarget(
            address: address,
            transport: connection.target.transport,
            host: domain ?? connection.target.host
        )
        self.open(
            connection.entry,
            target,
            for: ufrag,
            deadline: connection.deadline,
            holds: connection.holdsGathering,
            visited: connection.visited,
            now: now
        )
        self.finish(connection, nil, now: now)
    }

    private func retry(_ connection: ServerConnection, after delay: TimeAmount, now: NIODeadline) {
        guard connection.attempt < Self.maximumAttempts, let ufrag = self.servers.ufrags[connection.id] else { return }
        self.servers.retries.append(
            ServerConnections.Retry(
                at: now + delay,
                entry: connection.entry,
                ufrag: ufrag,
                attempt: connection.attempt + 1,
                target: connection.target
            )
        )
    }

    /// Ends a conversation: its flow is closed, and its addresses are gone.
    private func finish(_ connection: ServerConnection, _ failure: TURNFailure?, now: NIODeadline) {
        guard let ufrag = self.servers.ufrags[connection.id] else { return }
        if let failure {
            self.report(failure, of: connection.entry, ufrag: ufrag, address: connection.localAddress)
        }
        self.servers.remove(connection)
        self.outputs.append(.closeFlow(connection.id))
        for address in connection.relayed {
            self.withGeneration(ufrag) { $0.agent.removeHost(base: address, now: now) }
        }
        self.endHold(of: connection, ufrag, now: now)
    }

    private func endHold(of connection: ServerConnection, _ ufrag: String, now: NIODeadline) {
        guard connection.holdsGathering else { return }
        connection.holdsGathering = false
        self.release(ufrag, now: now)
    }

    private func report(_ failure: TURNFailure, of entry: ServerEntry, ufrag: String, address: TransportAddress?) {
        self.withGeneration(ufrag) { $0.note(entry.url, .failed(code: failure.code), failure.text) }
        let known = address.flatMap { $0.isUnspecified ? nil : $0 }
        self.emit(
            .iceCandidateError(
                RTCIceCandidateError(
                    address: known?.ip,
                    port: known?.port,
                    url: entry.url,
                    errorCode: failure.code,
                    errorText: failure.text
                )
            )
        )
    }
}

// MARK: - Data through relays

extension PeerSession {
    /// Sends datagrams along a path, wrapped for the relay if it leads through one of ours.
    func transmit(_ batch: DatagramBatch, along path: ICEPath, now: NIODeadline) {
        if let relay = self.servers.relay(at: path.base), let client = relay.turn {
            client.send(batch, to: path.remote, now: now)
            self.drain(relay, now: now)
        } else {
            self.outputs.append(.transmit(batch, from: path.base, to: path.remote))
        }
    }

    /// Gives the pair that carries data a channel at its relay.
    func bindChannel(of pair: ICECandidatePair, now: NIODeadline) {
        guard let base = pair.local.base, let relay = self.servers.relay(at: base),
            let remote = pair.remote.transportAddress
        else { return }
        relay.turn?.bindChannel(to: remote, now: now)
        self.drain(relay, now: now)
    }

    /// The relay of a silent path may have gone: it is asked.
    func verifyRelay(of agent: ICEAgent, now: NIODeadline) {
        guard let base = agent.selectedPath?.base, let relay = self.servers.relay(at: base) else { return }
        relay.turn?.verify(now: now)
    }

    /// Ends all that was begun for a generation; servers are told.
    func closeServers(of ufrag: String, now: NIODeadline) {
        self.servers.lookups = self.servers.lookups.filter { $0.value.ufrag != ufrag }
        self.servers.retries.removeAll { $0.ufrag == ufrag }
        for connection in self.servers.connections(of: ufrag) {
            if let client = connection.turn {
                client.close(now: now)
                while let output = client.poll() {
                    if case .transmit(let batch) = output {
                        self.outputs.append(.transmitFlow(connection.id, batch))
                    }
                }
            }
            self.servers.remove(connection)
            self.outputs.append(.closeFlow(connection.id))
        }
    }

    /// New credentials reach the allocations that there are.
    func updateServerCredentials(now: NIODeadline) {
        let entries = ServerEntry.all(of: self.configuration)
        func current(_ entry: ServerEntry) -> ServerEntry {
            entries.first { $0.url == entry.url } ?? entry
        }
        for connection in self.servers.connections.values {
            connection.entry = current(connection.entry)
            connection.turn?.update(
                username: connection.entry.username,
                password: connection.entry.credential,
                now: now
            )
        }
        for index in self.servers.retries.indices {
            self.servers.retries[index].entry = current(self.servers.retries[index].entry)
        }
    }
}
