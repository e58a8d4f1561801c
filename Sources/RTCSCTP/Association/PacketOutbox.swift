internal import CRTCUsrsctp
internal import Synchronization

/// The packets an association wants sent, until its owner takes them.
///
/// The owner's thread and the thread that drives the clock meet here, and only here.
final class PacketOutbox: Sendable {
    /// Packets back to back, with their sizes.
    struct Packets: Sendable {
        var bytes: [UInt8] = []
        var sizes: [Int32] = []

        mutating func removeAll() {
            self.bytes.removeAll(keepingCapacity: true)
            self.sizes.removeAll(keepingCapacity: true)
        }
    }

    private struct State {
        var waiting = Packets()
        var spare = Packets()
        /// Whether the owner has to be told of the next packet: it has taken all earlier ones.
        var isArmed = true
        var isReadable = false
        var dropped = 0
        var quietDrains = 0
    }

    /// The most bytes that wait; beyond it packets are dropped, as a full network would.
    private static let maximumBytes = 16 << 20
    /// Room above this is given back after a while without traffic.
    private static let idleCapacity = 8_192

    private let state = Mutex(State())
    private let owner = Atomic<UInt>(0)
    let wake: @Sendable () -> Void

    init(wake: @escaping @Sendable () -> Void) {
        self.wake = wake
    }

    /// The thread that works on the association, 0 if none: it looks for packets itself when it is done.
    func setOwner(_ thread: UInt) { self.owner.store(thread, ordering: .relaxed) }

    private var isOwnersThread: Bool { self.owner.load(ordering: .relaxed) == crtc_current_thread() }

    /// Adds a packet.
    ///
    /// - Returns: whether the owner must be woken.
    func append(_ packet: UnsafeRawBufferPointer) -> Bool {
        let isOwners = self.isOwnersThread
        return self.state.withLock { state in
            guard state.waiting.bytes.count + packet.count <= Self.maximumBytes else {
                state.dropped += 1
                return false
            }
            state.waiting.bytes.append(contentsOf: packet)
            state.waiting.sizes.append(Int32(truncatingIfNeeded: packet.count))
            return Self.disarm(&state, isOwners: isOwners)
        }
    }

    /// Notes that there may be something to read.
    ///
    /// - Returns: whether the owner must be woken.
    func noteReadable() -> Bool {
        // Whoever hands a packet in reads afterwards anyway.
        if self.isOwnersThread { return false }
        return self.state.withLock { state in
            state.isReadable = true
            return Self.disarm(&state, isOwners: false)
        }
    }

    private static func disarm(_ state: inout State, isOwners: Bool) -> Bool {
        guard state.isArmed, !isOwners else { return false }
        state.isArmed = false
        return true
    }

    /// Whether another thread noted something to read since the last call; the next note wakes the owner again.
    func takeReadable() -> Bool {
        self.state.withLock { state in
            defer { state.isReadable = false }
            state.isArmed = true
            return state.isReadable
        }
    }

    /// Calls `body` with each waiting packet, in order; the next one wakes the owner again.
    func drain(_ body: (UnsafeRawBufferPointer) -> Void) {
        var taken = Packets()
        let isEmpty = self.state.withLock { state in
            state.isArmed = true
            guard !state.waiting.sizes.isEmpty else { return true }
            swap(&taken, &state.waiting)
            swap(&state.waiting, &state.spare)
            return false
        }
        if isEmpty { return }
        taken.bytes.withUnsafeBytes { bytes in
            var offset = 0
            for size in taken.sizes {
                body(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + Int(size)]))
                offset += Int(size)
            }
        }
        let drained = taken.bytes.count
        taken.removeAll()
        self.state.withLock { state in
            state.quietDrains = drained > Self.idleCapacity ? 0 : state.quietDrains + 1
            if state.quietDrains > 16, taken.bytes.capacity > Self.idleCapacity { taken = Packets() }
            swap(&taken, &state.spare)
        }
    }

    /// How many packets were dropped because nobody took them.
    var dropped: Int { self.state.withLock { $0.dropped } }
}
