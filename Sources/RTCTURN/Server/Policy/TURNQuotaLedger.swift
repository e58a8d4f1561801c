internal import NIOCore
internal import RTCBase
internal import Synchronization

/// How many allocations there are in all and for each user, and how much a user sends; shared by the cores of one server.
///
/// This is the one place of the server core with a lock, since users are not bound to a core. It is taken when allocations
/// come and go, and for each packet only where users have a bandwidth limit.
public final class TURNQuotaLedger: Sendable {
    /// Upper bounds.
    public struct Limits: Sendable, Hashable {
        /// Allocations in all. Default 10,000.
        public var allocations: Int
        /// Allocations of one user. Default 100.
        public var allocationsPerUser: Int
        /// Bytes a second of one user in each direction; `nil`, the default, for no limit.
        public var bytesPerSecondPerUser: Int?

        /// Limits.
        public init(allocations: Int = 10_000, allocationsPerUser: Int = 100, bytesPerSecondPerUser: Int? = nil) {
            self.allocations = allocations
            self.allocationsPerUser = allocationsPerUser
            self.bytesPerSecondPerUser = bytesPerSecondPerUser
        }
    }

    enum Refusal: Sendable {
        case user
        case total
    }

    private struct User {
        var allocations = 0
        var toPeers: RateBucket
        var toClient: RateBucket
    }

    private struct State {
        var users: [String: User] = [:]
        /// Users without allocations, whose buckets are not full again before these times.
        var leaving: CircularBuffer<(user: String, until: NIODeadline)> = []
        var total = 0

        /// Forgets users who have left and whose buckets are full.
        mutating func purge(now: NIODeadline) {
            while let first = self.leaving.first, first.until <= now {
                self.leaving.removeFirst()
                if self.users[first.user]?.allocations == 0 { self.users[first.user] = nil }
            }
        }
    }

    /// The limits.
    public let limits: Limits
    private let state = Mutex(State())

    /// A ledger without entries.
    public init(limits: Limits = Limits()) { self.limits = limits }

    /// How many allocations there are.
    public var allocationCount: Int { self.state.withLock { $0.total } }

    func reserve(for user: String, now: NIODeadline) -> Refusal? {
        self.state.withLock { state in
            state.purge(now: now)
            guard state.total < self.limits.allocations else { return .total }
            let rate = self.limits.bytesPerSecondPerUser ?? 0
            let bucket = RateBucket(burst: rate, now: now)
            var entry = state.users[user] ?? User(toPeers: bucket, toClient: bucket)
            guard entry.allocations < self.limits.allocationsPerUser else { return .user }
            entry.allocations += 1
            state.users[user] = entry
            state.total += 1
            return nil
        }
    }

    func release(_ user: String, now: NIODeadline) {
        self.state.withLock { state in
            state.purge(now: now)
            guard var entry = state.users[user] else { return }
            state.total -= 1
            entry.allocations -= 1
            let isBounded = self.limits.bytesPerSecondPerUser != nil
            state.users[user] = entry.allocations > 0 || isBounded ? entry : nil
            // Whoever comes back at once does not find full buckets.
            if entry.allocations == 0, isBounded { state.leaving.append((user, now + .seconds(1))) }
        }
    }

    /// Whether so many bytes of a user may pass.
    func take(_ bytes: Int, of user: String, toPeers: Bool, now: NIODeadline) -> Bool {
        guard let rate = self.limits.bytesPerSecondPerUser else { return true }
        return self.state.withLock { state in
            let path: WritableKeyPath<User, RateBucket> = toPeers ? \.toPeers : \.toClient
            return state.users[user]?[keyPath: path].take(bytes, perSecond: rate, now: now) ?? true
        }
    }
}
