package import NIOCore

/// How many earlier frames of sound each packet carries once more, by the loss that is reported (RFC 2198).
///
/// More at once when loss grows; fewer, one at a time, only after the loss has been low for a while.
package struct RedundancyPolicy: Sendable {
    /// What decides.
    package struct Configuration: Sendable, Hashable {
        /// How many are carried without any loss, 0 to 2. 0 by default.
        package var minimum = 0
        /// From this share of packets lost on one frame is carried. 0.02 by default.
        package var lossForOne = 0.02
        /// From this share on two are, for bursts. 0.1 by default.
        package var lossForTwo = 0.1
        /// The loss must fall below a threshold times this to count as low. 0.5 by default.
        package var hysteresis = 0.5
        /// How long it must be low. 5 s by default.
        package var hold = TimeAmount.seconds(5)

        /// The values as said.
        package init() {}
    }

    private let configuration: Configuration
    private var lowSince: NIODeadline?
    /// The share of packets lost, smoothed: up fast, down slowly.
    package private(set) var fractionLost = 0.0
    /// How many earlier frames to carry: 0, 1 or 2.
    package private(set) var redundancy: Int

    /// A policy that knows of no loss.
    package init(configuration: Configuration = Configuration()) {
        self.configuration = configuration
        self.redundancy = min(max(configuration.minimum, 0), 2)
    }

    /// Takes a report of the peer's.
    ///
    /// - Parameter fractionLost: The share of packets lost since the last report, 0 to 1.
    /// - Returns: How many earlier frames to carry from now on.
    @discardableResult
    package mutating func update(fractionLost: Double, now: NIODeadline) -> Int {
        // A comparison with NaN is false, so it ends as zero.
        let loss = fractionLost > 0 ? min(fractionLost, 1) : 0
        self.fractionLost += (loss > self.fractionLost ? 0.5 : 0.2) * (loss - self.fractionLost)
        let wanted = self.redundancy(at: self.fractionLost)
        if wanted > self.redundancy {
            self.redundancy = wanted
            self.lowSince = nil
        } else if self.redundancy(at: self.fractionLost / max(self.configuration.hysteresis, 0.01)) < self.redundancy {
            self.noteLow(now)
        } else {
            self.lowSince = nil
        }
        return self.redundancy
    }

    private mutating func noteLow(_ now: NIODeadline) {
        guard let since = self.lowSince else {
            self.lowSince = now
            return
        }
        guard now - since >= self.configuration.hold else { return }
        self.redundancy -= 1
        self.lowSince = now
    }

    private func redundancy(at loss: Double) -> Int {
        let wanted = loss >= self.configuration.lossForTwo ? 2 : loss >= self.configuration.lossForOne ? 1 : 0
        return max(wanted, min(self.configuration.minimum, 2))
    }
}
