import NIOCore
import RTCSignaling
import Synchronization

/// Drives a ``RoomSession`` over real channels.
final class RoomDriver: Sendable {
    /// A channel that is being opened or used.
    private struct Link {
        var number: Int
        var task: Task<Void, Never>
        var texts: AsyncStream<String>.Continuation
        var isOpen = false
    }

    private struct State {
        var session: RoomSession
        var link: Link?
        var joiner: CheckedContinuation<Result<[RoomMember], RoomError>, Never>?
        var isPumping = false
        /// The driver itself while it leaves: its client may be gone before its last words.
        var leaving: RoomDriver?
    }

    private let queue: EventQueue<RoomEvent>
    private let open: RoomClient.Opening
    private let state: Mutex<State>
    private let wakeUp = WakeUp()

    init(_ session: RoomSession, queue: EventQueue<RoomEvent>, open: @escaping RoomClient.Opening) {
        self.queue = queue
        self.open = open
        self.state = Mutex(State(session: session))
    }

    var member: RoomMember? { self.state.withLock { $0.session.isEnded ? nil : $0.session.member } }
    var members: [RoomMember] { self.state.withLock { $0.session.members } }

    func join() async throws(RoomError) -> [RoomMember] {
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                var isOver = false
                self.perform { state in
                    // Left before it began, by a task that was cancelled for example: nothing would end the wait.
                    isOver = state.session.isEnded
                    guard !isOver else { return }
                    state.joiner = continuation
                    if Task.isCancelled { state.session.leave(now: .now()) } else { state.session.start(now: .now()) }
                }
                if isOver { continuation.resume(returning: .failure(.cancelled)) }
            }
        } onCancel: {
            self.leave()
        }
        return try result.get()
    }

    func send(_ message: RoomMessage, to recipient: RoomRecipient) throws(RoomError) {
        var failure: RoomError?
        self.perform { state in
            do throws(RoomError) {
                try state.session.send(message, to: recipient, now: .now())
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    func leave() {
        self.perform { state in
            state.session.leave(now: .now())
            if !state.session.isEnded { state.leaving = self }
        }
    }

    // MARK: Driving

    private func perform(_ change: (inout State) -> Void) {
        let mustPump = self.state.withLock { state in
            change(&state)
            defer { state.isPumping = true }
            return !state.isPumping
        }
        guard mustPump else { return }
        while true {
            let (output, nextTimeout) = self.state.withLock { state in
                let output = state.session.poll()
                if output == nil { state.isPumping = false }
                return (output, state.session.nextTimeout)
            }
            guard let output else {
                return self.wakeUp.set(nextTimeout) { [weak self] in
                    self?.perform { $0.session.handleTimeout(now: .now()) }
                }
            }
            self.perform(output)
        }
    }

    private func perform(_ output: RoomSession.Output) {
        switch output {
        case .open(let number): self.openLink(number)
        case .transmit(let number, let text):
            let link = self.state.withLock { $0.link }
            if link?.number == number { link?.texts.yield(text) }
        case .close(let number): self.closeLink(number)
        case .event(let event): self.report(event)
        }
    }

    private func report(_ event: RoomEvent) {
        self.queue.put(event)
        switch event {
        case .joined(_, let others): self.takeJoiner()?.resume(returning: .success(others))
        case .ended(let error):
            self.queue.finish()
            self.wakeUp.cancel()
            self.state.withLock { $0.leaving = nil }
            self.takeJoiner()?.resume(returning: .failure(error ?? .cancelled))
        case .memberJoined, .memberLeft, .message, .interrupted, .resumed, .rejoined: break
        }
    }

    private func takeJoiner() -> CheckedContinuation<Result<[RoomMember], RoomError>, Never>? {
        self.state.withLock { state in
            defer { state.joiner = nil }
            return state.joiner
        }
    }

    // MARK: Channels

    private func openLink(_ number: Int) {
        // Bounded by what the session keeps, and by its answers to what is read.
        let (texts, continuation) = AsyncStream.makeStream(of: String.self)
        let (open, queue) = (self.open, self.queue)
        self.state.withLock { state in
            // Begun with the lock held: what it reports must find its link.
            let task = Task { [weak self] in
                let channel: any SignalingChannel
                do throws(SignalingChannelError) {
                    channel = try await open()
                } catch {
                    self?.perform { $0.session.channelFailed(number, error, now: .now()) }
                    return
                }
                self?.perform { state in
                    if state.link?.number == number { state.link?.isOpen = true }
                    state.session.channelOpened(number, now: .now())
                }
                await withDiscardingTaskGroup { group in
                    group.addTask { await Self.send(texts, over: channel) }
                    var end = SignalingChannelError.closed(code: nil, reason: "")
                    do throws(SignalingChannelError) {
                        while let text = try await channel.receive() {
                            self?.perform { $0.session.receive(text, from: number, now: .now()) }
                            await queue.waitForRoom()
                        }
                    } catch {
                        end = error
                    }
                    continuation.finish()
                    self?.perform { $0.session.channelFailed(number, end, now: .now()) }
                }
            }
            state.link = Link(number: number, task: task, texts: continuation)
        }
    }

    /// Sends until the texts end or the channel breaks, and closes it.
    private static func send(_ texts: AsyncStream<String>, over channel: any SignalingChannel) async {
        for await text in texts {
            guard (try? await channel.send(text)) != nil else { break }
        }
        await channel.close()
    }

    /// Lets a channel end after what was sent, but not for ever.
    private func closeLink(_ number: Int) {
        let link = self.state.withLock { state -> Link? in
            guard state.link?.number == number else { return nil }
            defer { state.link = nil }
            return state.link
        }
        guard let link else { return }
        link.texts.finish()
        guard link.isOpen else { return link.task.cancel() }
        Task {
            try? await Task.sleep(for: .seconds(5))
            link.task.cancel()
        }
    }
}
