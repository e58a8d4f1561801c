import NIOCore
import RTCBase
import RTCICE
import RTCSTUN
import Testing

@Suite struct LivenessTests {
    private func connected(seed: UInt64 = 1, left: [String] = ["192.0.2.1"]) -> Duo {
        let duo = Duo(seed: seed, left: left)
        duo.start()
        duo.network.run(for: .seconds(10), until: duo.isSettled)
        return duo
    }

    @Test("A silent peer is reported disconnected after seconds and failed after thirty")
    func silence() throws {
        let duo = self.connected()
        #expect(duo.isSettled())
        let start = duo.network.now
        duo.network.filter = { _, _ in false }
        #expect(duo.network.run(for: .seconds(20), until: { duo.left.agent.state == .disconnected }))
        let silence = duo.network.now - start
        #expect(silence >= .seconds(5) && silence <= .milliseconds(8_600))
        #expect(duo.left.agent.selectedPath != nil)
        #expect(duo.network.run(for: .seconds(40), until: { duo.left.agent.state == .failed }))
        let expiry = duo.network.now - start
        #expect(expiry >= .seconds(24) && expiry <= .seconds(31))
        #expect(duo.left.agent.selectedPath == nil)
        #expect(duo.left.agent.selectedPair != nil)
        // Consent is gone: nothing goes out any more.
        duo.network.run(for: .seconds(10))
        let before = duo.network.sentCount
        duo.network.run(for: .seconds(60))
        #expect(duo.network.sentCount == before)
        #expect(duo.left.agent.nextTimeout == nil)
    }

    @Test("A peer that comes back is connected again")
    func recovery() {
        let duo = self.connected()
        duo.network.filter = { _, _ in false }
        duo.network.run(for: .seconds(15), until: { duo.left.agent.state == .disconnected })
        duo.network.filter = { _, _ in true }
        #expect(duo.network.run(for: .seconds(3), until: duo.isSettled))
        duo.network.run(for: .seconds(120))
        #expect(duo.isSettled())
        #expect(duo.pathsAgree)
    }

    @Test("Consent checks keep a quiet connection for an hour, four to six seconds apart")
    func consentInterval() {
        let duo = self.connected()
        let before = duo.left.transmissions.count
        duo.network.run(for: .minutes(60))
        #expect(duo.isSettled())
        let checks = duo.left.transmissions.dropFirst(before).filter { $0.0.messageClass == .request }.count
        #expect((600...900).contains(checks))
        #expect(duo.left.states == [.checking, .connected, .completed])
    }

    @Test("A tenth of all datagrams lost does not look like a lost peer", arguments: 0..<10)
    func lossyQuiet(seed: Int) {
        let duo = self.connected(seed: UInt64(seed))
        duo.network.conditions.loss = 0.1
        duo.network.run(for: .minutes(10))
        #expect(duo.isConnected(), "seed \(seed)")
        #expect(!duo.left.states.contains(.disconnected), "seed \(seed)")
    }

    @Test("A peer that still asks but no longer answers is not disconnected, but consent ends")
    func answersStop() {
        let puppet = Puppet(role: .controlling)
        let remote = address("192.0.2.20", 2)
        puppet.candidate(remote)
        puppet.answerChecks(of: remote)
        puppet.answerChecks(of: remote)
        for _ in 0..<29 {
            puppet.advance(.seconds(1))
            puppet.check(from: remote, controlling: nil, controlled: 0)
            #expect(puppet.agent.state == .connected || puppet.agent.state == .completed)
        }
        puppet.advance(.seconds(3))
        #expect(puppet.agent.state == .failed)
    }

    @Test("When the selected path dies another that works is selected")
    func failover() {
        let duo = Duo(left: ["192.0.2.1", "198.51.100.1"])
        duo.start()
        duo.network.run(for: .seconds(10), until: duo.isSettled)
        let dead = duo.left.agent.selectedPath?.base
        duo.network.filter = { from, to in from != dead && to != dead }
        #expect(
            duo.network.run(for: .seconds(20)) {
                duo.isConnected() && duo.pathsAgree && duo.left.agent.selectedPath?.base != dead
            }
        )
        duo.network.run(for: .seconds(60))
        #expect(duo.isSettled())
    }

    @Test("When an interface goes its pairs go, and another one takes over")
    func removedHost() throws {
        let duo = Duo(left: ["192.0.2.1", "198.51.100.1"])
        duo.start()
        duo.network.run(for: .seconds(10), until: duo.isSettled)
        let gone = try #require(duo.left.agent.selectedPath?.base)
        duo.left.agent.removeHost(base: gone, now: duo.network.now)
        duo.left.bases.removeAll { $0 == gone }
        #expect(
            duo.network.run(for: .seconds(20)) {
                duo.left.agent.selectedPath != nil && duo.pathsAgree && duo.isConnected()
            }
        )
        #expect(duo.left.agent.localCandidates.allSatisfy { $0.base != gone })
    }

    @Test("Two checks in a row that cannot be sent make a pair silent, and one that never could be says why")
    func unsendable() throws {
        let duo = self.connected(left: ["192.0.2.1", "198.51.100.1"])
        let path = try #require(duo.left.agent.selectedPath)
        func fail() {
            duo.left.agent.sendFailed(.unreachable, remote: path.remote, base: path.base, now: duo.network.now)
        }
        fail()
        #expect(duo.left.agent.state == .completed)
        // An answer makes good for it.
        duo.network.run(for: .seconds(10))
        fail()
        #expect(duo.left.agent.state == .completed)
        duo.network.filter = { from, to in from != path.base && to != path.base }
        fail()
        #expect(duo.left.agent.state == .disconnected)
        #expect(duo.network.run(for: .seconds(2)) { duo.left.agent.selectedPath?.base != path.base })
        let figures = try #require(duo.left.agent.statistics().first { $0.pair.local.base == path.base })
        #expect(figures.sendFailures == 3)

        let alone = Duo()
        alone.network.filter = { _, _ in false }
        alone.start()
        alone.network.run(for: .milliseconds(1))
        let wanted = try #require(alone.left.agent.statistics().first?.pair)
        let base = try #require(wanted.local.base)
        let remote = try #require(wanted.remote.transportAddress)
        alone.left.agent.sendFailed(.tooLarge, remote: remote, base: base, now: alone.network.now)
        alone.network.run(for: .seconds(60))
        #expect(alone.left.agent.statistics().first?.failure == .notSent(.tooLarge))
    }

    @Test("A pair whose socket is in trouble is checked at once")
    func socketInTrouble() throws {
        let duo = self.connected()
        let base = try #require(duo.left.agent.selectedPath?.base)
        let before = duo.left.transmissions.count
        duo.left.agent.checkSelectedPair(base: address("192.0.2.77", 1), now: duo.network.now)
        duo.left.drain()
        #expect(duo.left.transmissions.count == before)
        // Once: it owes an answer now.
        for _ in 0..<3 { duo.left.agent.checkSelectedPair(base: base, now: duo.network.now) }
        duo.left.drain()
        #expect(duo.left.transmissions.count == before + 1)
        duo.network.run(for: .seconds(1))
        #expect(duo.isSettled())
    }

    @Test("Without a pair that works the agent fails, but not before its patience ends")
    func patience() {
        let duo = Duo()
        duo.network.filter = { _, _ in false }
        duo.start()
        let start = duo.network.now
        #expect(duo.network.run(for: .seconds(60), until: { duo.left.agent.state == .failed }))
        let time = duo.network.now - start
        #expect(time >= .seconds(30) && time <= .seconds(41))
    }

    @Test("Without any pair the agent fails when its patience ends")
    func noPairs() {
        let duo = Duo(left: ["192.0.2.1"], right: ["2001:db8::1"])
        duo.start()
        let start = duo.network.now
        #expect(duo.network.run(for: .seconds(60), until: { duo.left.agent.state == .failed }))
        #expect(duo.network.now - start == .seconds(30))
    }

    @Test("A late candidate within the patience still connects")
    func lateWithinPatience() {
        let duo = Duo(left: ["192.0.2.1"], right: ["2001:db8::1"])
        duo.start()
        duo.network.run(for: .seconds(25))
        let late = address("192.0.2.9", 2000)
        duo.right.bases.append(late)
        duo.right.agent.addHost(ICEHostAddress(base: late), now: duo.network.now)
        #expect(duo.network.run(for: .seconds(3), until: duo.isSettled))
    }

    @Test("A closed agent is silent")
    func closed() {
        let duo = self.connected()
        duo.left.agent.close()
        duo.left.drain()
        #expect(duo.left.states.last == .closed)
        #expect(duo.left.agent.nextTimeout == nil)
        let before = duo.left.transmissions.count
        duo.left.agent.restart(localCredentials: duo.left.agent.localCredentials, now: duo.network.now)
        duo.left.gather()
        duo.left.learnPeer()
        duo.network.run(for: .seconds(60))
        #expect(duo.left.transmissions.count == before)
        #expect(duo.left.states.last == .closed)
        #expect(duo.right.agent.state == .failed)
    }
}
