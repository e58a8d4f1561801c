package import NIOCore

/// What is thought of the path at present.
package struct NetworkEstimate: Sendable, Hashable {
    /// Which consideration decides the target.
    package enum State: Sendable, Hashable {
        /// The target grows, or holds because the application sends little.
        case increasing
        /// A queue on the way grew, and the target fell.
        case delayLimited
        /// Packets are lost to congestion.
        case lossLimited
        /// The peer's REMB decides.
        case remoteLimited
        /// Feedback stays away.
        case feedbackMissing
    }

    /// What all streams together may send, headers included.
    package var target: Bitrate
    /// At which packets leave the pacer.
    package var pacingRate: Bitrate
    /// The share of packets lost lately, 0 to 1.
    package var fractionLost: Double
    /// The part of ``fractionLost`` taken to be lost at any rate, 0 to 1.
    package var inherentLoss: Double
    /// How long packets wait in queues on the way.
    package var queueDelay: TimeAmount
    /// The smoothed round-trip time.
    package var roundTripTime: TimeAmount
    /// The rate that arrives, `nil` while unknown.
    package var acknowledgedRate: Bitrate?
    /// Which consideration decides.
    package var state: State
    /// Whether clearly less is sent than the target.
    package var isApplicationLimited: Bool
}
