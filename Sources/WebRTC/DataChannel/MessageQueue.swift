import NIOCore
import RTCBase
import RTCSCTP
import Synchronization

/// The received messages of one channel, between the event loop that writes and the task that reads.
///
/// Messages are kept until they are read: what limits them is the SCTP window, which the connection closes when the unread bytes
/// pass a watermark.
final class MessageQueue: Sendable {
    private struct State {
        var messages: [DataChannelMessage] = []
        var bytes = 0
        var end: End?
        var reader: CheckedContinuation<Void, Never>?
    }

    /// How the messages end.
    private enum End {
        case finished
        case failed(RTCError)
    }

    private let state = Mutex(State())
    /// Told how many bytes were taken.
    private let onTake: @Sendable (Int) -> Void

    init(onTake: @escaping @Sendable (Int) -> Void) { self.onTake = onTake }

    /// Adds messages and wakes the reader.
    func append(_ messages: [DataChannelMessage]) {
        let bytes = messages.reduce(0) { $0 + $1.bytes.readableBytes }
        let reader = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.end == nil else { return nil }
            if state.messages.isEmpty {
                state.messages = messages
            } else {
                state.messages += messages
            }
            state.bytes += bytes
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// Ends the messages after those that wait; `error` is thrown to the reader then.
    func finish(throwing error: RTCError?) {
        let reader = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard state.end == nil else { return nil }
            state.end = error.map(End.failed) ?? .finished
            defer { state.reader = nil }
            return state.reader
        }
        reader?.resume()
    }

    /// Takes all waiting messages into `batch`, which is empty; waits while there are none.
    ///
    /// - Returns: `false` at the end.
    func take(
        into batch: inout [DataChannelMessage],
        isolation: isolated (any Actor)? = #isolation
    ) async throws(RTCError) -> Bool {
        while true {
            if let taken = try self.takeNow(into: &batch) { return taken }
            await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    let resumeNow = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                        guard state.messages.isEmpty, state.end == nil, !Task.isCancelled else { return continuation }
                        // A second reader takes the place of the first, which looks again and waits anew.
                        defer { state.reader = continuation }
                        return state.reader
                    }
                    resumeNow?.resume()
                }
            } onCancel: {
                let reader = self.state.withLock { state -> CheckedContinuation<Void, Never>? in
                    defer { state.reader = nil }
                    return state.reader
                }
                reader?.resume()
            }
            if Task.isCancelled { return false }
        }
    }

    /// `nil` if the caller must wait.
    private func takeNow(into batch: inout [DataChannelMessage]) throws(RTCError) -> Bool? {
        var bytes = 0
        var end: End?
        self.state.withLock { state in
            swap(&batch, &state.messages)
            bytes = state.bytes
            state.bytes = 0
            end = state.end
        }
        if !batch.isEmpty {
            self.onTake(bytes)
            return true
        }
        switch end {
        case .finished: return false
        case .failed(let error): throw error
        case nil: return nil
        }
    }
}
