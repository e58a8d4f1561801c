import NIOCore
import NIOPosix
import RTCSCTP
import Synchronization

/// Drives the SCTP engine's timers, which are one list for the whole process, while any connection lives.
enum SCTPTicker {
    private struct State {
        var users = 0
        var task: RepeatedTask?
    }

    private static let state = Mutex(State())
    private static let interval = TimeAmount.milliseconds(10)
    /// Time that the process did not get is not given to the timers: they would expire for want of acknowledgements that wait
    /// in the sockets, and every sender would begin anew with one packet.
    private static let largestStep = 20

    /// Keeps the ticker going until ``release()``.
    static func retain() {
        Self.state.withLock { state in
            state.users += 1
            guard state.task == nil else { return }
            let loop = MultiThreadedEventLoopGroup.singleton.next()
            let last = Mutex(NIODeadline.now())
            state.task = loop.scheduleRepeatedTask(initialDelay: Self.interval, delay: Self.interval) { _ in
                let elapsed = last.withLock { last -> Int in
                    let now = NIODeadline.now()
                    let milliseconds = Int((now - last).nanoseconds / 1_000_000)
                    last = last + .milliseconds(Int64(milliseconds))
                    return milliseconds
                }
                guard elapsed > 0, SCTPRuntime.drivenAssociations > 0 else { return }
                SCTPRuntime.advance(milliseconds: min(elapsed, Self.largestStep))
            }
        }
    }

    /// Ends one use; the ticker stops with the last.
    static func release() {
        let ended = Self.state.withLock { state -> RepeatedTask? in
            state.users -= 1
            guard state.users == 0 else { return nil }
            defer { state.task = nil }
            return state.task
        }
        ended?.cancel()
    }
}
