import NIOCore
import RTCBase
import RTCICE
import RTCTURN

extension PeerSession {
    /// A server that is full is asked again after this (RFC 8656 section 7.4).
    private static let retryWhenFull = TimeAmount.seconds(60)
    private static let maximumAttempts = 8
    /// So many servers may send us on to the next.
    private static let maximumRedirections = 4

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
                visited: retry.visited,
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
                self.retry(connection, after: .zero, visited: connection.visited, now: now)
            } else if connection.attempt > 0, failure.code == TURNFailure.unreachable {
                // It gave an allocation before: it may be being started anew.
                self.retry(connection, after: Self.retryDelay(connection), visited: connection.visited, now: now)
            } else if isFull {
                self.retry(connection, after: Self.retryWhenFull, visited: connection.visited, now: now)
            }
            self.finish(connection, failure, now: now)
        case .lost(let failure):
            self.retry(connection, after: Self.retryDelay(connection), now: now)
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

    /// At once the first time, for the peer is waiting; then after twice as long each time.
    private static func retryDelay(_ connection: ServerConnection) -> TimeAmount {
        connection.attempt == 0 ? .zero : .milliseconds(500 << Int64(min(connection.attempt - 1, 6)))
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
            attempt: connection.attempt,
            now: now
        )
        self.finish(connection, nil, now: now)
    }

    private func retry(
        _ connection: ServerConnection,
        after delay: TimeAmount,
        visited: Set<TransportAddress> = [],
        now: NIODeadline
    ) {
        guard connection.attempt < Self.maximumAttempts, let ufrag = self.servers.ufrags[connection.id] else { return }
        self.servers.retries.append(
            ServerConnections.Retry(
                at: now + delay,
                entry: connection.entry,
                ufrag: ufrag,
                attempt: connection.attempt + 1,
                target: connection.target,
                visited: visited
            )
        )
    }

    /// Ends a conversation: its flow is closed, and its addresses are gone.
    func finish(_ connection: ServerConnection, _ failure: TURNFailure?, now: NIODeadline) {
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

    /// Whether a candidate shows the address already: others are not told with errors either (W3C webrtc-pc section 4.8.3).
    private func shows(_ address: TransportAddress, of ufrag: String) -> Bool {
        guard self.configuration.iceTransportPolicy != .relay else { return false }
        let candidates = self.transport.allGenerations.first { $0.ufrag == ufrag }?.agent.localCandidates ?? []
        return candidates.contains { $0.transportAddress?.ip == address.ip }
    }

    func report(_ failure: TURNFailure, of entry: ServerEntry, ufrag: String, address: TransportAddress?) {
        self.withGeneration(ufrag) { $0.note(entry.url, .failed(code: failure.code), failure.text) }
        let known = address.flatMap { self.shows($0, of: ufrag) ? $0 : nil }
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
