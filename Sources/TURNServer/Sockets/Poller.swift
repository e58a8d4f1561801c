internal import CRTCSockets
internal import Synchronization

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// Waits for sockets to become readable. Confined to its shard.
final class Poller {
    private let descriptor: CInt
    private let events: UnsafeMutableBufferPointer<crtc_event>

    struct Event {
        let tag: UInt64
        let isReadable: Bool
        let hasFailed: Bool
    }

    init() throws {
        self.descriptor = try SocketError.check(crtc_poller_open())
        self.events = .allocate(capacity: 256)
        self.events.initialize(repeating: crtc_event())
    }

    deinit {
        crtc_close(self.descriptor)
        self.events.deallocate()
    }

    func add(_ socket: DatagramSocket, tag: UInt64) throws {
        _ = try SocketError.check(crtc_poller_add(self.descriptor, socket.descriptor, tag))
    }

    func add(_ waker: Waker, tag: UInt64) throws {
        _ = try SocketError.check(crtc_poller_add(self.descriptor, waker.descriptor, tag))
    }

    /// Waits so many milliseconds at most, and calls `body` with what became ready.
    func wait(milliseconds: CInt, _ body: (Event) -> Void) {
        let count = crtc_poller_wait(self.descriptor, self.events.baseAddress, CInt(self.events.count), milliseconds)
        for index in 0..<max(0, Int(count)) {
            let event = self.events[index]
            body(Event(tag: event.tag, isReadable: event.readable, hasFailed: event.failed))
        }
    }
}

/// Ends a ``Poller``'s waiting, from any thread.
final class Waker: Sendable {
    let descriptor: CInt
    private let isWoken = Atomic(false)

    init() throws { self.descriptor = try SocketError.check(crtc_waker_open()) }

    deinit { crtc_close(self.descriptor) }

    func wake() {
        // One call to the system wakes for all that is posted until the shard looks.
        if !self.isWoken.exchange(true, ordering: .acquiringAndReleasing) { crtc_waker_wake(self.descriptor) }
    }

    /// To be called before looking at what was posted.
    func clear() {
        crtc_waker_clear(self.descriptor)
        self.isWoken.store(false, ordering: .sequentiallyConsistent)
    }
}

/// What the process may do.
enum ProcessLimits {
    /// Lets the process have as many files as the system allows it.
    static func raiseFileLimit() { _ = crtc_raise_file_limit() }
}
