import NIOCore

/// How long packets wait in the queues on the way: the one-way delay above the least of the last seconds.
///
/// Clocks may run at different speeds and routes may change, so what is older than two buckets is forgotten.
struct QueueDelayEstimator: Sendable {
    private let bucket: Int64
    private var currentLeast = Int64.max
    private var previousLeast = Int64.max
    private var bucketBegan: Int64?
    private var smoothed: Double?

    /// The delay in milliseconds, smoothed over some packets.
    private(set) var delay = 0.0

    /// An estimator that remembers the least delay of one to two times `memory`.
    init(memory: TimeAmount) { self.bucket = memory.nanoseconds }

    /// Takes one packet; times in nanoseconds, of clocks that need not agree.
    mutating func add(send: Int64, arrival: Int64) {
        let oneWay = arrival - send
        let began = self.bucketBegan ?? arrival
        if arrival - began > self.bucket || arrival < began {
            self.previousLeast = self.currentLeast
            self.currentLeast = oneWay
            self.bucketBegan = arrival
        } else {
            self.bucketBegan = began
            self.currentLeast = min(self.currentLeast, oneWay)
        }
        let least = min(self.currentLeast, self.previousLeast)
        let smoothed = (self.smoothed ?? Double(oneWay)) * 0.9 + Double(oneWay) * 0.1
        self.smoothed = smoothed
        self.delay = max(0, (smoothed - Double(least)) / 1e6)
    }
}
