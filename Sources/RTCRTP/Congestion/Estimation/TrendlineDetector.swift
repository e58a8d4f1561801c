/// Tells from the trend of the one-way delay whether a queue grows on the way (draft-ietf-rmcat-gcc-02 sections 5.3, 5.4).
///
/// A line is fitted through the smoothed delays of the last twenty bursts. Its slope is held against a threshold that
/// follows the slopes seen, so that jitter raises it, and so do flows that fill queues: against a fixed one those would
/// starve us.
struct TrendlineDetector: Sendable {
    /// What the queue does.
    enum Usage: Sendable {
        /// Nothing worth mention.
        case normal
        /// It grows.
        case overuse
        /// It drains.
        case underuse
    }

    private struct Sample {
        var time: Double
        var delay: Double
    }

    private var samples: ContiguousArray<Sample> = []
    private var next = 0
    private var count = 0
    private var accumulated = 0.0
    private var smoothed = 0.0
    private var firstArrival: Double?
    private var threshold = 12.5
    private var lastThresholdUpdate: Double?
    private var overuseTime = -1.0
    private var overuseCount = 0
    private var previousTrend = 0.0
    /// What the queue does at present.
    private(set) var usage = Usage.normal

    init() { self.samples.reserveCapacity(Self.window) }

    /// Takes the distance of two bursts; `arrival` is when the later one arrived, in milliseconds.
    mutating func update(_ delta: InterArrivalFilter.Delta, arrival: Double) {
        self.count = min(self.count + 1, 1000)
        let first = self.firstArrival ?? arrival
        self.firstArrival = first
        self.accumulated += delta.arrival - delta.send
        self.smoothed = Self.smoothing * self.smoothed + (1 - Self.smoothing) * self.accumulated
        self.append(Sample(time: arrival - first, delay: self.smoothed))
        let trend = self.samples.count == Self.window ? self.slope() ?? self.previousTrend : self.previousTrend
        self.detect(trend, sendDelta: delta.send, arrival: arrival)
    }

    private mutating func append(_ sample: Sample) {
        if self.samples.count < Self.window {
            self.samples.append(sample)
        } else {
            self.samples[self.next] = sample
            self.next = (self.next + 1) % Self.window
        }
    }

    private func slope() -> Double? {
        var time = 0.0
        var delay = 0.0
        for sample in self.samples {
            time += sample.time
            delay += sample.delay
        }
        time /= Double(Self.window)
        delay /= Double(Self.window)
        var numerator = 0.0
        var denominator = 0.0
        for sample in self.samples {
            let distance = sample.time - time
            numerator += distance * (sample.delay - delay)
            denominator += distance * distance
        }
        return denominator > 0 ? numerator / denominator : nil
    }

    private mutating func detect(_ trend: Double, sendDelta: Double, arrival: Double) {
        guard self.count >= 2 else { return }
        let scaled = Double(min(self.count, 60)) * trend * Self.gain
        if scaled > self.threshold {
            self.overuseTime = self.overuseTime < 0 ? sendDelta / 2 : self.overuseTime + sendDelta
            self.overuseCount += 1
            if self.overuseTime > Self.patience, self.overuseCount > 1, trend >= self.previousTrend {
                self.overuseTime = 0
                self.overuseCount = 0
                self.usage = .overuse
            }
        } else {
            self.overuseTime = -1
            self.overuseCount = 0
            self.usage = scaled < -self.threshold ? .underuse : .normal
        }
        self.previousTrend = trend
        self.adapt(to: abs(scaled), arrival: arrival)
    }

    private mutating func adapt(to scaled: Double, arrival: Double) {
        let last = self.lastThresholdUpdate ?? arrival
        self.lastThresholdUpdate = arrival
        // A sudden step, as when a route changes, shall not deafen the detector.
        guard scaled <= self.threshold + Self.largestStep else { return }
        let speed = scaled < self.threshold ? Self.speedDown : Self.speedUp
        let elapsed = min(max(0, arrival - last), 100)
        self.threshold += speed * (scaled - self.threshold) * elapsed
        self.threshold = min(max(self.threshold, 6), 600)
    }

    private static let window = 20
    private static let smoothing = 0.9
    private static let gain = 4.0
    private static let patience = 10.0
    private static let largestStep = 15.0
    private static let speedUp = 0.0087
    private static let speedDown = 0.039
}
