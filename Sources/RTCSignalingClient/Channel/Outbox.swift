import NIOCore
import RTCSignaling
import Synchronization

/// What is to be sent and waits for the event loop, and senders that wait for room.
final class Outbox<Element: Sendable>: Sendable {
    private typealias Continuation = CheckedContinuation<Result<Void, SignalingChannelError>, Never>

    private struct Waiter {
        var id: UInt64
        var element: Element
        var size: Int
        var continuation: Continuation
    }

    private struct State {
        var elements: [Element] = []
        /// Bytes of the elements here, and of those that were taken and are not out.
        var queued = 0
        var inFlight = 0
        var waiters = CircularBuffer<Waiter>()
        var nextID: UInt64 = 0
        /// Whether the event loop knows that there is something.
        var isWoken = false
        var end: SignalingChannelError?

        func hasRoom(for size: Int, limit: Int) -> Bool {
            let waiting = self.queued + self.inFlight
            return waiting == 0 || waiting + size <= limit
        }

        mutating func append(_ element: Element, _ size: Int) {
            self.elements.append(element)
            self.queued += size
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameter limit: The bytes that may wait before a sender does.
    init(limit: Int) { self.limit = limit }

    /// Adds an element, once there is room and all that was to be sent before is added.
    ///
    /// - Parameter wake: Called when the event loop has to be told.
    func send(_ element: Element, size: Int, wake: () -> Void) async throws(SignalingChannelError) {
        guard size <= self.limit else { throw .messageTooLarge(limit: self.limit) }
        let id = self.state.withLock { state in
            state.nextID += 1
            return state.nextID
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: Continuation) in
                let (result, wakes) = self.state.withLock { state in
                    let waiter = Waiter(id: id, element: element, size: size, continuation: continuation)
                    return self.admit(waiter, &state)
                }
                if wakes { wake() }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state -> Waiter? in
                guard let index = state.waiters.firstIndex(where: { $0.id == id }) else { return nil }
                return state.waiters.remove(at: index)
            }
            waiter?.continuation.resume(returning: .failure(.cancelled))
        }
        try result.get()
    }

    private func admit(_ waiter: Waiter, _ state: inout State) -> (Result<Void, SignalingChannelError>?, wakes: Bool) {
        if let end = state.end { return (.failure(end), false) }
        guard state.waiters.isEmpty, state.hasRoom(for: waiter.size, limit: self.limit) else {
            guard !Task.isCancelled else { return (.failure(.cancelled), false) }
            state.waiters.append(waiter)
            return (nil, false)
        }
        state.append(waiter.element, waiter.size)
        defer { state.isWoken = true }
        return (.success(()), !state.isWoken)
    }

    /// On the event loop: takes everything that is to be sent. ``setInFlight(_:)`` has to say what became of it.
    func take() -> [Element] {
        self.state.withLock { state in
            defer {
                state.elements = []
                state.inFlight += state.queued
                state.queued = 0
                state.isWoken = false
            }
            return state.elements
        }
    }

    /// On the event loop: says how many bytes were taken and are not out yet, and lets senders in.
    ///
    /// - Returns: Whether there is something to take.
    func setInFlight(_ bytes: Int) -> Bool {
        let (admitted, hasMore) = self.state.withLock { state -> ([Continuation], Bool) in
            state.inFlight = bytes
            var admitted: [Continuation] = []
            while let next = state.waiters.first, state.hasRoom(for: next.size, limit: self.limit) {
                state.waiters.removeFirst()
                state.append(next.element, next.size)
                admitted.append(next.continuation)
            }
            if !state.elements.isEmpty { state.isWoken = true }
            return (admitted, !state.elements.isEmpty)
        }
        for continuation in admitted { continuation.resume(returning: .success(())) }
        return hasMore
    }

    /// Refuses everything from here on, and who waits; what was added can still be taken.
    func finish(_ error: SignalingChannelError) {
        let waiters = self.state.withLock { state in
            if state.end == nil { state.end = error }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: .failure(error)) }
    }
}
