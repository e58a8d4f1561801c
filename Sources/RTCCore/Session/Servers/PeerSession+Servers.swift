public import NIOCore
public import RTCBase
import RTCICE
import RTCSTUN
import RTCTURN

// MARK: - Asking servers

extension PeerSession {
    /// How long one server may take, from the look-up of its name to its answer; others do not wait for it.
    static let serverTimeLimit = TimeAmount.seconds(10)

    /// Asks all servers of the configuration for the addresses of a generation, at once.
    func askServers(for ufrag: String, now: NIODeadline) {
        for entry in ServerEntry.all(of: self.configuration) {
            if self.configuration.iceTransportPolicy == .relay, !entry.uri.scheme.isTURN { continue }
            self.withGeneration(ufrag) { generation in
                generation.agent.holdGathering()
                generation.note(entry.url, .pending, "no answer yet")
            }
            let deadline = now + Self.serverTimeLimit
            guard !entry.isOverDTLS else {
                let text = "TURN over DTLS is not supported; transport=tcp is TURN over TLS."
                let failure = TURNFailure(code: TURNFailure.unreachable, text: text)
                self.report(failure, of: entry, ufrag: ufrag, address: nil)
                self.release(ufrag, now: now)
                continue
            }
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
        guard !self.isClosed, let known = self.servers.lookups.removeValue(forKey: lookup.id) else { return }
        for family in [TransportAddress.Family.ipv6, .ipv4] {
            guard let address = addresses.first(where: { $0.family == family }) else { continue }
            self.ask(known.entry, at: address, for: known.ufrag, deadline: known.deadline, now: now)
        }
        if addresses.isEmpty { self.lookupFailed(known, now: now) }
        self.release(known.ufrag, now: now)
    }

    func lookupFailed(_ lookup: ServerConnections.Lookup, now: NIODeadline) {
        let failure = TURNFailure(
            code: TURNFailure.unreachable,
            text: "The name \(lookup.entry.uri.host) has no address."
        )
        self.withGeneration(lookup.ufrag) { _ = $0.unaskedServers.insert(lookup.entry.url) }
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

    func open(
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

    func release(_ ufrag: String, now: NIODeadline) {
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

    /// Says that the server's host has refused what was sent over a flow: nobody listens there.
    public func flowRefused(_ id: ServerFlowID, reason: String, now: NIODeadline) {
        guard let connection = self.servers.connections[id] else { return }
        guard let client = connection.turn else { return self.flowClosed(id, reason: reason, now: now) }
        client.connectionRefused(reason, now: now)
        self.drain(connection, now: now)
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
