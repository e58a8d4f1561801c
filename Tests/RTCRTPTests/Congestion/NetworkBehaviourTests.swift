import Testing

@testable import RTCRTP

/// Cases after RFC 8867, in virtual time. Each prints a row, from which Documentation/Congestion.md has its table.
@Suite("Behaviour on networks")
struct NetworkBehaviourTests {
    private func row(
        _ name: String,
        _ seed: UInt64,
        _ flow: SimulatedFlow,
        _ from: Double,
        _ to: Double,
        _ more: String
    ) {
        func whole(_ value: Double) -> String { String(Int(value.rounded())) }
        print(
            "| \(name) | \(seed) | \(whole(flow.mean(\.sentKilobits, from, to)))",
            "| \(whole(flow.mean(\.queueDelay, from, to)))",
            "| \(whole(flow.percentile95(\.queueDelay, from, to))) | \(more) |"
        )
    }

    private func tenths(_ value: Double) -> String { String((value * 10).rounded() / 10) }

    @Test("a steady path is used almost fully, with a short queue", arguments: [1, 2, 3] as [UInt64])
    func steady(seed: UInt64) {
        let flow = Simulation(.init(capacity: [(0, 2000)]), seed: seed).run(seconds: 40).flow
        let ramp = flow.seconds(from: 0, untilTargetReaches: 1500)
        self.row("steady 2 Mbit/s", seed, flow, 5, 40, "75 % after \(self.tenths(ramp)) s")
        #expect(flow.mean(\.sentKilobits, 5, 40) > 1700, "seed \(seed)")
        #expect(flow.mean(\.queueDelay, 5, 40) < 50, "seed \(seed)")
        #expect(ramp < 3, "seed \(seed)")
    }

    @Test("frames that are far apart do not hurt", arguments: [1, 2] as [UInt64])
    func fewFrames(seed: UInt64) {
        let profile = SimulatedFlow.Profile(framesPerSecond: 15)
        let flow = Simulation(.init(capacity: [(0, 1000)]), flows: [profile], seed: seed).run(seconds: 30).flow
        self.row("steady 1 Mbit/s, 15 fps", seed, flow, 5, 30, "")
        #expect(flow.mean(\.sentKilobits, 5, 30) > 820, "seed \(seed)")
        #expect(flow.mean(\.queueDelay, 5, 30) < 60, "seed \(seed)")
    }

    @Test("capacity that halves and comes back is followed", arguments: [1, 2, 3] as [UInt64])
    func drop(seed: UInt64) {
        let capacity = [(0.0, 2000.0), (15, 1000), (35, 2000)].map { (second: $0.0, kilobits: $0.1) }
        let flow = Simulation(.init(capacity: capacity), seed: seed).run(seconds: 55).flow
        let recovery = flow.seconds(from: 35, untilTargetReaches: 1600)
        self.row("2 to 1 Mbit/s, after 3 s", seed, flow, 18, 35, "")
        self.row("back to 2 Mbit/s, after 8 s", seed, flow, 43, 55, "80 % after \(self.tenths(recovery)) s")
        #expect(flow.mean(\.queueDelay, 18, 35) < 60, "seed \(seed)")
        #expect(flow.mean(\.sentKilobits, 18, 35) > 750, "seed \(seed)")
        #expect(flow.mean(\.sentKilobits, 16, 18) > 350, "seed \(seed)")
        #expect(recovery < 10, "seed \(seed)")
        #expect(flow.mean(\.sentKilobits, 45, 55) > 1600, "seed \(seed)")
    }

    @Test("beside a flow that fills the queue neither starves", arguments: [1, 2, 3] as [UInt64])
    func competitor(seed: UInt64) throws {
        let simulation = Simulation(.init(capacity: [(0, 3000)], queueLimit: 150), competitorFrom: 10, seed: seed)
            .run(seconds: 50)
        let other = try #require(simulation.competitor).rate(15, 50)
        let own = simulation.flow.mean(\.deliveredKilobits, 15, 50)
        self.row("3 Mbit/s beside TCP", seed, simulation.flow, 15, 50, "TCP \(Int(other)) kbit/s")
        #expect(own > 450 && other > 450, "seed \(seed): \(own) and \(other)")
        #expect(own + other > 2300, "seed \(seed)")
    }

    @Test("three of our own share fairly", arguments: [1, 2] as [UInt64])
    func fairness(seed: UInt64) {
        let flows = [0, 5, 10].map { SimulatedFlow.Profile(start: $0) }
        let simulation = Simulation(.init(capacity: [(0, 3000)]), flows: flows, seed: seed).run(seconds: 60)
        let rates = simulation.flows.map { $0.mean(\.deliveredKilobits, 30, 60) }
        let sum = rates.reduce(0, +)
        let jain = sum * sum / (3 * rates.reduce(0) { $0 + $1 * $1 })
        let shares = rates.map { String(Int($0)) }.joined(separator: ", ")
        self.row(
            "three flows, 3 Mbit/s",
            seed,
            simulation.flow,
            30,
            60,
            "\(shares); Jain \(self.tenths(jain * 10) ) of 10"
        )
        #expect(jain > 0.75, "seed \(seed): \(rates)")
        #expect(sum > 2300, "seed \(seed)")
    }

    @Test("random loss is not taken for congestion", arguments: [0.02, 0.05, 0.10], [1, 2] as [UInt64])
    func randomLoss(share: Double, seed: UInt64) {
        let flow = Simulation(.init(capacity: [(0, 2000)], loss: share), seed: seed).run(seconds: 40).flow
        self.row("\(Int(share * 100)) % random loss, 2 Mbit/s", seed, flow, 10, 40, "")
        let least = share < 0.03 ? 1600.0 : share < 0.06 ? 1300 : 900
        #expect(flow.mean(\.sentKilobits, 10, 40) > least, "seed \(seed), loss \(share)")
        #expect(flow.mean(\.queueDelay, 10, 40) < 80, "seed \(seed), loss \(share)")
    }

    @Test("loss in bursts is survived", arguments: [1, 2] as [UInt64])
    func burstLoss(seed: UInt64) {
        let flow = Simulation(.init(capacity: [(0, 2000)], burstLoss: 0.06), seed: seed).run(seconds: 30).flow
        self.row("3 % loss in bursts, 2 Mbit/s", seed, flow, 10, 30, "")
        #expect(flow.mean(\.sentKilobits, 10, 30) > 1300, "seed \(seed)")
    }

    @Test("a queue too short for delay to tell is not flooded", arguments: [1, 2] as [UInt64])
    func shallowQueue(seed: UInt64) {
        let simulation = Simulation(.init(capacity: [(0, 1000)], queueLimit: 15), seed: seed).run(seconds: 40)
        let sent = simulation.flow.mean(\.sentKilobits, 10, 40)
        let delivered = simulation.flow.mean(\.deliveredKilobits, 10, 40)
        let lost = Int((1 - delivered / sent) * 100)
        self.row("1 Mbit/s, queue of 15 ms", seed, simulation.flow, 10, 40, "\(lost) % lost")
        #expect(delivered > 500 && sent < 1300, "seed \(seed)")
    }

    @Test("jitter is not taken for a queue", arguments: [1, 2] as [UInt64])
    func jitter(seed: UInt64) {
        let flow = Simulation(.init(capacity: [(0, 2000)], jitter: 50), seed: seed).run(seconds: 40).flow
        self.row("50 ms jitter, 2 Mbit/s", seed, flow, 10, 40, "")
        #expect(flow.mean(\.sentKilobits, 10, 40) > 900, "seed \(seed)")
        #expect(flow.mean(\.queueDelay, 10, 40) < 150, "seed \(seed)")
    }

    @Test("a long way is no obstacle", arguments: [1, 2] as [UInt64])
    func longWay(seed: UInt64) {
        let profile = SimulatedFlow.Profile(reverseDelay: 150)
        let flow = Simulation(.init(capacity: [(0, 2000)], delay: 150), flows: [profile], seed: seed)
            .run(seconds: 40).flow
        self.row("RTT 300 ms, 2 Mbit/s", seed, flow, 10, 40, "")
        #expect(flow.mean(\.sentKilobits, 10, 40) > 1500, "seed \(seed)")
        #expect(flow.mean(\.queueDelay, 10, 40) < 80, "seed \(seed)")
    }

    @Test("feedback may get lost", arguments: [1, 2] as [UInt64])
    func feedbackLoss(seed: UInt64) {
        let profile = SimulatedFlow.Profile(feedbackLoss: 0.2)
        let flow = Simulation(.init(capacity: [(0, 2000)]), flows: [profile], seed: seed).run(seconds: 30).flow
        self.row("20 % of feedback lost, 2 Mbit/s", seed, flow, 5, 30, "")
        #expect(flow.mean(\.sentKilobits, 5, 30) > 1500, "seed \(seed)")
        #expect(flow.mean(\.queueDelay, 5, 30) < 80, "seed \(seed)")
    }

    @Test("without any feedback the rate falls, and it comes back with it")
    func feedbackOutage() {
        let profile = SimulatedFlow.Profile(feedbackOutage: 10...16)
        let flow = Simulation(.init(capacity: [(0, 2000)]), flows: [profile], seed: 1).run(seconds: 40).flow
        let recovery = flow.seconds(from: 16, untilTargetReaches: 1500)
        let lowest = flow.samples.filter { $0.time > 10 && $0.time < 16 }.map(\.targetKilobits).min() ?? 0
        self.row(
            "no feedback for 6 s, then",
            1,
            flow,
            22,
            40,
            "down to \(Int(lowest)) kbit/s; 75 % after \(self.tenths(recovery)) s"
        )
        #expect(lowest < 200 && lowest >= 30)
        #expect(recovery < 10)
        #expect(flow.estimator.counters.feedbackTimeouts > 0)
    }

    @Test("who needed little and then much gets it soon", arguments: [1, 2] as [UInt64])
    func applicationLimited(seed: UInt64) {
        let profile = SimulatedFlow.Profile(encoderLimit: [(0, 300), (20, 2500)])
        let flow = Simulation(.init(capacity: [(0, 3000)]), flows: [profile], seed: seed).run(seconds: 35).flow
        let ramp = flow.seconds(from: 20, untilTargetReaches: 2000)
        self.row("300 kbit/s, then all it can", seed, flow, 25, 35, "80 % after \(self.tenths(ramp)) s")
        #expect(ramp < 4, "seed \(seed)")
        #expect(flow.mean(\.sentKilobits, 25, 35) > 1000, "seed \(seed)")
        #expect(flow.mean(\.queueDelay, 20, 35) < 60, "seed \(seed)")
    }
}
