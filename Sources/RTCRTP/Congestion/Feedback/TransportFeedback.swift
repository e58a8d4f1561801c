/// Which packets of all streams arrived, and when (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1).
public struct TransportFeedback: Sendable, Hashable {
    /// What became of one packet.
    public enum Arrival: Sendable, Hashable {
        /// It did not arrive, so far.
        case lost
        /// It arrived so many ticks of 250 µs after the one received before it in this report; the first one, after
        /// ``TransportFeedback/referenceTime``. Negative for packets that were overtaken.
        case received(delta: Int16)
    }

    /// The transport-wide sequence number of the first packet.
    public var baseSequence: UInt16
    /// The receiver's clock in units of 64 ms, of which the wire carries 24 bits.
    public var referenceTime: UInt32
    /// A number that each report counts up.
    public var feedbackCount: UInt8
    /// The packets, numbered upwards from ``baseSequence``.
    public var arrivals: [Arrival]

    /// A report.
    public init(baseSequence: UInt16, referenceTime: UInt32, feedbackCount: UInt8, arrivals: [Arrival]) {
        self.baseSequence = baseSequence
        self.referenceTime = referenceTime & 0xFF_FFFF
        self.feedbackCount = feedbackCount
        self.arrivals = arrivals
    }

    /// The number of the packet at `index` of ``arrivals``.
    public func sequence(at index: Int) -> UInt16 { self.baseSequence &+ UInt16(truncatingIfNeeded: index) }
}
