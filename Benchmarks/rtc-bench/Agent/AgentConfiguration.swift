import NIOCore
import WebRTC

/// What both sides configure alike.
struct AgentConfiguration: Sendable {
    let options: AgentOptions

    /// A connection buffers up to `high` bytes before the sender waits, until a quarter is left.
    var connection: RTCConfiguration {
        var limits = RTCLimits.defaults
        let high = max(1, self.options.integer("high", 4 << 20))
        limits.sendHighWatermark = high
        limits.sendLowWatermark = high / 4
        return RTCConfiguration(limits: limits)
    }

    var addressPolicy: RTCAddressPolicy {
        var policy = RTCAddressPolicy.defaults
        policy.addresses = [AgentOptions.address]
        return policy
    }

    /// Where a connection's tasks run: on its event loop, or with `pinned=0` on the threads of Swift's own pool.
    func executor(for eventLoop: any EventLoop) -> (any TaskExecutor)? {
        self.options.integer("pinned", 1) == 0 ? nil : EventLoopTaskExecutor(eventLoop)
    }
}
