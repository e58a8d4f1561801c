import NIOCore

/// Tells whether the delay stays above the least of the last half minute most of the time: another flow fills the queue, or
/// the path's delay varies by itself. Either way, lowering our rate as far as a queue of our own making asks would not
/// shorten it.
struct CompetitionDetector: Sendable {
    private var delay = QueueDelayEstimator(memory: .seconds(30))
    private var share = 0.0
    private var lastArrival: Int64?
    private var entered: Int64?
    private var pausedUntil: Int64?
    /// Whether the queue stays long whatever we do.
    private(set) var isCompeting = false

    /// Takes one packet; times in nanoseconds.
    mutating func add(send: Int64, arrival: Int64) {
        self.delay.add(send: send, arrival: arrival)
        let elapsed = Double(min(max(0, arrival - (self.lastArrival ?? arrival)), Self.longestStep))
        self.lastArrival = arrival
        let isLong = self.delay.delay > Self.longDelay
        self.share += ((isLong ? 1 : 0) - self.share) * elapsed / Self.memory
        // Two bounds, so that it does not flutter.
        if self.share > Self.enter, self.pausedUntil.map({ arrival > $0 }) ?? true { self.isCompeting = true }
        if self.share < Self.leave { self.isCompeting = false }
        self.verify(arrival)
    }

    /// The queue might be our own after all. Now and then it gets the ordinary answer, and stays away if it was.
    private mutating func verify(_ arrival: Int64) {
        guard self.isCompeting else {
            self.entered = nil
            return
        }
        let entered = self.entered ?? arrival
        self.entered = entered
        guard arrival - entered > Self.longestStay else { return }
        self.isCompeting = false
        self.entered = nil
        self.share = Self.leave
        self.pausedUntil = arrival + Self.pause
    }

    /// Milliseconds.
    private static let longDelay = 35.0
    private static let enter = 0.7
    private static let leave = 0.4
    private static let memory = 3e9
    private static let longestStay: Int64 = 10_000_000_000
    private static let pause: Int64 = 2_000_000_000
    private static let longestStep: Int64 = 100_000_000
}
