import NIOCore

/// The packets of a stream that were sent lately, by sequence number, to be sent again when the peer asks (RFC 4588).
///
/// A ring that grows while packets younger than ``Configuration/wantedAge`` would be overwritten, up to a limit.
struct RetransmissionHistory {
    /// How much is kept.
    struct Configuration: Sendable, Hashable {
        /// The most packets, a power of two. 2,048 by default.
        var maximumPackets = 2048
        /// How long packets should be kept. 1 s by default.
        var wantedAge = TimeAmount.seconds(1)

        /// The defaults.
        init() {}
    }

    private struct Entry {
        var sequence: UInt16
        var packet: OutgoingPacket
        var sent: NIODeadline
        var repeated: NIODeadline?
    }

    private let configuration: Configuration
    private var entries: ContiguousArray<Entry?> = []
    private var newest: UInt16?

    /// A history without packets.
    init(configuration: Configuration = Configuration()) { self.configuration = configuration }

    /// Keeps a packet that is sent now.
    mutating func store(_ packet: OutgoingPacket, sequence: UInt16, now: NIODeadline) {
        if self.entries.isEmpty { self.entries = ContiguousArray(repeating: nil, count: Self.initialCapacity) }
        if let old = self.entries[self.slot(sequence)], self.entries.count < self.configuration.maximumPackets,
            old.sequence != sequence, now - old.sent < self.configuration.wantedAge
        {
            self.grow()
        }
        self.entries[self.slot(sequence)] = Entry(sequence: sequence, packet: packet, sent: now)
        self.newest = sequence
    }

    /// The packet with a number, to be sent again now; `nil` if it is not kept, or was sent again less than `interval` ago.
    mutating func take(_ sequence: UInt16, interval: TimeAmount, now: NIODeadline) -> OutgoingPacket? {
        guard !self.entries.isEmpty, let entry = self.entries[self.slot(sequence)], entry.sequence == sequence
        else { return nil }
        if let repeated = entry.repeated, now - repeated < interval { return nil }
        self.entries[self.slot(sequence)]?.repeated = now
        return entry.packet
    }

    /// The packet sent last: padding that is of use.
    var last: OutgoingPacket? {
        guard let newest = self.newest, let entry = self.entries[self.slot(newest)], entry.sequence == newest
        else { return nil }
        return entry.packet
    }

    /// Forgets everything.
    mutating func removeAll() {
        self.entries = []
        self.newest = nil
    }

    private func slot(_ sequence: UInt16) -> Int { Int(sequence) & (self.entries.count - 1) }

    private mutating func grow() {
        let old = self.entries
        self.entries = ContiguousArray(repeating: nil, count: old.count * 2)
        for case .some(let entry) in old { self.entries[self.slot(entry.sequence)] = entry }
    }

    private static let initialCapacity = 16
}
