import NIOCore
import RTCBase
import RTCICE
import RTCSTUN
import Testing

@Suite struct NominationTests {
    let low = address("192.0.2.10", 1)
    let high = address("192.0.2.20", 2)

    /// A controlled agent with two pairs whose checks have succeeded, neither nominated.
    private func puppetWithTwoPairs() -> Puppet {
        let puppet = Puppet()
        puppet.candidate(self.high, priority: 2_000_000_000)
        puppet.candidate(self.low, priority: 1_000_000_000)
        puppet.advance(.milliseconds(100))
        puppet.answerChecks(of: self.high)
        puppet.answerChecks(of: self.low)
        return puppet
    }

    @Test("A controlled agent sends nothing before a pair is nominated")
    func waitsForNomination() {
        let puppet = self.puppetWithTwoPairs()
        #expect(puppet.agent.selectedPath == nil)
        #expect(puppet.agent.state == .checking)
    }

    @Test(
        "Of several pairs that an aggressive peer nominates the best wins, in whichever order",
        arguments: [true, false]
    )
    func aggressive(bestFirst: Bool) {
        let puppet = self.puppetWithTwoPairs()
        for remote in bestFirst ? [self.high, self.low] : [self.low, self.high] {
            puppet.check(from: remote, nominating: true)
        }
        #expect(puppet.agent.selectedPath?.remote == self.high)
        for _ in 0..<5 {
            puppet.check(from: self.low, nominating: true)
            puppet.check(from: self.high, nominating: true)
            puppet.advance(.milliseconds(500))
        }
        #expect(puppet.agent.selectedPath?.remote == self.high)
    }

    @Test("An aggressive nomination that comes before our own check succeeds counts when it does")
    func nominatedBeforeSuccess() {
        let puppet = Puppet()
        puppet.candidate(self.low, priority: 1_000_000_000)
        puppet.candidate(self.high, priority: 2_000_000_000)
        puppet.advance(.milliseconds(50))
        puppet.check(from: self.low, nominating: true)
        puppet.check(from: self.high, nominating: true)
        #expect(puppet.agent.selectedPath == nil)
        puppet.answerChecks(of: self.low)
        #expect(puppet.agent.selectedPath?.remote == self.low)
        puppet.advance(.milliseconds(100))
        puppet.answerChecks(of: self.high)
        #expect(puppet.agent.selectedPath?.remote == self.high)
    }

    @Test("A peer that checks first and nominates later is followed, also to a worse pair and back")
    func renomination() {
        let puppet = self.puppetWithTwoPairs()
        puppet.check(from: self.high)
        puppet.check(from: self.low)
        puppet.check(from: self.high, nominating: true)
        #expect(puppet.agent.selectedPath?.remote == self.high)
        puppet.check(from: self.low, nominating: true)
        #expect(puppet.agent.selectedPath?.remote == self.low)
        // A nomination from before, late, changes nothing.
        puppet.check(from: self.high, nominating: true)
        #expect(puppet.agent.selectedPath?.remote == self.low)
        puppet.check(from: self.high)
        puppet.check(from: self.high, nominating: true)
        #expect(puppet.agent.selectedPath?.remote == self.high)
        let selections = puppet.events.filter { event in
            if case .selectedPairChanged = event { return true }
            return false
        }
        #expect(selections.count == 3)
    }

    @Test("A controlling agent nominates one pair only, and says so in every check of it")
    func regular() {
        let puppet = Puppet(role: .controlling)
        puppet.candidate(self.high, priority: 2_000_000_000)
        puppet.candidate(self.low, priority: 1_000_000_000)
        puppet.advance(.milliseconds(30))
        let first = puppet.answerChecks(of: self.low)
        #expect(first.allSatisfy { !$0.useCandidate })
        #expect(puppet.agent.selectedPath == nil)
        // The better one answers within the time it is waited for.
        puppet.advance(.milliseconds(50))
        #expect(puppet.answerChecks(of: self.high).allSatisfy { !$0.useCandidate })
        #expect(puppet.agent.selectedPath?.remote == self.high)
        #expect(puppet.answerChecks(of: self.high).map(\.useCandidate) == [true])
        #expect(puppet.agent.statistics().first?.isNominated == true)
        puppet.advance(.seconds(20))
        #expect(puppet.inbox.filter { $0.to == self.low }.allSatisfy { !$0.message.useCandidate })
        #expect(puppet.inbox.filter { $0.to == self.high }.allSatisfy { $0.message.useCandidate })
    }

    @Test("A controlling agent waits no longer than told for a better pair")
    func nominationDelay() {
        let puppet = Puppet(role: .controlling)
        puppet.candidate(self.high, priority: 2_000_000_000)
        puppet.candidate(self.low, priority: 1_000_000_000)
        puppet.advance(.milliseconds(30))
        puppet.answerChecks(of: self.low)
        puppet.advance(.milliseconds(99))
        #expect(puppet.agent.selectedPath == nil)
        puppet.advance(.milliseconds(1))
        #expect(puppet.agent.selectedPath?.remote == self.low)
    }

    @Test("Against a lite peer the agent controls")
    func lite() {
        let puppet = Puppet(role: .controlled, isLite: true)
        #expect(puppet.agent.role == .controlling)
        #expect(puppet.events.contains(.roleChanged(.controlling)))
        puppet.candidate(self.high)
        puppet.answerChecks(of: self.high)
        #expect(puppet.answerChecks(of: self.high).map(\.useCandidate) == [true])
        #expect(puppet.agent.statistics().first?.isNominated == true)
    }

    @Test("Of two controlling agents the one with the smaller tie-breaker gives in")
    func roleConflict() {
        let puppet = Puppet(role: .controlling)
        let refused = puppet.check(from: self.high, controlling: 0)
        #expect(refused?.errorCode == 487)
        #expect(puppet.agent.role == .controlling)
        let accepted = puppet.check(from: self.high, controlling: .max)
        #expect(accepted?.messageClass == .successResponse)
        #expect(puppet.agent.role == .controlled)
    }

    @Test("Of two controlled agents the one with the larger tie-breaker takes over")
    func controlledConflict() {
        let puppet = Puppet(role: .controlled)
        let refused = puppet.check(from: self.high, controlling: nil, controlled: .max)
        #expect(refused?.errorCode == 487)
        #expect(puppet.agent.role == .controlled)
        let accepted = puppet.check(from: self.high, controlling: nil, controlled: 0)
        #expect(accepted?.messageClass == .successResponse)
        #expect(puppet.agent.role == .controlling)
    }

    @Test("Being told of a conflict makes the agent switch once and check again")
    func toldOfConflict() {
        let puppet = Puppet(role: .controlled)
        puppet.candidate(self.high)
        #expect(puppet.answerChecks(of: self.high, errorCode: 487).first?.iceControlled != nil)
        #expect(puppet.agent.role == .controlling)
        puppet.advance(.milliseconds(50))
        #expect(puppet.answerChecks(of: self.high).first?.iceControlling != nil)
        #expect(puppet.agent.selectedPath?.remote == self.high)
    }

    @Test("An answer from another address than asked makes the check fail")
    func asymmetric() {
        let puppet = Puppet(role: .controlling)
        puppet.candidate(self.high)
        puppet.answerChecks(of: self.high, from: self.low)
        #expect(puppet.agent.statistics().first?.state == .failed)
        #expect(!puppet.agent.isValidated(remote: self.low, base: puppet.base))
    }

    @Test("An error answer makes the check fail, and the peer's next check revives it")
    func errorAnswer() {
        let puppet = Puppet(role: .controlling)
        puppet.candidate(self.high)
        puppet.answerChecks(of: self.high, errorCode: 400)
        #expect(puppet.agent.statistics().first?.state == .failed)
        puppet.advance(.milliseconds(100))
        puppet.check(from: self.high, controlling: nil, controlled: 0)
        puppet.answerChecks(of: self.high)
        #expect(puppet.agent.selectedPath?.remote == self.high)
    }
}
