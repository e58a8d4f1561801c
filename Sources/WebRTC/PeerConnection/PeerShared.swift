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
    /// Let go of at the end: unread events hold channels, and those hold this object.
    private let continuation: Mutex<AsyncStream<RTCPeerConnection.Event>.Continuation?>
    private let mailbox = Mutex(Mailbox())
    private let statistics = Mutex(RTCStatsReport())
    private let gatherers = Mutex<[CheckedContinuation<Void, Never>]>([])
    private let largestMessage = Atomic(Int.max)
    private let snapshot: Mutex<RTCPeerConnection.Snapshot>
    /// Set once, right after the driver is made.
    private let driver = Mutex<NIOLoopBoundBox<PeerDriver?>?>(nil)

    init(
        eventLoop: any EventLoop,
        limits: RTCLimits,
        events: AsyncStream<RTCPeerConnection.Event>.Continuation
    ) {
        self.eventLoop = eventLoop
        self.limits = limits
        self.continuation = Mutex(events)
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

    /// The way to a sender.
    func outlet(of id: TransceiverID) -> SenderOutlet? {
        self.driver.withLock { $0 }.map { SenderOutlet(id: id, eventLoop: self.eventLoop, driver: $0) }
    }

    /// Runs `body` on the event loop, at once when called there, unless the connection is closed.
    func onEventLoop(_ body: @escaping @Sendable (PeerDriver) -> Void) {
        guard let driver = self.driver.withLock({ $0 }) else { return }
        self.eventLoop.runOrExecute {
            if let driver = driver.value { body(driver) }
        }
    }

    /// Wakes the driver, from any thread.
    func wake() {
        guard let driver = self.driver.withLock({ $0 }) else { return }
        self.eventLoop.execute { driver.value?.wake() }
    }

    /// Runs `body` on the event loop, at once when called there, then does what follows from it.
    func perform<Result: Sendable>(
        _ body: @escaping @Sendable (PeerDriver) throws(RTCError) -> Result
    ) async throws(RTCError) -> Result {
        guard let driver = self.driver.withLock({ $0 }) else {
            throw RTCError(.invalidState, "the connection is closed")
        }
        if self.eventLoop.inEventLoop { return try Self.perform(driver, body) }
        let result = await withCheckedContinuation { continuation in
            self.eventLoop.execute {
                continuation.resume(
                    returning: Swift.Result { () throws(RTCError) in try Self.perform(driver, body) }
                )
            }
        }
        return try result.get()
    }

    private static func perform<Result>(
        _ box: NIOLoopBoundBox<PeerDriver?>,
        _ body: (PeerDriver) throws(RTCError) -> Result
    ) throws(RTCError) -> Result {
        guard let driver = box.value else { throw RTCError(.invalidState, "the connection is closed") }
        defer { driver.finishCall() }
        return try body(driver)
    }

    var current: RTCPeerConnection.Snapshot { self.snapshot.withLock { $0 } }

    func publish(_ session: PeerSession, _ media: PeerMedia) {
        media.update(from: session)
        let transceivers = media.list
        let hasGathered = self.snapshot.withLock { snapshot in
            snapshot.update(from: session, transceivers: transceivers)
            return snapshot.iceGatheringState == .complete || snapshot.signalingState == .closed
        }
        if hasGathered { self.resumeGatherers() }
        self.largestMessage.store(session.maximumMessageSize ?? .max, ordering: .relaxed)
    }

    /// The largest message that the peer takes, in bytes.
    var maximumMessageSize: Int { self.largestMessage.load(ordering: .relaxed) }

    /// Waits until gathering may be complete; returns early rather than late.
    func waitForGathering() async {
        await withCheckedContinuation { continuation in
            self.gatherers.withLock { $0.append(continuation) }
            // Whoever published between the caller's look and now found nobody to resume.
            let state = self.current
            if state.iceGatheringState == .complete || state.signalingState == .closed { self.resumeGatherers() }
        }
    }

    private func resumeGatherers() {
        let waiting = self.gatherers.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func emit(_ event: RTCPeerConnection.Event) { self.continuation.withLock { $0 }?.yield(event) }

    /// The last statistics of a connection that is closed.
    var finalStatistics: RTCStatsReport { self.statistics.withLock { $0 } }

    /// The end, on the event loop: lets go of the driver and the events, which hold this object in turn.
    func finish(_ statistics: RTCStatsReport) {
        self.statistics.withLock { $0 = statistics }
        self.driver.withLock { $0 }?.value = nil
        let continuation = self.continuation.withLock { continuation in
            defer { continuation = nil }
            return continuation
        }
        continuation?.finish()
    }
}

extension PeerShared? {
    /// Runs `body` on the event loop of a connection that there still is.
    func perform<Result: Sendable>(
        _ body: @escaping @Sendable (PeerDriver) throws(RTCError) -> Result
    ) async throws(RTCError) -> Result {
        guard let self else { throw RTCError(.invalidState, "the connection is closed") }
        return try await self.perform(body)
    }

    /// What is measured now of a sender or receiver; its streams end with the connection.
    func statistics(of selector: StatsSelector) async -> RTCStatsReport {
        let report = try? await self.perform { (driver) throws(RTCError) in
            driver.session.statistics(of: selector, now: .now(), timestamp: WallClock.milliseconds)
        }
        return report ?? RTCStatsReport()
    }
}
