@testable import RTCRTP

/// A flow that fills queues until packets are lost, as TCP Reno does.
final class SimulatedTCP {
    private var window = 10.0
    private var threshold = 1e9
    private var inFlight = 0
    private var acknowledgements = RingQueue<(time: Double, isLoss: Bool)>()
    private var lastCut = -1e9
    private var lastRoundTrip = 100.0
    private let start: Double
    private var begun = false
    private var delivered: [(time: Double, bytes: Int)] = []

    init(start: Double) { self.start = start * 1000 }

    var next: Double { self.acknowledgements.first?.time ?? (self.begun ? .infinity : self.start) }

    func advance(to time: Double, link: SimulatedLink) {
        guard time >= self.start else { return }
        self.begun = true
        while let acknowledgement = self.acknowledgements.first, acknowledgement.time <= time {
            _ = self.acknowledgements.popFirst()
            self.inFlight -= 1
            if acknowledgement.isLoss { self.cut(time) } else { self.grow(time) }
        }
        while Double(self.inFlight) < self.window {
            self.inFlight += 1
            let expected = time + link.queueDelay(at: time) + link.profile.delay * 2
            self.lastRoundTrip = expected - time
            let arrival = link.send(bytes: 1500, at: time)
            let last = self.lastAcknowledgement
            let answered = max(last, arrival.map { $0 + link.profile.delay } ?? expected)
            self.lastAcknowledgement = answered
            self.acknowledgements.append((answered, arrival == nil))
        }
    }

    private var lastAcknowledgement = 0.0

    private func grow(_ time: Double) {
        self.delivered.append((time / 1000, 1500))
        self.window += self.window < self.threshold ? 1 : 1 / self.window
    }

    private func cut(_ time: Double) {
        guard time - self.lastCut > self.lastRoundTrip else { return }
        self.lastCut = time
        self.threshold = max(2, self.window / 2)
        self.window = self.threshold
    }

    /// Kilobits per second between two seconds.
    func rate(_ from: Double, _ to: Double) -> Double {
        let bytes = self.delivered.filter { $0.time > from && $0.time <= to }.reduce(0) { $0 + $1.bytes }
        return Double(bytes * 8) / 1000 / (to - from)
    }
}
