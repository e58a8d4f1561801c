import NIOCore
import NIOPosix
import RTCSignaling
import Synchronization

/// Drives a ``STOMPClientConnection`` on a carrier: one task reads, one writes, and a timer.
final class STOMPClientCore: Sendable {
    private struct State {
        var connection: STOMPClientConnection
        var subscriptions: [String: STOMPClient.Subscription] = [:]
        /// The names of subscriptions, in the order in which they came.
        var names: [String] = []
        var receipts: [String: EventLoopPromise<Void>] = [:]
        var nextName = 0
        /// Whether the end of the connection is what the owner wants.
        var isLeaving = false
        var end: STOMPClientError?
        var reader: Task<Void, Never>?
        var writer: Task<Void, Never>?
        var timer: Scheduled<Void>?
    }

    private let carrier: any ByteCarrier
    private let outbox: Outbox<ByteBuffer>
    private let toSend = Signal()
    private let room = Signal()
    private let eventLoop: any EventLoop
    private let connectedPromise: EventLoopPromise<STOMPFrame>
    private let state: Mutex<State>
    private let configuration: STOMPClientConfiguration

    init(_ carrier: any ByteCarrier, host: String, _ configuration: STOMPClientConfiguration) {
        self.carrier = carrier
        self.configuration = configuration
        self.outbox = Outbox(limit: configuration.sendBuffer)
        self.eventLoop = MultiThreadedEventLoopGroup.singleton.any()
        self.connectedPromise = self.eventLoop.makePromise()
        let connection = STOMPClientConnection(host: host, configuration: configuration, now: .now())
        self.state = Mutex(State(connection: connection))
    }

    var version: STOMPVersion { self.state.withLock { $0.connection.version } }

    var requests: [STOMPClient.SubscriptionRequest] {
        self.state.withLock { state in state.names.compactMap { state.subscriptions[$0]?.request } }
    }

    func makeName(_ kind: String) -> String {
        self.state.withLock { state in
            state.nextName += 1
            return "\(kind)-\(state.nextName)"
        }
    }

    func start() {
        self.state.withLock { state in
            state.reader = Task { await self.readAll() }
            state.writer = Task { await self.writeAll() }
        }
        self.change { _ in }
    }

    func connected() async throws(STOMPClientError) -> STOMPFrame { try await Self.wait(self.connectedPromise) }

    // MARK: Frames

    /// Sends a frame; suspends while too much waits to be sent.
    ///
    /// - Parameter confirmed: Whether to wait for the broker's receipt.
    func send(_ frame: STOMPFrame, confirmed: Bool = false) async throws(STOMPClientError) {
        var frame = frame
        var receipt: EventLoopPromise<Void>?
        if confirmed {
            let name = self.makeName("receipt")
            frame.headers.append(.init("receipt", name))
            let promise = self.eventLoop.makePromise(of: Void.self)
            let end = self.state.withLock { state in
                if state.end == nil { state.receipts[name] = promise }
                return state.end
            }
            if let end { promise.fail(end) }
            receipt = promise
        }
        let bytes = self.state.withLock { $0.connection.encode(frame, now: .now()) }
        do throws(SignalingChannelError) {
            try await self.outbox.send(bytes, size: bytes.readableBytes) { self.toSend.raise() }
        } catch {
            let error = self.state.withLock { $0.end } ?? STOMPClientError(error)
            receipt?.fail(error)
            throw error
        }
        if let receipt { try await Self.wait(receipt) }
    }

    func subscribe(
        _ request: STOMPClient.SubscriptionRequest,
        confirmed: Bool
    ) async throws(STOMPClientError) -> STOMPClient.Subscription {
        let name = self.makeName("subscription")
        let subscription = STOMPClient.Subscription(
            request,
            id: name,
            hasRoom: { [weak self] in self?.room.raise() },
            end: { [weak self] in self?.state.withLock { $0.end } }
        )
        let end = self.state.withLock { state in
            if state.end == nil {
                state.subscriptions[name] = subscription
                state.names.append(name)
            }
            return state.end
        }
        if let end { throw end }
        let headers: [STOMPFrame.Header] = [
            .init("id", name), .init("destination", request.destination), .init("ack", request.ackMode.rawValue),
        ]
        do throws(STOMPClientError) {
            try await self.send(STOMPFrame("SUBSCRIBE", headers + request.headers), confirmed: confirmed)
        } catch {
            if error == .cancelled { self.forget(name)?.inbox.finish(nil) }
            throw error
        }
        return subscription
    }

    func unsubscribe(_ subscription: STOMPClient.Subscription) async throws(STOMPClientError) {
        guard self.forget(subscription.id) != nil else { return }
        subscription.inbox.finish(nil)
        // Whoever read it may have left the connection waiting.
        self.room.raise()
        let headers: [STOMPFrame.Header] = [
            .init("id", subscription.id), .init("destination", subscription.request.destination),
        ]
        try await self.send(STOMPFrame("UNSUBSCRIBE", headers))
    }

    private func forget(_ name: String) -> STOMPClient.Subscription? {
        self.state.withLock { state in
            state.names.removeAll { $0 == name }
            return state.subscriptions.removeValue(forKey: name)
        }
    }

    // MARK: Driving

    private func readAll() async {
        while !Task.isCancelled {
            do throws(SignalingChannelError) {
                guard let bytes = try await self.carrier.receiveBytes() else {
                    self.change { $0.receiveEnd() }
                    return
                }
                let waiting = self.change { $0.receive(bytes, now: .now()) }
                guard !waiting.isEmpty else { continue }
                self.change { $0.setReading(false, now: .now()) }
                while !Task.isCancelled, waiting.contains(where: self.isFull) { await self.room.wait() }
                self.change { $0.setReading(true, now: .now()) }
            } catch {
                return await self.end(STOMPClientError(error))
            }
        }
    }

    private func isFull(_ name: String) -> Bool {
        self.state.withLock { $0.subscriptions[name] }?.inbox.isPaused == true
    }

    private func writeAll() async {
        var isOver = false
        while !isOver, !Task.isCancelled {
            await self.toSend.wait()
            isOver = self.outbox.isFinished
            var inFlight = 0
            while case let pieces = self.outbox.take(), !pieces.isEmpty {
                inFlight = pieces.reduce(0) { $0 + $1.readableBytes }
                for bytes in pieces {
                    do throws(SignalingChannelError) {
                        try await self.carrier.send(bytes)
                    } catch {
                        return await self.end(STOMPClientError(error))
                    }
                    inFlight -= bytes.readableBytes
                    _ = self.outbox.setInFlight(inFlight)
                }
            }
        }
    }

    /// Changes the connection and does what comes of it.
    ///
    /// - Returns: The subscriptions whose readers have more waiting than they should.
    @discardableResult
    private func change(_ change: (inout STOMPClientConnection) -> Void) -> Set<String> {
        var full: Set<String> = []
        var ending: STOMPClientConnection.End?
        // All under one lock: frames must leave in the order in which the connection gave them.
        self.state.withLock { state in
            change(&state.connection)
            while let output = state.connection.poll() {
                switch output {
                case .transmit(let bytes):
                    self.outbox.append(bytes, size: bytes.readableBytes)
                    self.toSend.raise()
                case .connected(let frame): self.connectedPromise.succeed(frame)
                case .message(let frame):
                    guard let subscription = Self.subscription(of: frame, state) else { continue }
                    if !subscription.inbox.add(STOMPClient.Message(frame)) { full.insert(subscription.id) }
                case .receipt(let name): state.receipts.removeValue(forKey: name)?.succeed()
                case .closed(let end): ending = end
                }
            }
            self.schedule(&state)
        }
        if let ending {
            let error = STOMPClientError(ending)
            Task { await self.end(error) }
        }
        return full
    }

    /// Brokers of 1.0 may name the destination only.
    private static func subscription(of frame: STOMPFrame, _ state: borrowing State) -> STOMPClient.Subscription? {
        if let name = frame["subscription"] { return state.subscriptions[name] }
        let destination = frame["destination"]
        for name in state.names where state.subscriptions[name]?.request.destination == destination {
            return state.subscriptions[name]
        }
        return nil
    }

    private func schedule(_ state: inout State) {
        state.timer?.cancel()
        guard state.end == nil, let deadline = state.connection.nextTimeout else {
            state.timer = nil
            return
        }
        state.timer = self.eventLoop.scheduleTask(deadline: deadline) { [weak self] in
            self?.change { $0.handleTimeout(now: .now()) }
        }
    }

    // MARK: Ends

    func disconnect() async {
        self.state.withLock { $0.isLeaving = true }
        let timeout = self.eventLoop.scheduleTask(in: self.configuration.disconnectTimeout) {
            Task { await self.end(.disconnected) }
        }
        // Whatever comes of it, the connection is over then.
        try? await self.send(STOMPFrame("DISCONNECT"), confirmed: true)
        timeout.cancel()
        await self.end(.disconnected)
    }

    /// The connection is over, for everybody who waits for something of it.
    func end(_ error: STOMPClientError) async {
        let taken = self.state.withLock { state -> State? in
            guard state.end == nil else { return nil }
            state.end = state.isLeaving ? .disconnected : error
            state.timer?.cancel()
            return state
        }
        guard let taken, let error = taken.end else { return }
        self.connectedPromise.fail(error)
        self.state.withLock { $0.receipts = [:] }
        for receipt in taken.receipts.values { receipt.fail(error) }
        let channelError: SignalingChannelError? =
            switch error {
            case .disconnected: nil
            case .channel(let error): error
            case .server(let message, _, _): .closed(code: nil, reason: message)
            case .invalidArgument, .cancelled: .closed(code: nil, reason: error.description)
            }
        for subscription in taken.subscriptions.values { subscription.inbox.finish(channelError) }
        self.outbox.finish(channelError ?? .closed(code: nil, reason: "here"))
        self.room.raise()
        taken.reader?.cancel()
        taken.writer?.cancel()
        await self.carrier.close()
    }

    private static func wait<Value: Sendable>(
        _ promise: EventLoopPromise<Value>
    ) async throws(STOMPClientError) -> Value {
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                promise.fail(STOMPClientError.cancelled)
            }
        } catch let error as STOMPClientError {
            throw error
        } catch {
            throw .channel(.connectionFailed(reason: "\(error)"))
        }
    }
}
