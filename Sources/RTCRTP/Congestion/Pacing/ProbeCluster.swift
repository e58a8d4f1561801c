public import NIOCore

/// Names a probe, so that its packets are recognised when feedback comes.
public struct ProbeClusterID: Sendable, Hashable, RawRepresentable {
    /// The number, counted up for each probe of a connection.
    public let rawValue: UInt32

    /// The probe of this number.
    public init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// A short train of packets at a set rate, sent to find out whether the path carries that much.
public struct ProbeCluster: Sendable, Hashable {
    /// Its name.
    public let id: ProbeClusterID
    /// The rate at which its packets go out.
    public let rate: Bitrate
    /// How many bytes it needs at least.
    public let minimumBytes: Int
    /// How many packets it needs at least.
    public let minimumPackets: Int

    /// A probe at `rate` that lasts `duration`, and at least five packets.
    public init(id: ProbeClusterID, rate: Bitrate, duration: TimeAmount) {
        self.id = id
        self.rate = rate
        self.minimumBytes = rate.bytes(in: duration)
        self.minimumPackets = 5
    }
}
