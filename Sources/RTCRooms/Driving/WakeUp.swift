package import NIOCore
import Synchronization

/// One wake-up that moves: later deadlines cost nothing, as it only wakes early and looks again.
package final class WakeUp: Sendable {
    private struct Pending {
        var deadline: NIODeadline
        var task: Task<Void, Never>
    }

    private let pending = Mutex<Pending?>(nil)

    package init() {}

    deinit { self.cancel() }

    package func cancel() {
        self.pending.withLock { pending in
            pending?.task.cancel()
            pending = nil
        }
    }

    /// Calls `wake` no later than `deadline`; with nil nothing changes, as others may have set a deadline meanwhile.
    package func set(_ deadline: NIODeadline?, wake: @escaping @Sendable () -> Void) {
        self.pending.withLock { pending in
            guard let deadline, pending.map({ $0.deadline > deadline }) ?? true else { return }
            pending?.task.cancel()
            let task = Task { [weak self] in
                let wait = max(0, (deadline - .now()).nanoseconds)
                guard (try? await Task.sleep(for: .nanoseconds(wait))) != nil else { return }
                self?.pending.withLock { if $0?.deadline == deadline { $0 = nil } }
                wake()
            }
            pending = Pending(deadline: deadline, task: task)
        }
    }
}
