package import NIOCore

/// One wake-up on an event loop that moves: later deadlines cost nothing, as the timer only wakes early and looks again.
package final class LoopTimer {
    private let eventLoop: any EventLoop
    private var scheduled: (deadline: NIODeadline, task: Scheduled<Void>)?

    package init(eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Calls `wake` no later than `deadline`; with nil nothing is called.
    package func set(_ deadline: NIODeadline?, wake: @escaping () -> Void) {
        guard let deadline else { return self.cancel() }
        if let scheduled = self.scheduled, scheduled.deadline <= deadline { return }
        self.cancel()
        let task = self.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.scheduled = nil
            wake()
        }
        self.scheduled = (deadline, task)
    }

    package func cancel() {
        self.scheduled?.task.cancel()
        self.scheduled = nil
    }
}
