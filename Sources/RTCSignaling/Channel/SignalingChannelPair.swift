import Synchronization

/// Two ends of a signalling channel in one process: for tests, and for peers that need no network between them.
public enum SignalingChannelPair {
    /// Makes a channel; what one end sends the other receives.
    ///
    /// - Parameter capacity: How many messages may wait for a receiver; a sender waits while there are more.
    public static func make(capacity: Int = 64) -> (any SignalingChannel, any SignalingChannel) {
        let there = MessagePipe(capacity: capacity)
        let back = MessagePipe(capacity: capacity)
        return (PairedChannel(incoming: back, outgoing: there), PairedChannel(incoming: there, outgoing: back))
    }
}

/// One end of a pair.
private final class PairedChannel: SignalingChannel {
    private let incoming: MessagePipe
    private let outgoing: MessagePipe

    init(incoming: MessagePipe, outgoing: MessagePipe) {
        self.incoming = incoming
        self.outgoing = outgoing
    }

    deinit {
        self.incoming.end()
        self.outgoing.end()
    }

    func send(_ text: String) async throws(SignalingChannelError) {
        guard self.outgoing.put(text) else { throw .closed(code: nil, reason: "") }
        await self.outgoing.waitForRoom()
    }

    func receive() async throws(SignalingChannelError) -> String? { await self.incoming.take() }

    func close() async {
        self.incoming.end()
        self.outgoing.end()
    }
}

/// Messages one way: those that were put before the end can still be taken.
private final class MessagePipe: Sendable {
    private struct State {
        var messages: [String] = []
        var isEnded = false
        var taker: CheckedContinuation<String?, Never>?
        var senders: [CheckedContinuation<Void, Never>] = []
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) { self.capacity = max(1, capacity) }

    /// Puts a message; false after the end.
    func put(_ text: String) -> Bool {
        let (isTaken, taker) = self.state.withLock { state -> (Bool, CheckedContinuation<String?, Never>?) in
            guard !state.isEnded else { return (false, nil) }
            if let taker = state.taker {
                state.taker = nil
                return (true, taker)
            }
            state.messages.append(text)
            return (true, nil)
        }
        taker?.resume(returning: text)
        return isTaken
    }

    func waitForRoom() async {
        await withCheckedContinuation { continuation in
            let waits = self.state.withLock { state in
                guard state.messages.count > self.capacity, !state.isEnded else { return false }
                state.senders.append(continuation)
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    /// The next message; nil after the end, and when the task is cancelled.
    func take() async -> String? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = Task.isCancelled
                let (now, senders) = self.state.withLock { state -> (String??, [CheckedContinuation<Void, Never>]) in
                    if !state.messages.isEmpty {
                        let message = state.messages.removeFirst()
                        return (message, Self.takeSenders(&state, self.capacity))
                    }
                    if state.isEnded || isCancelled || state.taker != nil { return (.some(nil), []) }
                    state.taker = continuation
                    return (nil, [])
                }
                for sender in senders { sender.resume() }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let taker = self.state.withLock { state in
                defer { state.taker = nil }
                return state.taker
            }
            taker?.resume(returning: nil)
        }
    }

    func end() {
        let (taker, senders) = self.state.withLock { state in
            state.isEnded = true
            defer { (state.taker, state.senders) = (nil, []) }
            return (state.taker, state.senders)
        }
        taker?.resume(returning: nil)
        for sender in senders { sender.resume() }
    }

    private static func takeSenders(_ state: inout State, _ capacity: Int) -> [CheckedContinuation<Void, Never>] {
        guard state.messages.count <= capacity else { return [] }
        defer { state.senders = [] }
        return state.senders
    }
}
