/// Keeps account of the packet that small messages are gathered in, so that it leaves when it is full.
///
/// Left to itself usrsctp moves one message more to its send queue than the packet takes, and sends that one alone before it
/// fills the next packet: every other packet then carries one message. So it is let go just when a packet is full, and
/// is given nothing more once messages stay behind with it.
struct PacketPacking {
    /// The common header (RFC 9260 section 3.1).
    private static let packetOverhead = 12
    /// The header of a DATA chunk (RFC 9260 section 3.3.1).
    private static let chunkOverhead = 16

    private let capacity: Int
    private var room: Int

    init(packetSize: Int) {
        self.capacity = packetSize - Self.packetOverhead
        self.room = self.capacity
    }

    /// Whether several messages of this size share a packet.
    func shares(_ size: Int) -> Bool { Self.cost(size) <= self.capacity / 2 }

    /// Adds a message.
    ///
    /// - Returns: Whether the packet is full with it: whether `next` has no room any more.
    mutating func add(_ size: Int, next: Int) -> Bool {
        self.room -= Self.cost(size)
        guard self.room < Self.cost(next) else { return false }
        self.room = self.capacity
        return true
    }

    /// The packet left as it was.
    mutating func restart() { self.room = self.capacity }

    private static func cost(_ size: Int) -> Int { Self.chunkOverhead + (max(size, 1) + 3) & ~3 }
}
