import NIOCore
import RTCSignaling
import Synchronization

// What the client has to say.

extension SocketIOClientDriver {
    func emit(_ name: String, _ arguments: [SocketIOValue], to id: SocketID) async throws(SocketIOClientError) {
        try await self.submit { (state) throws(SocketIOClientError) in
            try state.session.emit(name, arguments, to: id, now: .now())
        }
    }

    func acknowledge(
        _ event: SocketIOClientSession.Incoming,
        _ arguments: [SocketIOValue],
        to id: SocketID
    ) async throws(SocketIOClientError) {
        try await self.submit { (state) throws(SocketIOClientError) in
            try state.session.acknowledge(event, arguments, to: id, now: .now())
        }
    }

    /// Sends an event, and waits for its acknowledgement.
    func ask(
        _ name: String,
        _ arguments: [SocketIOValue],
        to id: SocketID,
        timeout: TimeAmount
    ) async throws(SocketIOClientError) -> [SocketIOValue] {
        let number = Mutex<UInt64>(0)
        let deadline = NIODeadline.now() + timeout
        try await self.submit(until: deadline) { (state) throws(SocketIOClientError) in
            guard deadline > .now() else { throw .timedOut }
            let asked = try state.session.emit(name, arguments, to: id, acknowledgedBy: deadline, now: .now())
            guard let asked else { return }
            state.answers[asked] = .expected
            number.withLock { $0 = asked }
        }
        let asked = number.withLock { $0 }
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter<[SocketIOValue]>) in
                let answer = self.state.withLock { state -> Result<[SocketIOValue], SocketIOClientError>? in
                    if case .there(let answer)? = state.answers[asked] {
                        state.answers[asked] = nil
                        return answer
                    }
                    state.answers[asked] = .awaited(waiter)
                    return nil
                }
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            self.change { $0.session.forget(asked, now: .now()) }
        }
        return try answer.get()
    }

    /// Changes the session by something that needs room, once there is; refuses while there is neither room nor a session, and when
    /// there is no room in time.
    private func submit(
        until deadline: NIODeadline? = nil,
        _ change: @escaping Change
    ) async throws(SocketIOClientError) {
        let id = self.state.withLock { state in
            state.nextSender += 1
            return state.nextSender
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (waiter: Waiter<Void>) in
                self.change { state in
                    if Task.isCancelled { return waiter.resume(returning: .failure(.cancelled)) }
                    // Those that came before go first; who has waited is let in where there is room.
                    state.senders.append(Sender(id: id, change: change, waiter: waiter))
                    state.senderDeadlines.set(deadline, for: id)
                    Self.admitSenders(&state)
                }
            }
        } onCancel: {
            let sender = self.state.withLock { Self.removeSender(id, &$0) }
            sender?.waiter.resume(returning: .failure(.cancelled))
        }
        try result.get()
    }

    private static func removeSender(_ id: UInt64, _ state: inout State) -> Sender? {
        state.senderDeadlines.set(nil, for: id)
        guard let index = state.senders.firstIndex(where: { $0.id == id }) else { return nil }
        return state.senders.remove(at: index)
    }

    /// Who has waited for room for too long does not send any more.
    static func dismissSenders(_ state: inout State, now: NIODeadline) {
        while let id = state.senderDeadlines.popDue(now: now) {
            Self.removeSender(id, &state)?.waiter.resume(returning: .failure(.timedOut))
        }
    }

    static func admitSenders(_ state: inout State) {
        while let sender = state.senders.first {
            do throws(SocketIOClientError) {
                try sender.change(&state)
                _ = Self.removeSender(sender.id, &state)
                sender.waiter.resume(returning: .success(()))
            } catch {
                if error == .queueFull, state.session.isConnected { return }
                _ = Self.removeSender(sender.id, &state)
                sender.waiter.resume(returning: .failure(error))
            }
        }
    }
}
