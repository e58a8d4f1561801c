import NIOCore
import NIOPosix

/// Two event loops, one for each side of the pairs.
struct BenchLoops: Sendable {
    let near: any EventLoop
    let far: any EventLoop
    /// The far loop as a group of one.
    let farGroup: MultiThreadedEventLoopGroup

    init() {
        self.near = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        self.farGroup = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        self.far = self.farGroup.next()
    }

    /// Runs a task on the near loop.
    func onNear<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) -> Task<Result, any Error> {
        Task(executorPreference: EventLoopTaskExecutor(self.near)) { try await body() }
    }

    /// Runs a task on the far loop.
    func onFar<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) -> Task<Result, any Error> {
        Task(executorPreference: EventLoopTaskExecutor(self.far)) { try await body() }
    }
}
