internal import Synchronization

/// Finds an association's outbox by the integer usrsctp knows it by.
///
/// usrsctp's callbacks may come late, for an association that is closed: an integer that is not here any more finds
/// nothing, where a pointer would find freed memory. Integers are never used twice.
final class PacketRegistry: Sendable {
    static let shared = PacketRegistry()

    private final class Shard: Sendable {
        let outboxes = Mutex<[UInt: PacketOutbox]>([:])
    }

    private static let shardCount: UInt = 16
    private let shards = (0..<PacketRegistry.shardCount).map { _ in Shard() }
    private let next = Atomic<UInt>(1)
    private let active = Atomic<Int>(0)

    var count: Int { self.active.load(ordering: .relaxed) }

    /// Takes an outbox in, and gives it its integer.
    func register(_ outbox: PacketOutbox) -> UInt {
        let handle = self.next.wrappingAdd(1, ordering: .relaxed).oldValue
        self.shard(of: handle).outboxes.withLock { $0[handle] = outbox }
        self.active.wrappingAdd(1, ordering: .relaxed)
        return handle
    }

    /// Forgets an outbox.
    func remove(_ handle: UInt) {
        let removed = self.shard(of: handle).outboxes.withLock { $0.removeValue(forKey: handle) }
        if removed != nil { self.active.wrappingSubtract(1, ordering: .relaxed) }
    }

    func outbox(for handle: UInt) -> PacketOutbox? {
        self.shard(of: handle).outboxes.withLock { $0[handle] }
    }

    private func shard(of handle: UInt) -> Shard {
        self.shards[Int(handle % Self.shardCount)]
    }
}
