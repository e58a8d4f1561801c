import NIOCore
import RTCBase
import RTCCore
import RTCSCTP
import Synchronization

/// What the event loop and the users of a connection share: commands one way, state and events the other.
final class PeerShared: Sendable {
    /// What users of channels ask for.
    enum Command: Sendable {
        case send(RTCDataChannel, DataChannelMessageKind, ByteBuffer)
        case close(DataChannelHandle)
        case abort(DataChannelHandle)
        /// A reader took messages of that many bytes.
        case read(bytes: Int)
    }

    private struct Mailbox {
        var commands: [Command] = []
        var isScheduled = false
    }

    let eventLoop: any EventLoop
    let limits: RTCLimits
    let events: AsyncStream<RTCPeerConnection.Event>
    private let continuation: AsyncStream<RTCPeerConnection.Event>.Continuation
    private let mailbox = Mutex(Mailbox())
    private let largestMessage = Atomic(Int.max)
    private let snapshot: Mutex<RTCPeerConnection.Snapshot>
    /// Set once, right after the driver is made.
    private let driver = Mutex<NIOLoopBoundBox<PeerDriver?>?>(nil)

    init(eventLoop: any EventLoop, limits: RTCLimits) {
        self.eventLoop = eventLoop
        self.limits = limits
        (self.events, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        self.snapshot = Mutex(RTCPeerConnection.Snapshot())
    }

    func attach(_ driver: NIOLoopBoundBox<PeerDriver?>) { self.driver.withLock { $0 = driver } }

    /// Hands a command to the event loop, which is woken once for many.
    func post(_ command: Command) {
        let mustWake = self.mailbox.withLock { mailbox -> Bool in
            mailbox.commands.append(command)
            defer { mailbox.isScheduled = true }
            return !mailbox.isScheduled
        }
        guard mustWake, let driver = self.driver.withLock({ $0 }) else { return }
        self.eventLoop.execute {
            if let driver = driver.value {
                driver.performCommands()
            } else {
                _ = self.takeCommands()
            }
        }
    }

    func takeCommands() -> [Command] {
        self.mailbox.withLock { mailbox in
            mailbox.isScheduled = false
            var taken: [Command] = []
            swap(&taken, &mailbox.commands)
            return taken
        }
    }

    /// Wakes the driver, from any thread.
    func wake() {
        guard let driver = self.driver.withLock({ $0 }) else { return }
        self.eventLoop.execute { driver.value?.wake() }
    }

    var current: RTCPeerConnection.Snapshot { self.snapshot.withLock { $0 } }

    func publish(_ session: PeerSession) {
        self.snapshot.withLock { $0.update(from: session) }
        self.largestMessage.store(session.maximumMessageSize ?? .max, ordering: .relaxed)
    }

    /// The largest message that the peer takes, in bytes.
    var maximumMessageSize: Int { self.largestMessage.load(ordering: .relaxed) }

    func emit(_ event: RTCPeerConnection.Event) { self.continuation.yield(event) }

    func finish() { self.continuation.finish() }
}
