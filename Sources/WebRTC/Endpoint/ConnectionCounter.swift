import Synchronization

/// How many connections an endpoint has, over all of its event loops.
final class ConnectionCounter: Sendable {
    private let count = Atomic(0)

    /// Counts one more, unless there are `limit` already.
    func reserve(limit: Int) -> Bool {
        if self.count.wrappingAdd(1, ordering: .relaxed).oldValue < limit { return true }
        self.release()
        return false
    }

    /// Counts one less.
    func release() { self.count.wrappingSubtract(1, ordering: .relaxed) }
}
