package import NIOCore

/// How much a video stream is protected ahead of loss: enough for the loss that is reported, and nothing where asking again
/// is faster.
package struct FECProtectionPolicy: Sendable {
    /// What decides.
    package struct Configuration: Sendable, Hashable {
        /// Below this share of packets lost nothing is protected. 0.01 by default.
        package var minimumLoss = 0.01
        /// From this share on protection begins, so that it does not flutter. 0.015 by default.
        package var beginningLoss = 0.015
        /// Below this round trip a packet is asked for again in time. 50 ms by default.
        package var fastRoundTrip = TimeAmount.milliseconds(50)
        /// From this round trip on protection has its full strength; between the two it grows from half. 200 ms by default.
        package var slowRoundTrip = TimeAmount.milliseconds(200)
        /// Repair packets for each media packet, at most. 0.5 by default.
        package var maximumLevel = 0.5

        /// The values as said.
        package init() {}
    }

    private let configuration: Configuration
    /// The share of packets lost, smoothed: up fast, down slowly.
    package private(set) var fractionLost = 0.0
    /// How many repair packets each media packet deserves, 0 to the maximum; for ``FlexFECSender/level``.
    package private(set) var level = 0.0

    /// A policy that knows of no loss.
    package init(configuration: Configuration = Configuration()) { self.configuration = configuration }

    /// Takes a report of the peer's.
    ///
    /// - Parameters:
    ///   - fractionLost: The share of packets lost since the last report, 0 to 1.
    ///   - roundTripTime: The round trip; `nil` while it is not known, which counts as slow.
    /// - Returns: The new level.
    @discardableResult
    package mutating func update(fractionLost: Double, roundTripTime: TimeAmount?) -> Double {
        // A comparison with NaN is false, so it ends as zero.
        let loss = fractionLost > 0 ? min(fractionLost, 1) : 0
        self.fractionLost += (loss > self.fractionLost ? 0.5 : 0.1) * (loss - self.fractionLost)
        let strength = self.strength(roundTripTime)
        let threshold = self.level > 0 ? self.configuration.minimumLoss : self.configuration.beginningLoss
        if strength == 0 || self.fractionLost < threshold {
            self.level = 0
        } else {
            self.level = min(strength * Self.need(self.fractionLost), self.configuration.maximumLevel)
        }
        return self.level
    }

    /// Groups must be smaller than the distance of losses by far, or many are hit twice.
    private static func need(_ loss: Double) -> Double { 0.05 + 2.5 * loss }

    private func strength(_ roundTripTime: TimeAmount?) -> Double {
        guard let roundTripTime else { return 1 }
        let fast = self.configuration.fastRoundTrip
        guard roundTripTime >= fast else { return 0 }
        let range = (self.configuration.slowRoundTrip - fast).nanoseconds
        guard range > 0 else { return 1 }
        return min(1, 0.5 + 0.5 * Double((roundTripTime - fast).nanoseconds) / Double(range))
    }
}
