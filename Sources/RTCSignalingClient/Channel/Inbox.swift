import NIOCore
import RTCSignaling
import Synchronization

/// What came and waits for one reader, between an event loop and a task.
final class Inbox<Element: Sendable>: Sendable {
    private typealias Waiter = CheckedContinuation<Result<Element?, SignalingChannelError>, Never>

    private struct State {
        var elements = CircularBuffer<Element>()
        var waiter: Waiter?
        var end: Result<Element?, SignalingChannelError>?
        /// Whether the source was told to pause.
        var isPaused = false
    }

    /// Elements that wait when the source is told to pause, and those at which it may go on.
    private static var watermarks: (low: Int, high: Int) { (8, 32) }

    private let state = Mutex(State())

    /// Adds an element; does nothing after the end.
    ///
    /// - Returns: Whether more is wanted; if not, a reader will say when it is.
    func add(_ element: Element) -> Bool {
        let (waiter, wantsMore) = self.state.withLock { state -> (Waiter?, Bool) in
            guard state.end == nil else { return (nil, true) }
            if let waiter = state.waiter {
                state.waiter = nil
                return (waiter, true)
            }
            state.elements.append(element)
            if state.elements.count >= Self.watermarks.high { state.isPaused = true }
            return (nil, !state.isPaused)
        }
        waiter?.resume(returning: .success(element))
        return wantsMore
    }

    /// Nothing comes any more: the reader gets what is there, and then nil or the error.
    func finish(_ error: SignalingChannelError?) {
        let end: Result<Element?, SignalingChannelError> = error.map { .failure($0) } ?? .success(nil)
        let waiter = self.state.withLock { state -> Waiter? in
            guard state.end == nil else { return nil }
            state.end = end
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: end)
    }

    /// The next element; nil after the end.
    ///
    /// - Parameter hasRoom: Called when a source that was told to pause may go on.
    func next(hasRoom: () -> Void) async throws(SignalingChannelError) -> Element? {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: Waiter) in
                let (result, resumes) = self.state.withLock { state in Self.take(&state, continuation) }
                if resumes { hasRoom() }
                if let result { continuation.resume(returning: result) }
            }
        } onCancel: {
            let waiter = self.state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume(returning: .failure(.cancelled))
        }
        return try result.get()
    }

    /// What a reader gets, nil if it has to wait; and whether the source may go on.
    private static func take(
        _ state: inout State,
        _ waiter: Waiter
    ) -> (Result<Element?, SignalingChannelError>?, resumes: Bool) {
        if let element = state.elements.popFirst() {
            guard state.isPaused, state.elements.count <= Self.watermarks.low else { return (.success(element), false) }
            state.isPaused = false
            return (.success(element), true)
        }
        if let end = state.end { return (end, false) }
        guard !Task.isCancelled else { return (.failure(.cancelled), false) }
        guard state.waiter == nil else {
            return (.failure(.invalidArgument(reason: "two tasks receive at once")), false)
        }
        state.waiter = waiter
        return (nil, false)
    }
}
