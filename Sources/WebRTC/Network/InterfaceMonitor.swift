import NIOCore
import NIOPosix
import Synchronization

/// Notices that addresses of the host appear or vanish: one look every two seconds for the whole process, while anybody wants to know.
final class InterfaceMonitor: Sendable {
    static let shared = InterfaceMonitor()

    private struct State {
        var subscribers: [Int: @Sendable () -> Void] = [:]
        var nextNumber = 0
        var task: RepeatedTask?
        var known: Set<NetworkInterface> = []
    }

    private let state = Mutex(State())
    private static let interval = TimeAmount.seconds(2)

    /// Ends with its last reference.
    final class Subscription: Sendable {
        private let number: Int

        fileprivate init(number: Int) { self.number = number }

        deinit { InterfaceMonitor.shared.end(self.number) }
    }

    /// Calls `body`, on any thread, after every change.
    func subscribe(_ body: @escaping @Sendable () -> Void) -> Subscription {
        self.state.withLock { state in
            state.nextNumber += 1
            state.subscribers[state.nextNumber] = body
            if state.task == nil {
                state.known = Set(NetworkInterface.current())
                let loop = MultiThreadedEventLoopGroup.singleton.any()
                state.task = loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
                    InterfaceMonitor.shared.look()
                }
            }
            return Subscription(number: state.nextNumber)
        }
    }

    /// Compares what there is with what there was.
    func look() {
        let present = Set(NetworkInterface.current())
        let bodies = self.state.withLock { state -> [@Sendable () -> Void] in
            guard present != state.known else { return [] }
            state.known = present
            return Array(state.subscribers.values)
        }
        for body in bodies { body() }
    }

    private func end(_ number: Int) {
        let task = self.state.withLock { state -> RepeatedTask? in
            state.subscribers[number] = nil
            guard state.subscribers.isEmpty else { return nil }
            defer { state.task = nil }
            return state.task
        }
        task?.cancel()
    }
}
