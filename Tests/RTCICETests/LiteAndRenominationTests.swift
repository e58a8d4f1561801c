import NIOCore
import RTCBase
import RTCICE
import RTCSTUN
import Testing

@Suite("Lite agents and renomination") struct LiteAndRenominationTests {
    @Test("A lite agent answers, asks nothing and follows the nomination")
    func lite() {
        var configuration = ICEConfiguration()
        configuration.isLite = true
        let duo = Duo(configuration: ICEConfiguration(), rightConfiguration: configuration)
        duo.left.learnPeer(isLite: true)
        duo.right.learnPeer()
        duo.left.gather()
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(5), until: duo.isSettled))
        #expect(duo.pathsAgree)
        #expect(duo.right.agent.role == .controlled)
        #expect(duo.right.transmissions.allSatisfy { $0.0.messageClass != .request })
        duo.network.run(for: .seconds(120))
        #expect(duo.isConnected())
        #expect(duo.right.transmissions.allSatisfy { $0.0.messageClass != .request })
    }

    @Test("A lite agent notices when its peer is gone")
    func liteLoses() {
        var configuration = ICEConfiguration()
        configuration.isLite = true
        let puppet = Puppet(configuration: configuration)
        let remote = address("192.0.2.9", 9_000)
        puppet.check(from: remote, nominating: true)
        #expect(puppet.agent.selectedPath?.remote == remote)
        puppet.advance(.seconds(20))
        #expect(puppet.agent.state == .disconnected)
        puppet.check(from: remote, nominating: true)
        #expect(puppet.agent.state == .connected || puppet.agent.state == .completed)
        puppet.advance(.seconds(40))
        #expect(puppet.agent.state == .failed)
        #expect(puppet.inbox.allSatisfy { $0.message.messageClass != .request })
    }

    @Test("A better pair that comes to work later is nominated in its turn")
    func renominates() {
        let duo = Duo(left: ["192.0.2.1", "192.0.2.11"], right: ["192.0.2.2"])
        for (one, other) in [(duo.left, duo.right), (duo.right, duo.left)] {
            one.agent.setRemote(credentials: other.agent.localCredentials, renominates: true, now: duo.network.now)
        }
        let all = duo.left.bases
        duo.left.bases = [all[1]]
        duo.left.gather()
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(3), until: duo.isSettled))
        #expect(duo.left.agent.selectedPath?.base == all[1])
        duo.left.bases = all
        duo.left.agent.addHost(ICEHostAddress(base: all[0], localPreference: 65_535), now: duo.network.now)
        #expect(duo.network.run(for: .seconds(3)) { duo.left.agent.selectedPath?.base == all[0] && duo.pathsAgree })
    }

    @Test("The controlled side checks better pairs too: its NAT lets in whom it has sent to")
    func controlledOpensTheWay() throws {
        let duo = Duo(left: ["192.0.2.11"], right: ["192.0.2.2"])
        for (one, other) in [(duo.left, duo.right), (duo.right, duo.left)] {
            one.agent.setRemote(credentials: other.agent.localCredentials, renominates: true, now: duo.network.now)
        }
        duo.left.gather()
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(3), until: duo.isSettled))
        #expect(duo.right.agent.role == .controlled)
        var better = try #require(duo.left.agent.localCandidates.first)
        let elsewhere = address("192.0.2.50", 1_000)
        better.address = .ip(elsewhere)
        better.priority += 1
        duo.right.agent.addRemoteCandidate(better, now: duo.network.now)
        let checks = { duo.right.transmissions.contains { $0.0.messageClass == .request && $0.2 == elsewhere } }
        #expect(duo.network.run(for: .seconds(1), until: checks))
    }

    @Test("A better pair that fell silent is not nominated again before it answers")
    func silentPairStaysAway() throws {
        let duo = Duo(left: ["192.0.2.1", "192.0.2.11"], right: ["192.0.2.2"])
        for (one, other) in [(duo.left, duo.right), (duo.right, duo.left)] {
            one.agent.setRemote(credentials: other.agent.localCredentials, renominates: true, now: duo.network.now)
        }
        duo.left.gather()
        duo.right.gather()
        #expect(duo.network.run(for: .seconds(3), until: duo.isSettled))
        let silent = try #require(duo.left.agent.selectedPath?.base)
        duo.network.filter = { from, to in from != silent && to != silent }
        #expect(
            duo.network.run(for: .seconds(20)) {
                duo.left.agent.selectedPath?.base != silent && duo.isConnected() && duo.pathsAgree
            }
        )
        for _ in 0..<90 {
            duo.network.run(for: .seconds(1))
            #expect(duo.left.agent.selectedPath?.base != silent)
        }
        #expect(duo.isConnected())
    }

    @Test("Without renomination the first nomination stays")
    func stays() {
        let duo = Duo(left: ["192.0.2.11"], right: ["192.0.2.2"])
        duo.start()
        #expect(duo.network.run(for: .seconds(3), until: duo.isSettled))
        let better = address("192.0.2.1", 1_000)
        duo.left.bases.append(better)
        duo.left.agent.addHost(ICEHostAddress(base: better, localPreference: 65_535), now: duo.network.now)
        duo.network.run(for: .seconds(3))
        #expect(duo.left.agent.selectedPath?.base != better)
    }
}
