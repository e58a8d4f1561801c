package import NIOCore

/// What feedback tells about one packet that was sent.
package struct PacketResult: Sendable, Hashable {
    /// Its number among all that were sent, never beginning anew.
    package var sequence: Int64
    /// Its size in bytes.
    package var bytes: Int
    /// When it left.
    package var sendTime: NIODeadline
    /// The probe it belonged to.
    package var probe: ProbeClusterID?
    /// When it arrived, on the receiver's clock; `nil` if it did not.
    package var arrival: TimeAmount?
    /// Whether a router on the way marked it because its queue grew (RFC 3168, CE).
    package var isCongestionMarked = false
    /// Whether an earlier report had called it lost.
    package var wasReportedLost = false

    /// A result.
    package init(sequence: Int64, bytes: Int, sendTime: NIODeadline, arrival: TimeAmount?, probe: ProbeClusterID? = nil)
    {
        self.sequence = sequence
        self.bytes = bytes
        self.sendTime = sendTime
        self.probe = probe
        self.arrival = arrival
    }
}
