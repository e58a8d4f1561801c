public import NIOCore

/// Lets a side that only receives measure the round trip: it sends reference times (RRTR), and the other side tells how
/// long ago the last one came (DLRR; RFC 3611 sections 4.4 and 4.5).
///
/// This is the side that answers. The one that asks writes `referenceTime` of its own and measures what comes back with
/// ``RoundTripTime``.
public struct ReferenceTimeExchange: Sendable {
    private struct Entry: Sendable {
        var ssrc: SSRC
        var compact: UInt32
        var arrival: NIODeadline
    }

    /// How many receivers are answered at most; those that asked longest ago are forgotten.
    public static let capacity = 16
    private var entries: [Entry] = []

    /// An exchange in which nobody has asked.
    public init() {}

    /// Takes note of a receiver's reference time.
    public mutating func receive(_ report: RTCPExtendedReport, now: NIODeadline) {
        guard let time = report.referenceTime else { return }
        self.entries.removeAll { $0.ssrc == report.ssrc }
        if self.entries.count >= Self.capacity { self.entries.removeFirst() }
        self.entries.append(Entry(ssrc: report.ssrc, compact: time.compact, arrival: now))
    }

    /// What is told to those that asked since the last time, in the order in which they did.
    public mutating func takeDelays(now: NIODeadline) -> [RTCPExtendedReport.ReceiverDelay] {
        defer { self.entries.removeAll(keepingCapacity: true) }
        return self.entries.map { entry in
            RTCPExtendedReport.ReceiverDelay(
                ssrc: entry.ssrc,
                lastReceiverReport: entry.compact,
                delaySinceLastReceiverReport: RoundTripTime.units(of: now - entry.arrival)
            )
        }
    }
}
