import NIOCore
import RTCBase
import RTCICE
import RTCSTUN
import Testing

@Suite struct ConnectingTests {
    @Test("Two agents on one network connect in about a round trip and agree on the path")
    func direct() {
        let duo = Duo()
        let start = duo.network.now
        duo.start()
        #expect(duo.network.run(for: .seconds(5), until: duo.isConnected))
        #expect(duo.network.now - start <= .milliseconds(30))
        #expect(duo.network.run(for: .seconds(5), until: duo.isSettled))
        #expect(duo.pathsAgree)
        #expect(duo.left.states == [.checking, .connected, .completed])
        #expect(duo.right.states.last == .completed)
        duo.left.sendData("hello")
        duo.network.run(for: .seconds(1))
        #expect(duo.right.receivedData.map { String(buffer: $0.1) } == ["hello"])
    }

    @Test("The best of several pairs is nominated, over IPv6 where there is a choice")
    func severalAddresses() {
        let duo = Duo(left: ["192.0.2.1", "2001:db8::1", "198.51.100.1"], right: ["192.0.2.2", "2001:db8::2"])
        duo.start()
        #expect(duo.network.run(for: .seconds(10), until: duo.isSettled))
        #expect(duo.pathsAgree)
        #expect(duo.left.agent.selectedPath?.remote.family == .ipv6)
    }

    @Test("A pair that works is used when better ones do not")
    func onlyWorstWorks() {
        let duo = Duo(left: ["192.0.2.1", "2001:db8::1"], right: ["192.0.2.2", "2001:db8::2"])
        duo.network.filter = { from, _ in from.family == .ipv4 }
        let start = duo.network.now
        duo.start()
        #expect(duo.network.run(for: .seconds(10), until: duo.isSettled))
        #expect(duo.network.now - start < .milliseconds(400))
        #expect(duo.pathsAgree)
        #expect(duo.left.agent.selectedPath?.remote.family == .ipv4)
    }

    @Test("Loss of 30 %, reordering and duplicates do not stand in the way", arguments: 0..<20)
    func loss(batch: Int) {
        for offset in 0..<50 {
            let seed = UInt64(batch * 50 + offset)
            let duo = Duo(
                seed: seed,
                left: ["192.0.2.1", "198.51.100.1", "2001:db8::1"],
                right: ["192.0.2.2", "2001:db8::2", "192.0.2.3"]
            )
            duo.network.conditions = .init(
                delay: .milliseconds(20),
                jitter: .milliseconds(40),
                loss: 0.3,
                duplication: 0.1
            )
            duo.start()
            #expect(duo.network.run(for: .seconds(30), until: duo.isSettled), "seed \(seed)")
            duo.network.run(for: .seconds(5))
            #expect(duo.pathsAgree, "seed \(seed)")
        }
    }

    @Test("A role conflict is resolved, whoever has the larger tie-breaker", arguments: [true, false])
    func roleConflict(bothControlling: Bool) {
        let role: ICERole = bothControlling ? .controlling : .controlled
        for seed in 0..<100 {
            let duo = Duo(seed: UInt64(seed), roles: (role, role))
            duo.start()
            #expect(duo.network.run(for: .seconds(10), until: duo.isSettled), "seed \(seed)")
            #expect(duo.left.agent.role != duo.right.agent.role, "seed \(seed)")
            #expect(duo.pathsAgree, "seed \(seed)")
            let changes = (duo.left.events + duo.right.events).filter { event in
                if case .roleChanged = event { return true }
                return false
            }
            #expect(changes.count == 1, "seed \(seed)")
        }
    }

    @Test("Candidates that trickle in late are used at once")
    func lateTrickle() {
        let duo = Duo()
        duo.left.tricklesCandidates = false
        duo.right.tricklesCandidates = false
        duo.start()
        duo.network.run(for: .seconds(10))
        #expect(!duo.isConnected())
        #expect(duo.left.agent.state == .new)
        duo.left.addCandidates(of: duo.right)
        let start = duo.network.now
        #expect(duo.network.run(for: .seconds(1), until: duo.isConnected))
        #expect(duo.network.now - start <= .milliseconds(60))
    }

    @Test("Checks that come before the peer's credentials are answered, remembered and used")
    func earlyChecks() {
        let duo = Duo()
        duo.left.tricklesCandidates = false
        duo.right.gather()
        duo.left.gather()
        duo.left.learnPeer()
        duo.network.run(for: .milliseconds(300))
        // The controlling side has a working pair already; the other knows neither credentials nor candidates.
        #expect(duo.right.agent.state == .new)
        #expect(duo.right.agent.isValidated(remote: duo.left.bases[0], base: duo.right.bases[0]))
        duo.right.learnPeer()
        #expect(duo.network.run(for: .milliseconds(50), until: { duo.right.agent.state == .connected }))
        #expect(duo.right.agent.selectedPair?.remote.type == .peerReflexive)
        // Now it is signalled as well.
        duo.right.addCandidates(of: duo.left)
        #expect(duo.right.agent.selectedPair?.remote.type == .host)
        #expect(duo.right.agent.remoteCandidates.count == 1)
        #expect(duo.pathsAgree)
    }

    @Test("A check of a peer that takes over is kept until its answer is known, and leads to it without a candidate")
    func checkBeforeTakeover() {
        let puppet = Puppet()
        let first = address("198.51.100.1", 2000)
        let second = address("198.51.100.2", 3000)
        puppet.candidate(first)
        puppet.check(from: first)
        puppet.advance(.milliseconds(200))
        puppet.answerChecks(of: first)
        let answer = puppet.check(from: second, username: "agent:othr")
        #expect(answer?.messageClass == .successResponse)
        puppet.advance(.milliseconds(500))
        #expect(puppet.answerChecks(of: second).isEmpty, "checked with the credentials of somebody else")
        let other = ICECredentials(ufrag: "othr", password: "otherotherotherotherother")
        puppet.agent.setRemote(credentials: other, now: puppet.now)
        puppet.drain()
        puppet.advance(.milliseconds(200))
        #expect(!puppet.answerChecks(of: second, password: other.password).isEmpty)
    }

    @Test("Checks that come before there are local candidates are used when there are")
    func checksBeforeGathering() {
        let duo = Duo()
        duo.right.tricklesCandidates = false
        duo.left.gather()
        duo.left.learnPeer()
        duo.right.learnPeer()
        let candidate = ICECandidate(
            foundation: "1",
            priority: 2_130_706_431,
            address: .ip(duo.right.bases[0]),
            type: .host
        )
        duo.left.agent.addRemoteCandidate(candidate, now: duo.network.now)
        duo.network.run(for: .milliseconds(200))
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(1), until: duo.isConnected))
    }

    @Test("Behind a translator a peer-reflexive pair comes about")
    func translated() {
        let duo = Duo(left: ["10.0.0.1"], right: ["203.0.113.5"])
        duo.network.nats[address("10.0.0.1", 1000)] = address("198.51.100.7", 40000)
        duo.network.filter = { _, to in to != address("10.0.0.1", 1000) }
        duo.start()
        #expect(duo.network.run(for: .seconds(10), until: duo.isConnected))
        duo.network.run(for: .seconds(1))
        #expect(duo.right.agent.selectedPair?.remote.type == .peerReflexive)
        #expect(duo.right.agent.selectedPath?.remote == address("198.51.100.7", 40000))
        #expect(duo.left.agent.selectedPair?.local.type == .peerReflexive)
        #expect(duo.left.agent.selectedPath?.base == address("10.0.0.1", 1000))
        duo.right.sendData("in")
        duo.left.sendData("out")
        duo.network.run(for: .seconds(1))
        #expect(duo.left.receivedData.count == 1)
        #expect(duo.right.receivedData.count == 1)
    }

    @Test("An announced address replaces the base in candidates and serves in pairs")
    func announced() {
        let duo = Duo(left: ["10.0.0.1"], right: ["203.0.113.5"])
        duo.network.nats[address("10.0.0.1", 1000)] = address("198.51.100.7", 1000)
        let host = ICEHostAddress(base: address("10.0.0.1", 1000), announced: [address("198.51.100.7", 1000)])
        duo.left.learnPeer()
        duo.right.learnPeer()
        duo.left.agent.gather(hosts: [host], now: duo.network.now)
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(10), until: duo.isSettled))
        #expect(duo.left.agent.localCandidates.map(\.address) == [.ip(address("198.51.100.7", 1000))])
        #expect(duo.left.agent.selectedPair?.local.type == .host)
        #expect(duo.right.agent.selectedPair?.remote.type == .host)
        #expect(duo.left.agent.selectedPath?.base == address("10.0.0.1", 1000))
    }

    @Test("A .local candidate is resolved and used, another name is not")
    func mdns() {
        let duo = Duo()
        duo.right.tricklesCandidates = false
        duo.start()
        duo.left.names = ["abc.local": [duo.right.bases[0].withPort(0)]]
        for name in ["ABC.local", "example.org"] {
            let text = "candidate:1 1 udp 2122260223 \(name) 2000 typ host"
            guard let candidate = ICECandidate(parsing: text) else {
                Issue.record("\(text) did not parse")
                continue
            }
            duo.left.agent.addRemoteCandidate(candidate, now: duo.network.now)
        }
        #expect(duo.network.run(for: .seconds(1), until: duo.isConnected))
        #expect(duo.left.events.contains(.resolve(hostname: "abc.local")))
        #expect(!duo.left.events.contains(.resolve(hostname: "example.org")))
        #expect(duo.left.agent.counters.uselessCandidates == 1)
    }

    @Test("Candidates of component 2, of TCP, of port 0 and of impossible addresses are ignored")
    func uselessCandidates() {
        let duo = Duo()
        duo.left.learnPeer()
        duo.left.gather()
        let lines = [
            "candidate:1 2 udp 2122260223 192.0.2.2 2000 typ host",
            "candidate:1 1 tcp 2122260223 192.0.2.2 2000 typ host tcptype so",
            "candidate:1 1 udp 2122260223 192.0.2.2 0 typ host",
            "candidate:1 1 udp 2122260223 0.0.0.0 2000 typ host",
            "candidate:1 1 udp 2122260223 224.0.0.1 2000 typ host",
            "candidate:1 1 udp 2122260223 192.0.2.2 2000 typ host ufrag stale",
        ]
        for line in lines {
            guard let candidate = ICECandidate(parsing: line) else {
                Issue.record("\(line) did not parse")
                continue
            }
            duo.left.agent.addRemoteCandidate(candidate, now: duo.network.now)
        }
        #expect(duo.left.agent.remoteCandidates.isEmpty)
        #expect(duo.left.agent.counters.uselessCandidates == UInt64(lines.count))
    }

    @Test("Data from an address that no check came from is refused")
    func unvalidated() {
        let duo = Duo()
        duo.start()
        duo.network.run(for: .seconds(1), until: duo.isSettled)
        duo.network.send(ByteBuffer(string: "evil"), from: address("198.51.100.66", 6), to: duo.left.bases[0])
        duo.network.run(for: .seconds(1))
        #expect(duo.left.refusedData == 1)
        #expect(duo.left.receivedData.isEmpty)
    }
}
