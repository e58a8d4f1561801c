@testable import RTCRTP

/// Flows over one link in virtual time.
final class Simulation {
    let link: SimulatedLink
    let flows: [SimulatedFlow]
    let competitor: SimulatedTCP?

    init(
        _ link: SimulatedLink.Profile,
        flows: [SimulatedFlow.Profile] = [SimulatedFlow.Profile()],
        competitorFrom: Double? = nil,
        seed: UInt64
    ) {
        self.link = SimulatedLink(link, seed: seed)
        self.flows = flows.enumerated().map { SimulatedFlow($1, seed: seed &* 31 &+ UInt64($0)) }
        self.competitor = competitorFrom.map { SimulatedTCP(start: $0) }
    }

    var flow: SimulatedFlow { self.flows[0] }

    /// Runs until so many seconds have passed.
    func run(seconds: Double) -> Simulation {
        var now = 0.0
        let end = seconds * 1000
        while now < end {
            var next = self.competitor?.next ?? .infinity
            for flow in self.flows { next = min(next, flow.next) }
            // A step of 10 µs at least: rounding between two units of time must not hold it up.
            now = max(now + 0.01, next)
            self.competitor?.advance(to: now, link: self.link)
            for flow in self.flows where flow.next <= now { flow.advance(to: now, link: self.link) }
        }
        return self
    }
}
