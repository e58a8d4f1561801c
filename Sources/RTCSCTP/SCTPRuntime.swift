internal import CRTCUsrsctp
public import NIOCore
internal import Synchronization

/// The one SCTP stack of the process: its clock and its registry.
///
/// All associations share one clock, driven from outside: whoever owns a timer calls ``tick(now:)`` about every 10 ms, on
/// any thread, for all associations at once. Every function here may be called from any thread.
public enum SCTPRuntime {
    /// How many associations hold resources at this moment.
    public static var activeAssociations: Int {
        PacketRegistry.shared.count + self.nativeAssociations.load(ordering: .relaxed)
    }

    /// How many associations need ``advance(milliseconds:)``: those of the usrsctp engine.
    public static var drivenAssociations: Int { PacketRegistry.shared.count }

    static let nativeAssociations = Atomic<Int>(0)

    /// Moves the clock on by `milliseconds` and runs the timers that became due.
    public static func advance(milliseconds: Int) {
        guard milliseconds > 0 else { return }
        Self.start()
        let woken = UsrsctpLock.exclusively {
            self.tickerThread.store(crtc_current_thread(), ordering: .releasing)
            usrsctp_handle_timers(UInt32(clamping: milliseconds))
            self.tickerThread.store(0, ordering: .releasing)
            return self.woken.withLock { woken in
                let taken = woken
                woken.removeAll()
                return taken
            }
        }
        for outbox in woken { outbox.wake() }
    }

    /// Moves the clock on to `now`. The first call only takes note of the time; a time that goes back is ignored.
    public static func tick(now: NIODeadline) {
        let elapsed = self.lastTick.withLock { last -> Int64 in
            guard let before = last else {
                last = now
                return 0
            }
            let milliseconds = (now - before).nanoseconds / 1_000_000
            guard milliseconds > 0 else { return 0 }
            last = before + .milliseconds(milliseconds)
            return milliseconds
        }
        // A driver that slept for long must not make every timer of every association expire at once.
        self.advance(milliseconds: Int(min(elapsed, 1_000)))
    }

    private static let lastTick = Mutex<NIODeadline?>(nil)
    private static let woken = Mutex<[PacketOutbox]>([])
    private static let tickerThread = Atomic<UInt>(0)
    private static let hasHardwareCRC32c = crtc_has_hardware_crc32c()

    /// Starts the stack; later calls do nothing.
    static func start() { _ = self.started }

    private static let started: Bool = {
        crtc_usrsctp_init(usrsctpOutput)
        // DTLS has authenticated what arrives, and the processor's own instruction computes what leaves.
        usrsctp_enable_crc32c_offload()
        _ = usrsctp_sysctl_set_sctp_blackhole(2)
        _ = usrsctp_sysctl_set_sctp_ecn_enable(0)
        _ = usrsctp_sysctl_set_sctp_asconf_enable(0)
        _ = usrsctp_sysctl_set_sctp_auth_enable(0)
        _ = usrsctp_sysctl_set_sctp_nrsack_enable(0)
        _ = usrsctp_sysctl_set_sctp_pktdrop_enable(0)
        _ = usrsctp_sysctl_set_sctp_no_csum_on_loopback(0)
        _ = usrsctp_sysctl_set_sctp_pr_enable(1)
        _ = usrsctp_sysctl_set_sctp_reconfig_enable(1)
        _ = usrsctp_sysctl_set_sctp_initial_cwnd(20)
        // One acknowledgement may stand for many packets: counting only two of them (RFC 3465's caution) makes slow start
        // several times slower than it is meant to be.
        _ = usrsctp_sysctl_set_sctp_L2_abc_variable(8)
        _ = usrsctp_sysctl_set_sctp_max_burst_default(0)
        _ = usrsctp_sysctl_set_sctp_fr_max_burst_default(16)
        _ = usrsctp_sysctl_set_sctp_max_chunks_on_queue(65_536)
        _ = usrsctp_sysctl_set_sctp_shutdown_guard_time_default(10)
        return true
    }()

    /// Takes one packet usrsctp wants sent. Runs with the association's lock held: nothing here calls usrsctp's sockets.
    fileprivate static func output(handle: UInt, packet: UnsafeMutableRawBufferPointer) {
        guard packet.count >= 12, let outbox = PacketRegistry.shared.outbox(for: handle) else { return }
        packet.storeBytes(of: 0, toByteOffset: 8, as: UInt32.self)
        let checksum = crtc_crc32c(packet.baseAddress, packet.count, self.hasHardwareCRC32c)
        packet.storeBytes(of: checksum, toByteOffset: 8, as: UInt32.self)
        guard outbox.append(UnsafeRawBufferPointer(packet)) else { return }
        if crtc_current_thread() == self.tickerThread.load(ordering: .acquiring) {
            self.woken.withLock { $0.append(outbox) }
        } else {
            outbox.wake()
        }
    }

    /// Notes that an association has something to read, or has failed.
    fileprivate static func upcall(handle: UInt) {
        guard let outbox = PacketRegistry.shared.outbox(for: handle), outbox.noteReadable() else { return }
        if crtc_current_thread() == self.tickerThread.load(ordering: .acquiring) {
            self.woken.withLock { $0.append(outbox) }
        } else {
            outbox.wake()
        }
    }
}

private func usrsctpOutput(
    address: UnsafeMutableRawPointer?,
    buffer: UnsafeMutableRawPointer?,
    length: Int,
    _: UInt8,
    _: UInt8
) -> Int32 {
    SCTPRuntime.output(
        handle: UInt(bitPattern: address),
        packet: UnsafeMutableRawBufferPointer(start: buffer, count: length)
    )
    return 0
}

/// What usrsctp calls when a socket may have become readable.
func usrsctpUpcall(socket: OpaquePointer?, argument: UnsafeMutableRawPointer?, flags: Int32) {
    SCTPRuntime.upcall(handle: UInt(bitPattern: argument))
}

/// Keeps usrsctp's timers away from whatever may free what they point to.
///
/// usrsctp takes a due timer off its list, lets go of the list's lock and only then runs it: an association freed by
/// another thread in between would be used after its end. Packets and calls share this lock, the clock holds it alone.
enum UsrsctpLock {
    nonisolated(unsafe) private static let lock = crtc_lock_create()

    static func shared<Result>(_ body: () -> Result) -> Result {
        pthread_rwlock_rdlock(self.lock)
        defer { pthread_rwlock_unlock(self.lock) }
        return body()
    }

    static func exclusively<Result>(_ body: () -> Result) -> Result {
        pthread_rwlock_wrlock(self.lock)
        defer { pthread_rwlock_unlock(self.lock) }
        return body()
    }
}
