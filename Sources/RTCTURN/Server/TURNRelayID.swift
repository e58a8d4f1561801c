/// Names a relay of one ``TURNServerCore``: a relayed transport address of an allocation. Never used twice for different
/// relays within 2³² uses of a slot.
public struct TURNRelayID: Sendable, Hashable {
    let generation: UInt32
    /// A small number that the driver may index tables with; used again after the relay has been closed.
    public let slot: Int

    init(slot: Int, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    /// The ID as a number, for example for the kernel to hand back.
    public var rawValue: UInt64 { UInt64(self.generation) << 32 | UInt64(self.slot) }

    /// The ID that ``rawValue`` came from.
    public init(rawValue: UInt64) {
        self.init(slot: Int(rawValue & 0xFFFF_FFFF), generation: UInt32(rawValue >> 32))
    }
}
