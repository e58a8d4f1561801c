import NIOCore
import RTCBase
import RTCICE
import RTCSTUN
import Testing

@Suite struct RestartTests {
    private func restart(_ duo: Duo, seed: UInt64 = 5) {
        var random = RandomSource.seeded(seed)
        duo.left.agent.restart(localCredentials: .random(using: &random), now: duo.network.now)
        duo.right.agent.restart(localCredentials: .random(using: &random), now: duo.network.now)
    }

    @Test("Data flows on the old pair until the new generation has selected one", arguments: 0..<50)
    func dataContinues(seed: Int) {
        let duo = Duo(seed: UInt64(seed))
        duo.network.conditions = .init(delay: .milliseconds(10), jitter: .milliseconds(30))
        duo.start()
        duo.network.run(for: .seconds(10), until: duo.isSettled)
        let oldUfrag = duo.left.agent.localCredentials.ufrag
        self.restart(duo)
        #expect(duo.left.agent.localCredentials.ufrag != oldUfrag)
        var sent = 0
        func exchange(_ time: TimeAmount) {
            for _ in 0..<5 {
                #expect(duo.left.sendData("l") && duo.right.sendData("r"), "seed \(seed)")
                sent += 1
                duo.network.run(for: .nanoseconds(time.nanoseconds / 5))
            }
        }
        exchange(.seconds(3))
        #expect(duo.left.agent.state == .connected)
        duo.left.gather()
        duo.left.learnPeer()
        exchange(.seconds(1))
        duo.right.gather()
        duo.right.learnPeer()
        exchange(.seconds(2))
        exchange(.seconds(60))
        duo.network.run(for: .seconds(1))
        #expect(duo.left.receivedData.count == sent && duo.right.receivedData.count == sent, "seed \(seed)")
        #expect(duo.isConnected() && duo.pathsAgree, "seed \(seed)")
        #expect(duo.left.agent.selectedPair?.local.usernameFragment == duo.left.agent.localCredentials.ufrag)
    }

    @Test("A restart moves to another network")
    func moves() {
        let duo = Duo()
        duo.start()
        duo.network.run(for: .seconds(10), until: duo.isSettled)
        let old = duo.left.bases[0]
        duo.left.bases = [address("198.51.100.77", 1000)]
        duo.network.filter = { from, to in from != old && to != old }
        self.restart(duo)
        duo.left.gather()
        duo.right.gather()
        duo.left.learnPeer()
        duo.right.learnPeer()
        #expect(
            duo.network.run(for: .seconds(2)) {
                duo.isConnected() && duo.pathsAgree && duo.left.agent.selectedPath?.base == duo.left.bases[0]
            }
        )
        duo.network.run(for: .seconds(60))
        #expect(duo.isConnected())
        // The old path is forgotten.
        #expect(!duo.right.agent.isValidated(remote: old, base: duo.right.bases[0]))
    }

    @Test("A restart leads out of failure")
    func afterFailure() {
        let duo = Duo()
        duo.start()
        duo.network.run(for: .seconds(10), until: duo.isSettled)
        duo.network.filter = { _, _ in false }
        duo.network.run(for: .seconds(60)) {
            duo.left.agent.state == .failed && duo.right.agent.state == .failed
        }
        duo.network.filter = { _, _ in true }
        self.restart(duo)
        #expect(duo.left.agent.state == .checking)
        duo.start()
        #expect(duo.network.run(for: .seconds(5), until: duo.isConnected))
        #expect(duo.pathsAgree)
    }

    @Test("A restart in the middle of connecting, and two at once, end well", arguments: 0..<200)
    func repeated(seed: Int) {
        let duo = Duo(seed: UInt64(seed), left: ["192.0.2.1", "198.51.100.3"])
        duo.network.conditions = .init(delay: .milliseconds(20), jitter: .milliseconds(20), loss: 0.1)
        duo.start()
        duo.network.run(for: .milliseconds(Int64(seed)))
        self.restart(duo)
        duo.network.run(for: .milliseconds(30))
        self.restart(duo, seed: 6)
        duo.start()
        #expect(duo.network.run(for: .seconds(30), until: { duo.isConnected() && duo.pathsAgree }), "seed \(seed)")
        duo.network.run(for: .seconds(40))
        #expect(duo.isConnected() && duo.pathsAgree, "seed \(seed)")
    }

    @Test("If the new generation never works and the old one dies, the agent fails")
    func bothDie() {
        let duo = Duo()
        duo.start()
        duo.network.run(for: .seconds(10), until: duo.isSettled)
        duo.network.filter = { _, _ in false }
        self.restart(duo)
        duo.start()
        #expect(duo.network.run(for: .seconds(60), until: { duo.left.agent.state == .failed }))
        #expect(duo.left.agent.selectedPath == nil)
    }
}
