public import NIOCore
public import RTCBase
public import RTCCore
import RTCSCTP
import Synchronization

/// A two-way channel of messages (W3C webrtc-pc section 6.2).
///
/// Messages that arrive are kept until they are read, so none is lost because nobody listened yet; a reader that is slow slows down the
/// peer. Sending suspends when too much waits, so nothing grows without bound.
public final class RTCDataChannel: Sendable {
    private struct State {
        var readyState = RTCDataChannelState.connecting
        var id: UInt16?
        var bufferedAmount = 0
        var lowThreshold = 0
        var senders: [CheckedContinuation<Void, Never>] = []
        var openers: [CheckedContinuation<Void, Never>] = []
        var closers: [CheckedContinuation<Void, Never>] = []
        var error: RTCError?
    }

    let handle: DataChannelHandle
    private let parameters: DataChannelParameters
    private let shared: PeerShared
    private let state: Mutex<State>
    private let queue: MessageQueue
    private let eventContinuation: AsyncStream<Event>.Continuation
    /// How many bytes the session had of this channel when it was last looked at. The event loop's own.
    let inTransport: NIOLoopBoundBox<Int>

    /// What happens to the channel, from the first event on. To be read by one task.
    public let events: AsyncStream<Event>

    /// What happened to a channel (W3C webrtc-pc section 6.2).
    public enum Event: Sendable {
        /// It may be used.
        case open
        /// No more than ``RTCDataChannel/bufferedAmountLowThreshold`` bytes wait any more.
        case bufferedAmountLow
        /// It is being closed.
        case closing
        /// It failed; ``close`` follows.
        case error(RTCError)
        /// It is closed; nothing follows.
        case close
    }

    init(handle: DataChannelHandle, parameters: DataChannelParameters, id: StreamID?, shared: PeerShared) {
        self.handle = handle
        self.parameters = parameters
        self.shared = shared
        self.inTransport = NIOLoopBoundBox.makeBoxSendingValue(0, eventLoop: shared.eventLoop)
        self.state = Mutex(State(id: id?.rawValue))
        self.queue = MessageQueue { [weak shared] bytes in shared?.post(.read(bytes: bytes)) }
        (self.events, self.eventContinuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
    }

    // MARK: Attributes

    /// The name its maker gave it.
    public var label: String { self.parameters.label }
    /// Whether messages arrive in order.
    public var ordered: Bool { self.parameters.ordered }
    /// How long a message is sent again, in milliseconds; `nil` without limit.
    public var maxPacketLifeTime: UInt16? { self.parameters.maxPacketLifeTime }
    /// How often a message is sent again; `nil` without limit.
    public var maxRetransmits: UInt16? { self.parameters.maxRetransmits }
    /// The subprotocol its maker gave it.
    public var `protocol`: String { self.parameters.`protocol` }
    /// Whether both sides made it, with an id agreed on elsewhere.
    public var negotiated: Bool { self.parameters.negotiated }
    /// How its messages compete with those of other channels (W3C webrtc-priority).
    public var priority: RTCPriorityType { RTCPriorityType(value: self.parameters.priority) }
    /// Its stream, `nil` until the DTLS role is known.
    public var id: UInt16? { self.state.withLock { $0.id } }
    /// Whether it can be used.
    public var readyState: RTCDataChannelState { self.state.withLock { $0.readyState } }
    /// Bytes that were given to `send` and not yet to the network.
    public var bufferedAmount: Int { self.state.withLock { $0.bufferedAmount } }
    /// The amount at which ``Event/bufferedAmountLow`` is sent. Default 0.
    public var bufferedAmountLowThreshold: Int {
        get { self.state.withLock { $0.lowThreshold } }
        set { self.state.withLock { $0.lowThreshold = max(0, newValue) } }
    }

    // MARK: Receiving

    /// The messages in the order they arrived. To be read by one task; ends when the channel is closed.
    public var messages: Messages { Messages(queue: self.queue) }

    // MARK: Sending

    /// Sends a text.
    ///
    /// Suspends until the channel is open, and while more than `RTCLimits.sendHighWatermark` bytes wait.
    ///
    /// - Throws: `RTCError.Code.invalidState` if the channel is closed or being closed, `RTCError.Code.type` for a message larger than
    ///   the peer takes.
    public func send(_ text: String) async throws(RTCError) {
        try await self.send(ByteBuffer(string: text), kind: .text)
    }

    /// Sends bytes. Otherwise like ``send(_:)-(String)``.
    public func send(_ bytes: ByteBuffer) async throws(RTCError) {
        try await self.send(bytes, kind: .binary)
    }

    /// Sends bytes. Otherwise like ``send(_:)-(String)``.
    public func send(_ bytes: some Collection<UInt8> & Sendable) async throws(RTCError) {
        try await self.send(ByteBuffer(bytes: bytes), kind: .binary)
    }

    /// Sends a message as it was received: text as text, bytes as bytes.
    public func send(_ message: RTCDataChannelMessage) async throws(RTCError) {
        try await self.send(message.bytes, kind: message.kind)
    }

    /// Sends a message if there is room for it now.
    ///
    /// - Returns: `false` if more than `RTCLimits.sendHighWatermark` bytes wait; the message was not taken.
    /// - Throws: as ``send(_:)-(String)``.
    public func trySend(_ message: RTCDataChannelMessage) throws(RTCError) -> Bool {
        guard self.bufferedAmount < self.shared.limits.sendHighWatermark else { return false }
        _ = try self.enqueue(message.bytes, kind: message.kind)
        return true
    }

    /// Sends a message at once, whatever waits already: what W3C's `send` does. Nothing but the caller bounds the memory this takes;
    /// look at ``bufferedAmount``.
    public func sendUnbounded(_ message: RTCDataChannelMessage) throws(RTCError) {
        _ = try self.enqueue(message.bytes, kind: message.kind)
    }

    private func send(_ bytes: ByteBuffer, kind: RTCDataChannelMessage.Kind) async throws(RTCError) {
        // A channel is announced a moment before it is open; whoever waits anyway waits for that too.
        if self.readyState == .connecting { try await self.waitUntilOpen() }
        let buffered = try self.enqueue(bytes, kind: kind)
        guard buffered > self.shared.limits.sendHighWatermark else { return }
        await self.waitForRoom()
    }

    private func enqueue(_ bytes: ByteBuffer, kind: RTCDataChannelMessage.Kind) throws(RTCError) -> Int {
        let size = bytes.readableBytes
        let largest = self.shared.maximumMessageSize
        guard size <= largest else {
            throw RTCError(.type, "a message of \(size) bytes is larger than the \(largest) bytes that the peer takes")
        }
        // Accepting and queueing are one step, so that messages of several tasks leave in the order of their acceptance.
        let (buffered, state) = self.state.withLock { state -> (Int, RTCDataChannelState) in
            guard state.readyState == .open else { return (0, state.readyState) }
            state.bufferedAmount += size
            self.shared.post(.send(self, kind.wire, bytes))
            return (state.bufferedAmount, .open)
        }
        guard state == .open else {
            throw RTCError(.invalidState, "the channel is \(state.rawValue), not open")
        }
        return buffered
    }

    private func waitForRoom() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goOn = self.state.withLock { state -> Bool in
                    let isFull = state.bufferedAmount > self.shared.limits.sendLowWatermark
                    guard isFull, state.readyState == .open, !Task.isCancelled else { return true }
                    state.senders.append(continuation)
                    return false
                }
                if goOn { continuation.resume() }
            }
        } onCancel: {
            self.resumeSenders()
        }
    }

    private func resumeSenders() {
        let senders = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            defer { state.senders = [] }
            return state.senders
        }
        for sender in senders { sender.resume() }
    }

    // MARK: Opening and closing

    /// Waits until the channel is open.
    ///
    /// - Throws: `RTCError.Code.invalidState` if it is closed before, `RTCError.Code.abort` if the task is cancelled.
    public func waitUntilOpen() async throws(RTCError) {
        while true {
            let (state, error) = self.state.withLock { ($0.readyState, $0.error) }
            switch state {
            case .open: return
            case .closing, .closed: throw error ?? RTCError(.invalidState, "the channel is \(state.rawValue)")
            case .connecting: break
            }
            if Task.isCancelled { throw RTCError(.abort, "the task was cancelled before the channel was open") }
            await self.waitForChange(\.openers, while: .connecting)
        }
    }

    /// Waits until the state is no longer `state`, until the task is cancelled, or until another waiter's is.
    private func waitForChange(
        _ list: any WritableKeyPath<State, [CheckedContinuation<Void, Never>]> & Sendable,
        while state: RTCDataChannelState
    ) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goOn = self.state.withLock { current -> Bool in
                    guard current.readyState == state, !Task.isCancelled else { return true }
                    current[keyPath: list].append(continuation)
                    return false
                }
                if goOn { continuation.resume() }
            }
        } onCancel: {
            let waiting = self.state.withLock { current -> [CheckedContinuation<Void, Never>] in
                defer { current[keyPath: list] = [] }
                return current[keyPath: list]
            }
            for continuation in waiting { continuation.resume() }
        }
    }

    /// Begins to close the channel: what was sent still arrives (W3C webrtc-pc section 6.2). Does not wait; ``waitUntilClosed()`` does.
    public func close() {
        let begins = self.state.withLock { state -> Bool in
            guard state.readyState == .connecting || state.readyState == .open else { return false }
            state.readyState = .closing
            self.shared.post(.close(self.handle))
            return true
        }
        if begins { self.resumeSenders() }
    }

    /// Closes the channel and drops what was not sent yet.
    public func abort() {
        self.state.withLock { state in
            guard state.readyState != .closed else { return }
            state.readyState = .closing
            self.shared.post(.abort(self.handle))
        }
        self.resumeSenders()
    }

    /// Waits until the channel is closed by either side, or the task is cancelled.
    public func waitUntilClosed() async {
        while !Task.isCancelled {
            let state = self.readyState
            if state == .closed { return }
            await self.waitForChange(\.closers, while: state)
        }
    }
}

// MARK: - What the event loop reports

extension RTCDataChannel {
    func receive(_ messages: [DataChannelMessage]) { self.queue.append(messages) }

    func sent(bytes: Int) {
        var isLow = false
        let senders = self.state.withLock { state -> [CheckedContinuation<Void, Never>] in
            let before = state.bufferedAmount
            // Kept after the end, as W3C asks (webrtc-pc section 6.2, `bufferedAmount`).
            guard state.readyState != .closed else { return [] }
            state.bufferedAmount -= bytes
            isLow = before > state.lowThreshold && state.bufferedAmount <= state.lowThreshold
            guard state.bufferedAmount <= self.shared.limits.sendLowWatermark else { return [] }
            defer { state.senders = [] }
            return state.senders
        }
        for sender in senders { sender.resume() }
        if isLow { self.eventContinuation.yield(.bufferedAmountLow) }
    }

    func assign(_ id: StreamID) { self.state.withLock { $0.id = id.rawValue } }

    func opened() {
        let openers = self.state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            guard state.readyState == .connecting else { return nil }
            state.readyState = .open
            defer {
                state.openers = []
                state.closers = []
            }
            return state.openers + state.closers
        }
        guard let openers else { return }
        self.eventContinuation.yield(.open)
        for opener in openers { opener.resume() }
    }

    /// The peer began to close, or this side did.
    func closing() {
        self.state.withLock { state in
            if state.readyState != .closed { state.readyState = .closing }
        }
        self.resumeSenders()
        self.eventContinuation.yield(.closing)
    }

    func closed(_ error: RTCError?) {
        let waiting = self.state.withLock { state -> [CheckedContinuation<Void, Never>]? in
            guard state.readyState != .closed else { return nil }
            state.readyState = .closed
            state.error = error
            defer {
                state.senders = []
                state.openers = []
                state.closers = []
            }
            return state.senders + state.openers + state.closers
        }
        guard let waiting else { return }
        self.queue.finish(throwing: error)
        if let error { self.eventContinuation.yield(.error(error)) }
        self.eventContinuation.yield(.close)
        self.eventContinuation.finish()
        for continuation in waiting { continuation.resume() }
    }
}
