import NIOCore
import NIOPosix
import RTCSignaling

/// Something that has to happen within a bounded time.
struct Opening: Sendable {
    private let promise: EventLoopPromise<Void>

    init(within timeout: TimeAmount) {
        let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        let promise = eventLoop.makePromise(of: Void.self)
        let timer = eventLoop.scheduleTask(in: timeout) {
            promise.fail(SignalingChannelError.connectionFailed(reason: "no answer in time"))
        }
        promise.futureResult.whenComplete { _ in timer.cancel() }
        self.promise = promise
    }

    /// It happened; what is said after the first time does nothing.
    func succeed() { self.promise.succeed() }

    /// It will not happen.
    func fail(_ error: SignalingChannelError) { self.promise.fail(error) }

    func wait() async throws(SignalingChannelError) {
        do {
            try await withTaskCancellationHandler {
                try await self.promise.futureResult.get()
            } onCancel: {
                self.promise.fail(SignalingChannelError.cancelled)
            }
        } catch {
            throw HTTPRequester.failure(error)
        }
    }
}
