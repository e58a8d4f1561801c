internal import CRTCSockets
internal import RTCBase

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Memory that datagrams are read into, used again and again. Confined to its shard.
final class DatagramArena {
    /// What one read brought: a datagram, or several of one size that the kernel put together.
    struct Read {
        let bytes: UnsafeRawBufferPointer
        let segmentSize: Int
        let source: TransportAddress
    }

    let slots: Int
    private let arena: OpaquePointer

    init(slots: Int) throws {
        guard let arena = crtc_arena_new(CInt(slots)) else { throw SocketError(number: ENOMEM) }
        self.arena = arena
        self.slots = slots
    }

    deinit { crtc_arena_free(self.arena) }

    /// Reads into the slots from `first` on; how many were filled.
    func receive(on socket: DatagramSocket, first: Int, limit: Int) -> Int {
        max(0, Int(crtc_arena_receive(self.arena, socket.descriptor, CInt(first), CInt(limit))))
    }

    /// What lies in a slot until it is read into again.
    func read(at slot: Int) -> Read {
        let read = crtc_arena_at(self.arena, CInt(slot))
        return Read(
            bytes: UnsafeRawBufferPointer(start: read.bytes, count: Int(read.count)),
            segmentSize: Int(read.segment),
            source: TransportAddress(read.from)
        )
    }
}
