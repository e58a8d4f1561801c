import NIOCore
import RTCSignaling
import Synchronization

/// Why a request of a channel came to nothing.
struct RequestFailure: Error {
    /// What the reader is told if this is the end; nil for an orderly one.
    var error: SignalingChannelError?
    /// Whether the request may not be made again.
    var isFinal: Bool
    /// How long the server wants to be left alone.
    var retryAfter: TimeAmount?
}

/// A way of exchanging messages by HTTP requests. One task receives and another one sends.
protocol HTTPChannelTransport: Sendable {
    /// Makes one request that receives.
    ///
    /// - Parameter deliver: Hands messages over; suspends while nobody reads. Without messages it tells that the server was reached.
    /// - Returns: How long to wait before the next request; nil for not at all.
    func receive(_ deliver: ([String]) async -> Void) async throws(RequestFailure) -> TimeAmount?
    /// Makes one request that sends.
    func send(_ messages: [String]) async throws(RequestFailure)
    /// Takes leave, if there is a way, and ends everything.
    func leave() async
}

/// The loops that make a channel of requests.
final class HTTPChannel: Sendable {
    struct Limits: Sendable {
        /// Bytes of messages that may wait before senders do.
        var sendBuffer: Int
        /// Bytes of messages in one request.
        var batch: Int
        /// How long requests may fail before the channel is over.
        var retrying: TimeAmount
        var closing: TimeAmount
    }

    private struct Tasks {
        var receiver: Task<Void, Never>?
        var sender: Task<Void, Never>?
        var isOver = false
    }

    private let transport: any HTTPChannelTransport
    private let limits: Limits
    private let inbox = Inbox<String>()
    private let outbox: Outbox<String>
    private let toSend = Signal()
    private let room = Signal()
    private let tasks = Mutex(Tasks())
    /// What is done when the channel is over, with what the reader is told.
    private let whenOver: @Sendable (SignalingChannelError?) -> Void

    init(
        _ transport: any HTTPChannelTransport,
        limits: Limits,
        whenOver: @escaping @Sendable (SignalingChannelError?) -> Void = { _ in }
    ) {
        self.transport = transport
        self.limits = limits
        self.outbox = Outbox(limit: limits.sendBuffer)
        self.whenOver = whenOver
    }

    /// Begins to receive and to send.
    func start() {
        self.tasks.withLock { tasks in
            tasks.receiver = Task { await self.receiveAll() }
            tasks.sender = Task { await self.sendAll() }
        }
    }

    // MARK: The channel

    func send(_ text: String) async throws(SignalingChannelError) {
        try await self.outbox.send(text, size: text.utf8.count) { self.toSend.raise() }
    }

    func receive() async throws(SignalingChannelError) -> String? {
        try await self.inbox.next { self.room.raise() }
    }

    func close() async {
        self.outbox.finish(.closed(code: nil, reason: "here"))
        self.toSend.raise()
        let sender = self.tasks.withLock { $0.sender }
        let timeout = Task {
            try? await Task.sleep(for: .nanoseconds(self.limits.closing.nanoseconds))
            sender?.cancel()
        }
        await sender?.value
        timeout.cancel()
        await self.end(nil)?.value
    }

    /// The channel is over; gives the task that cleans up, if it was not before.
    @discardableResult
    private func end(_ error: SignalingChannelError?) -> Task<Void, Never>? {
        let (receiver, sender, isFirst) = self.tasks.withLock { tasks in
            defer { tasks.isOver = true }
            return (tasks.receiver, tasks.sender, !tasks.isOver)
        }
        guard isFirst else { return nil }
        self.inbox.finish(error)
        self.outbox.finish(error ?? .closed(code: nil, reason: ""))
        self.whenOver(error)
        receiver?.cancel()
        sender?.cancel()
        return Task { await self.transport.leave() }
    }

    // MARK: Loops

    private func receiveAll() async {
        var schedule = RetrySchedule(limit: self.limits.retrying)
        while !Task.isCancelled {
            var hasDelivered = false
            do throws(RequestFailure) {
                let pause = try await self.transport.receive { messages in
                    guard !messages.isEmpty else { return schedule.reached(now: .now()) }
                    hasDelivered = true
                    for message in messages where !self.inbox.add(message) { await self.room.wait() }
                }
                schedule.succeeded()
                if let pause { await self.pause(pause) }
            } catch {
                if hasDelivered { schedule.succeeded() }
                guard await self.waits(after: error, &schedule) else { return }
            }
        }
    }

    private func sendAll() async {
        var isOver = false
        while !isOver, !Task.isCancelled {
            await self.toSend.wait()
            // What is added after this is seen below, or in the next turn.
            isOver = self.outbox.isFinished
            while case let messages = self.outbox.take(), !messages.isEmpty {
                guard await self.send(messages) else { return }
            }
        }
    }

    /// Sends messages in as many requests as it takes; false if the channel is over.
    private func send(_ messages: [String]) async -> Bool {
        var rest = messages[...]
        var size = messages.reduce(0) { $0 + $1.utf8.count }
        var schedule = RetrySchedule(limit: self.limits.retrying)
        while !rest.isEmpty {
            guard !Task.isCancelled else { return false }
            var batchSize = 0
            let fitting = rest.prefix { message in
                batchSize += message.utf8.count
                return batchSize <= self.limits.batch
            }
            let batch = fitting.isEmpty ? rest.prefix(1) : fitting
            do throws(RequestFailure) {
                try await self.transport.send(Array(batch))
                schedule.succeeded()
                size -= batch.reduce(0) { $0 + $1.utf8.count }
                rest = rest[batch.endIndex...]
                // Who waits for room may come in; what they add goes with the next batch.
                _ = self.outbox.setInFlight(size)
            } catch {
                guard await self.waits(after: error, &schedule) else { return false }
            }
        }
        return true
    }

    /// Waits until a request can be made again; false if the channel is over.
    private func waits(after failure: RequestFailure, _ schedule: inout RetrySchedule) async -> Bool {
        guard !Task.isCancelled else { return false }
        guard !failure.isFinal, let delay = schedule.failed(atLeast: failure.retryAfter, now: .now()) else {
            self.end(failure.error)
            return false
        }
        await self.pause(delay)
        return !Task.isCancelled
    }

    private func pause(_ time: TimeAmount) async {
        try? await Task.sleep(for: .nanoseconds(time.nanoseconds))
    }
}

/// Wakes one task that waits; raised before, it does not wait.
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func raise() {
        let waiter = self.state.withLock { state in
            state.isRaised = state.waiter == nil
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Waits for ``raise()``, or for the task to be cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isRaised = self.state.withLock { state in
                    guard !state.isRaised, !Task.isCancelled else {
                        state.isRaised = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isRaised { continuation.resume() }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
