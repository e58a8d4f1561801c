import NIOCore

/// The newest packets of a stream by sequence number, in a ring of buffers that are used again.
struct ProtectedPacketWindow: Sendable {
    private struct Slot {
        var sequence = Int64.min
        var packet = ByteBuffer()
    }

    private var slots: ContiguousArray<Slot>

    /// An empty window.
    ///
    /// - Parameter capacity: How many packets it holds; a power of two.
    init(capacity: Int) { self.slots = ContiguousArray(repeating: Slot(), count: capacity) }

    /// How many packets it holds.
    var capacity: Int { self.slots.count }
    /// The memory that the packets take, in bytes.
    var storageSize: Int { self.slots.reduce(0) { $0 + $1.packet.capacity } }

    /// The packet of this number; `nil` if it is not there.
    subscript(sequence: Int64) -> ByteBuffer? {
        let slot = self.slots[self.index(sequence)]
        return slot.sequence == sequence ? slot.packet : nil
    }

    /// Whether the packet of this number is there.
    func contains(_ sequence: Int64) -> Bool { self.slots[self.index(sequence)].sequence == sequence }

    /// Those packets of a mask that are not there.
    func missing(of mask: FlexFECMask, base: Int64) -> FlexFECMask {
        var missing = mask
        var rest = mask
        while let distance = rest.popFirst() {
            if self.contains(base + Int64(distance)) { missing.remove(distance) }
        }
        return missing
    }

    /// Copies a packet in, without the values of `mutable`, in place of the one that is older by the capacity.
    mutating func insert(_ bytes: RawSpan, _ view: RTPPacketView, sequence: Int64, without mutable: MutableExtensions) {
        let index = self.index(sequence)
        self.slots[index].sequence = sequence
        self.slots[index].packet.clear()
        self.slots[index].packet.writeBytes(bytes)
        self.slots[index].packet.withUnsafeMutableReadableBytes { mutable.clear(in: $0, view) }
    }

    /// Puts a packet in whose bytes are shared.
    mutating func insert(_ packet: ByteBuffer, sequence: Int64) {
        self.slots[self.index(sequence)] = Slot(sequence: sequence, packet: packet)
    }

    /// Forgets all packets, and keeps their memory.
    mutating func removeAll() {
        for index in self.slots.indices { self.slots[index].sequence = .min }
    }

    private func index(_ sequence: Int64) -> Int { Int(truncatingIfNeeded: sequence) & (self.slots.count - 1) }
}
