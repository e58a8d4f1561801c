import NIOCore
import RTCBase
import RTCICE
import RTCSTUN
import Testing

@Suite struct HostilityTests {
    let remote = address("192.0.2.20", 2)

    @Test("Forged checks are dropped without an answer and open no path")
    func forgeries() {
        let puppet = Puppet()
        #expect(puppet.check(from: self.remote, password: "wrong") == nil)
        #expect(puppet.check(from: self.remote, integrity: false) == nil)
        #expect(puppet.check(from: self.remote, username: "other:pupp") == nil)
        #expect(puppet.check(from: self.remote, username: "agent") == nil)
        #expect(puppet.check(from: self.remote, username: "agentx:pupp") == nil)
        #expect(puppet.agent.counters.badIntegrity == 2)
        #expect(puppet.agent.counters.unknownUsername == 3)
        #expect(!puppet.agent.isValidated(remote: self.remote, base: puppet.base))
        #expect(puppet.agent.remoteCandidates.isEmpty)
        puppet.check(from: self.remote)
        #expect(puppet.agent.isValidated(remote: self.remote, base: puppet.base))
        #expect(puppet.events.contains(.pathValidated(remote: self.remote, base: puppet.base)))
    }

    @Test("An unknown attribute that must be understood is refused by name")
    func unknownAttribute() {
        let puppet = Puppet()
        let answer = puppet.check(from: self.remote, extra: STUNAttributeType(rawValue: 0x7F00))
        #expect(answer?.errorCode == 420)
        // Attributes that may be ignored are: browsers send some of their own.
        #expect(puppet.check(from: self.remote, extra: STUNAttributeType(rawValue: 0xC057))?.errorCode == nil)
    }

    @Test("Forged answers change nothing")
    func forgedAnswers() {
        let puppet = Puppet(role: .controlling)
        puppet.candidate(self.remote)
        let request = puppet.inbox[0]
        puppet.answerChecks(of: self.remote, password: "wrong")
        #expect(puppet.agent.statistics().first?.state == .inProgress)
        #expect(puppet.agent.counters.badIntegrity == 1)
        // A stranger's answer to no question.
        puppet.answerChecks(of: self.remote)
        var builder = STUNMessageBuilder(.successResponse, .binding, STUNTransactionID(high: 1, low: 1))
        builder.append(.xorMappedAddress, address: puppet.base)
        builder.appendIntegrity(STUNIntegrityKey(shortTermPassword: puppet.credentials.password))
        puppet.deliver(builder.finish(), from: self.remote)
        #expect(puppet.agent.counters.unexpectedResponses == 1)
        // Our own request, reflected.
        puppet.deliver(request.bytes, from: self.remote)
        #expect(puppet.agent.counters.unknownUsername == 1)
    }

    @Test("A flood of authenticated checks from ever new addresses stays within the limits")
    func floodOfAddresses() {
        let puppet = Puppet()
        for port in UInt16(1)...2_000 {
            puppet.check(from: self.remote.withPort(port), nominating: true)
            if port % 10 == 0 { puppet.advance(.milliseconds(1)) }
        }
        let configuration = puppet.agent.configuration
        #expect(puppet.agent.remoteCandidates.count <= configuration.maximumPeerReflexiveCandidates)
        #expect(puppet.agent.statistics().count <= configuration.maximumPairs)
        #expect(puppet.agent.counters.overLimit == 2_000 - 32)
        #expect(!puppet.agent.isValidated(remote: self.remote.withPort(2_000), base: puppet.base))
    }

    @Test("A flood of checks on one pair brings about few of our own")
    func floodOfChecks() {
        let puppet = Puppet()
        for _ in 0..<1_000 {
            puppet.check(from: self.remote)
            puppet.advance(.milliseconds(1))
        }
        #expect(puppet.inbox.count <= 51)
    }

    @Test("Early checks are remembered up to a limit")
    func floodOfEarlyChecks() {
        let duo = Duo()
        duo.right.gather()
        var answers = 0
        for port in UInt16(1)...100 {
            let id = STUNTransactionID(high: UInt64(port), low: 0)
            var builder = STUNMessageBuilder(.request, .binding, id)
            builder.append(.username, text: "\(duo.right.agent.localCredentials.ufrag):abcd")
            builder.append(.iceControlling, integer: UInt64(1))
            builder.appendIntegrity(STUNIntegrityKey(shortTermPassword: duo.right.agent.localCredentials.password))
            let datagram = builder.finish()
            duo.right.agent.receive(
                datagram.readableBytesSpan,
                from: self.remote.withPort(port),
                to: duo.right.bases[0],
                now: duo.network.now
            )
            while let output = duo.right.agent.poll() {
                if case .transmit = output { answers += 1 }
            }
        }
        #expect(answers == 16)
        #expect(duo.right.agent.counters.overLimit == 84)
    }

    @Test("Candidates and pairs stay within their limits, and better ones displace worse ones")
    func manyCandidates() {
        var configuration = ICEConfiguration()
        configuration.maximumPairs = 20
        let puppet = Puppet(configuration: configuration)
        for port in UInt16(1)...500 {
            puppet.candidate(self.remote.withPort(port), priority: UInt32(port))
        }
        #expect(puppet.agent.remoteCandidates.count == 100)
        #expect(puppet.agent.statistics().count == 20)
        #expect(puppet.agent.counters.overLimit >= 400)
        #expect(puppet.agent.statistics().first?.pair.remote.priority == 100)
        for index in 0..<500 {
            let text = "candidate:1 1 udp 1 n\(index).local 5 typ host"
            if let candidate = ICECandidate(parsing: text) {
                puppet.agent.addRemoteCandidate(candidate, now: puppet.now)
            }
        }
        puppet.drain()
        let resolutions = puppet.events.filter { event in
            if case .resolve = event { return true }
            return false
        }
        #expect(resolutions.count == 100)
    }

    @Test("A hundred pairs are checked at the pace of Ta")
    func pacing() {
        let puppet = Puppet()
        for port in UInt16(1)...100 { puppet.candidate(self.remote.withPort(port), priority: UInt32(port)) }
        #expect(puppet.inbox.count == 1)
        puppet.advance(.milliseconds(199))
        #expect(puppet.inbox.count == 10)
    }

    @Test("Hostile bytes never trap", arguments: 0..<10)
    func fuzz(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        let puppet = Puppet(role: seed % 2 == 0 ? .controlling : .controlled)
        puppet.candidate(self.remote)
        var corpus: [[UInt8]] = puppet.inbox.map(\.bytes)
        for round in 0..<3_000 {
            var bytes = corpus[Int(random.next() % UInt64(corpus.count))]
            for _ in 0..<Int(random.next() % 4) where !bytes.isEmpty {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 8 == 0 { bytes = Array(bytes.prefix(Int(random.next() % 120))) }
            puppet.deliver(bytes, from: self.remote.withPort(UInt16(random.next() % 4)))
            if round % 50 == 0 {
                puppet.check(
                    from: self.remote.withPort(UInt16(random.next() % 100)),
                    nominating: random.next() % 2 == 0
                )
                corpus += puppet.inbox.suffix(4).map(\.bytes)
                puppet.answerChecks(of: self.remote)
                puppet.advance(.milliseconds(Int64(random.next() % 400)))
            }
        }
        #expect(puppet.agent.counters.malformed > 0)
    }

    @Test("Whatever the order of calls, agents neither trap nor spin", arguments: 0..<200)
    func randomCalls(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        let duo = Duo(seed: UInt64(seed), left: ["192.0.2.1", "2001:db8::1"], right: ["192.0.2.2", "2001:db8::2"])
        duo.network.conditions = .init(delay: .milliseconds(5), jitter: .milliseconds(10), loss: 0.1, duplication: 0.1)
        for _ in 0..<40 {
            let side = random.next() % 2 == 0 ? duo.left : duo.right
            switch random.next() % 11 {
            case 0: side.gather()
            case 1, 2: side.learnPeer()
            case 3: side.agent.restart(localCredentials: .random(using: &random), now: duo.network.now)
            case 4: side.agent.removeHost(base: side.bases[Int(random.next() % 2)], now: duo.network.now)
            case 5: side.agent.addHost(ICEHostAddress(base: side.bases[0]), now: duo.network.now)
            case 6: side.agent.setRemoteEndOfCandidates(now: duo.network.now)
            case 7: side.agent.setRole(random.next() % 2 == 0 ? .controlling : .controlled)
            case 8: if let peer = side.peer { side.addCandidates(of: peer) }
            case 9: duo.network.conditions.loss = random.next() % 4 == 0 ? 1 : 0.1
            default: side.agent.addResolved(hostname: "x.local", addresses: side.bases, now: duo.network.now)
            }
            duo.network.run(for: .milliseconds(Int64(random.next() % 3_000)))
        }
        // From any mess a restart on both sides leads out.
        duo.network.conditions = .init()
        for side in [duo.left, duo.right] {
            side.agent.restart(localCredentials: .random(using: &random), now: duo.network.now)
        }
        duo.start()
        #expect(duo.network.run(for: .seconds(60)) { duo.isConnected() && duo.pathsAgree }, "seed \(seed)")
        let before = duo.network.sentCount
        duo.network.run(for: .seconds(60))
        #expect(duo.network.sentCount - before < 200, "seed \(seed)")
    }
}
