import Synchronization

/// Elements for one reader, in their order; who puts too many is told to wait.
package final class EventQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var reader: CheckedContinuation<Element?, Never>?
        var writers: [CheckedContinuation<Void, Never>] = []
    }

    private let capacity: Int
    private let state = Mutex(State())

    /// A queue in which more than `capacity` elements make the writer wait.
    package init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Puts an element; does nothing after the end.
    package func put(_ element: Element) {
        let reader = self.state.withLock { state -> CheckedContinuation<Element?, Never>? in
            guard !state.isFinished else { return nil }
            if let reader = state.reader {
                state.reader = nil
                return reader
            }
            state.elements.append(element)
            return nil
        }
        reader?.resume(returning: element)
    }

    /// Waits until there is room, or the task is cancelled.
    package func waitForRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let waits = self.state.withLock { state in
                    // Asked under the lock, which a cancellation that comes later waits for.
                    guard state.elements.count > self.capacity, !state.isFinished, !Task.isCancelled else {
                        return false
                    }
                    state.writers.append(continuation)
                    return true
                }
                if !waits { continuation.resume() }
            }
        } onCancel: {
            // Whose continuation is whose is not known; the others look again with their next element.
            let writers = self.state.withLock { state in
                defer { state.writers = [] }
                return state.writers
            }
            for writer in writers { writer.resume() }
        }
    }

    /// The end; what is there can still be taken.
    package func finish() {
        let (reader, writers) = self.state.withLock { state in
            state.isFinished = true
            defer { (state.reader, state.writers) = (nil, []) }
            return (state.reader, state.writers)
        }
        reader?.resume(returning: nil)
        for writer in writers { writer.resume() }
    }

    /// The next element; nil after the end, and when the task is cancelled.
    package func next() async -> Element? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let (now, writers) = self.state.withLock { state -> (Element??, [CheckedContinuation<Void, Never>]) in
                    if !state.elements.isEmpty {
                        let element = state.elements.removeFirst()
                        guard state.elements.count <= self.capacity else { return (element, []) }
                        defer { state.writers = [] }
                        return (element, state.writers)
                    }
                    if state.isFinished || Task.isCancelled || state.reader != nil { return (.some(nil), []) }
                    state.reader = continuation
                    return (nil, [])
                }
                for writer in writers { writer.resume() }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let reader = self.state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
    }
}
