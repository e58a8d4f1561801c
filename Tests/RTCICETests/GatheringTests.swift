import NIOCore
import RTCBase
import RTCICE
import RTCSTUN
import Testing

@Suite struct GatheringTests {
    let server = address("203.0.113.1", 3478)

    /// Answers binding requests like a STUN server.
    private func reflect(_ datagram: RawSpan, _ source: TransportAddress) -> ByteBuffer? {
        guard let message = STUNMessage(datagram), message.messageClass == .request else { return nil }
        var builder = STUNMessageBuilder(.successResponse, .binding, message.transactionID)
        builder.append(.xorMappedAddress, address: source)
        return builder.finish()
    }

    @Test("Host candidates come at once, and gathering without servers is complete at once")
    func hostsOnly() {
        let duo = Duo(left: ["192.0.2.1", "2001:db8::1"])
        duo.left.gather()
        duo.left.drain()
        #expect(duo.left.agent.gatheringState == .complete)
        #expect(duo.left.agent.localCandidates.map(\.type) == [.host, .host])
        let candidates = duo.left.agent.localCandidates
        #expect(candidates[1].priority > candidates[0].priority)
        #expect(candidates[0].foundation != candidates[1].foundation)
        #expect(candidates.allSatisfy { $0.usernameFragment == duo.left.agent.localCredentials.ufrag })
        #expect(duo.left.events.last == .gatheringStateChanged(.complete))
    }

    @Test("A STUN server reveals the reflexive address")
    func reflexive() {
        let duo = Duo(left: ["10.0.0.1"])
        duo.network.nats[address("10.0.0.1", 1000)] = address("198.51.100.7", 40000)
        duo.network.servers[self.server] = self.reflect
        duo.left.gather(stunServers: [ICEServerAddress(address: self.server, url: "stun:example.org")])
        #expect(duo.left.agent.gatheringState == .gathering)
        duo.network.run(for: .seconds(1))
        #expect(duo.left.agent.gatheringState == .complete)
        let candidate = duo.left.agent.localCandidates.last
        #expect(candidate?.type == .serverReflexive)
        #expect(candidate?.address == .ip(address("198.51.100.7", 40000)))
        #expect(candidate?.relatedAddress == address("10.0.0.1", 1000))
        #expect(candidate?.base == address("10.0.0.1", 1000))
        #expect(candidate?.serverURL == "stun:example.org")
    }

    @Test("A server that was named before the addresses is asked once they are there")
    func serverBeforeHosts() {
        let duo = Duo(left: ["10.0.0.1"])
        duo.network.nats[address("10.0.0.1", 1000)] = address("198.51.100.7", 40000)
        duo.network.servers[self.server] = self.reflect
        let server = ICEServerAddress(address: self.server, url: "stun:example.org")
        duo.left.agent.addServer(server, now: duo.network.now)
        // Naming it again does not ask it twice.
        duo.left.gather(stunServers: [server])
        duo.network.run(for: .seconds(1))
        #expect(duo.left.agent.gatheringState == .complete)
        #expect(duo.left.agent.localCandidates.map(\.type) == [.host, .serverReflexive])
    }

    @Test("A reflexive address that is the host's own makes no candidate of its own")
    func redundant() {
        let duo = Duo()
        duo.network.servers[self.server] = self.reflect
        duo.left.gather(stunServers: [ICEServerAddress(address: self.server, url: "stun:example.org")])
        duo.network.run(for: .seconds(1))
        #expect(duo.left.agent.localCandidates.count == 1)
        #expect(duo.left.agent.gatheringState == .complete)
        #expect(duo.left.events.contains(.serverAnswered(url: "stun:example.org", address: duo.left.bases[0])))
    }

    @Test("A dead server is an error after less than ten seconds and holds nothing else up")
    func deadServer() {
        let duo = Duo()
        let dead = ICEServerAddress(address: address("203.0.113.99", 3478), url: "stun:dead")
        let start = duo.network.now
        duo.left.learnPeer()
        duo.right.learnPeer()
        duo.left.gather(stunServers: [dead])
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(1), until: duo.isConnected))
        #expect(duo.network.run(for: .seconds(20), until: { duo.left.agent.gatheringState == .complete }))
        #expect(duo.network.now - start <= .seconds(10))
        let error = duo.left.events.contains { event in
            if case .candidateError("stun:dead", 701, _, _) = event { return true }
            return false
        }
        #expect(error)
        #expect(duo.network.run(for: .seconds(1), until: duo.isSettled))
    }

    @Test("A server's refusal is reported with its code")
    func refusal() {
        let duo = Duo()
        duo.network.servers[self.server] = { datagram, _ in
            guard let message = STUNMessage(datagram) else { return nil }
            var builder = STUNMessageBuilder(.errorResponse, .binding, message.transactionID)
            builder.appendErrorCode(401, reason: "Unauthenticated")
            return builder.finish()
        }
        duo.left.gather(stunServers: [ICEServerAddress(address: self.server, url: "stun:strict")])
        duo.network.run(for: .seconds(1))
        let url = "stun:strict"
        #expect(
            duo.left.events.contains(
                .candidateError(url: url, code: 401, text: "Unauthenticated", address: duo.left.bases[0])
            )
        )
        #expect(duo.left.agent.gatheringState == .complete)
    }

    @Test("An answer from elsewhere than the server is ignored")
    func forgedServer() {
        let duo = Duo()
        duo.network.servers[self.server] = { [unowned network = duo.network, base = duo.left.bases[0]] datagram, _ in
            guard let forged = reflect(datagram, address("198.51.100.66", 6)) else { return nil }
            network.send(forged, from: address("198.51.100.66", 6), to: base)
            return nil
        }
        duo.left.gather(stunServers: [ICEServerAddress(address: self.server, url: "stun:s")])
        duo.network.run(for: .milliseconds(400))
        #expect(duo.left.agent.localCandidates.count == 1)
        #expect(duo.left.agent.gatheringState == .gathering)
        #expect(duo.left.agent.counters.unexpectedResponses == 1)
    }

    @Test("A relayed candidate is paired from its own address")
    func relayed() {
        let duo = Duo(left: [])
        let relay = address("203.0.113.50", 5000)
        duo.left.bases = [relay]
        duo.left.agent.addRelayed(
            ICEAgent.Relayed(
                address: relay,
                relatedAddress: address("192.0.2.1", 1),
                serverURL: "turn:example.org"
            ),
            now: duo.network.now
        )
        duo.left.learnPeer()
        duo.right.learnPeer()
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(2), until: duo.isConnected))
        #expect(duo.left.agent.selectedPair?.local.type == .relayed)
        #expect(duo.left.agent.selectedPath?.base == relay)
    }

    @Test("A candidate that a name hides stays the host candidate that it is when the peer sees its address")
    func hidden() {
        let duo = Duo()
        let base = duo.left.bases[0]
        duo.right.names = ["hidden.local": [base.withPort(0)]]
        duo.left.learnPeer()
        duo.right.learnPeer()
        duo.left.agent.gather(hosts: [ICEHostAddress(base: base, hostname: "hidden.local")], now: duo.network.now)
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(5), until: duo.isSettled))
        #expect(duo.left.agent.selectedPair?.local.type == .host)
        #expect(duo.left.agent.localCandidates.map(\.type) == [.host])
        #expect(duo.right.agent.selectedPair?.remote.type == .host)
    }

    @Test("Relays of one kind have different priorities, in the order they came")
    func relayPriorities() {
        let duo = Duo(left: [])
        for host in ["203.0.113.50", "203.0.113.51", "203.0.113.52"] {
            duo.left.agent.addRelayed(
                ICEAgent.Relayed(address: address(host, 5000), relatedAddress: nil, serverURL: "turn:\(host)"),
                now: duo.network.now
            )
        }
        let priorities = duo.left.agent.localCandidates.map(\.priority)
        #expect(Set(priorities).count == 3)
        #expect(priorities == priorities.sorted(by: >))
    }

    @Test("What is found after the end was told is used, told to nobody, and begins no gathering")
    func afterTheEnd() throws {
        let duo = Duo(left: ["192.0.2.1"])
        duo.network.servers[self.server] = self.reflect
        duo.left.gather(stunServers: [ICEServerAddress(address: self.server, url: "stun:example.org")])
        duo.network.run(for: .seconds(1))
        duo.left.agent.noteEndOfCandidates()
        duo.left.events = []
        let late = address("198.51.100.1", 1000)
        duo.left.bases = [late]
        duo.left.agent.removeHost(base: address("192.0.2.1", 1000), now: duo.network.now)
        duo.left.agent.addHost(ICEHostAddress(base: late), now: duo.network.now)
        duo.left.agent.addServer(
            ICEServerAddress(address: self.server.withPort(9), url: "stun:other"),
            now: duo.network.now
        )
        duo.left.learnPeer()
        duo.right.learnPeer()
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(5), until: duo.isConnected))
        let candidate = try #require(duo.left.agent.localCandidates.first)
        #expect(duo.left.events.contains(.untoldCandidate(candidate)))
        #expect(!duo.left.events.contains { if case .localCandidate = $0 { true } else { false } })
        #expect(!duo.left.events.contains { if case .gatheringStateChanged = $0 { true } else { false } })
        #expect(duo.right.agent.selectedPair?.remote.type == .peerReflexive)
        // A restart begins anew.
        var random = RandomSource.seeded(4)
        duo.left.agent.restart(localCredentials: .random(using: &random), now: duo.network.now)
        duo.left.gather()
        duo.left.drain()
        #expect(duo.left.events.contains { if case .localCandidate = $0 { true } else { false } })
    }

    @Test("Statistics count checks, consent and data")
    func statistics() throws {
        let duo = Duo()
        duo.start()
        duo.network.run(for: .seconds(30))
        duo.left.sendData("12345")
        duo.network.run(for: .seconds(1))
        let left = try #require(duo.left.agent.statistics().first)
        let right = try #require(duo.right.agent.statistics().first)
        #expect(left.isSelected && left.isNominated && left.state == .succeeded)
        #expect(left.bytesSent == 5 && left.packetsSent == 1)
        #expect(right.bytesReceived == 5 && right.packetsReceived == 1)
        #expect((4...8).contains(left.consentRequestsSent))
        #expect(left.responsesReceived == left.requestsSent + left.consentRequestsSent)
        #expect(left.requestsReceived == left.responsesSent)
        #expect(left.currentRoundTripTime == .milliseconds(20))
        #expect(left.totalRoundTripTime == .milliseconds(20) * Int(left.roundTripTimeMeasurements))
    }
}
