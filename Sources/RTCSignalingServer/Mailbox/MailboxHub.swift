import NIOCore
public import RTCSignaling
import Synchronization

/// A ``MailboxService`` for the routes of a server: `routes.webSocket("/mailbox") { await hub.serve($0) }`.
///
/// One hub may serve several routes; their clients meet in it.
public final class MailboxHub: Sendable {
    private struct State {
        var service: MailboxService
        var sessions: [MailboxService.ClientID: SignalingSession] = [:]
        var nextClient: UInt64 = 1
    }

    private let state: Mutex<State>

    /// A hub without nameplates.
    public init(configuration: MailboxConfiguration = MailboxConfiguration()) {
        self.state = Mutex(State(service: MailboxService(configuration: configuration)))
    }

    /// How many nameplates are in use.
    public var count: Int { self.state.withLock { $0.service.count } }

    /// Serves one client until it goes.
    public func serve(_ session: SignalingSession) async {
        let client = self.state.withLock { state in
            let client = MailboxService.ClientID(rawValue: state.nextClient)
            state.nextClient += 1
            state.sessions[client] = session
            return client
        }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await message in session.messages {
                    guard case .text(let text) = message else { continue }
                    self.withState { state in
                        // What a client sent before it was told that it is refused is nobody's.
                        guard state.sessions[client] != nil else { return }
                        state.service.receive(text, from: client, now: .now())
                    }
                }
            }
            // Every client's task looks after the time: so it passes as long as there is somebody to be told.
            group.addTask { await self.watchTime() }
            await group.next()
            group.cancelAll()
        }
        self.withState { state in
            state.sessions[client] = nil
            state.service.disconnected(client, now: .now())
        }
    }

    private func watchTime() async {
        while !Task.isCancelled {
            // A deadline may come meanwhile that is earlier; a second late does no harm to times of minutes.
            let left = self.state.withLock { $0.service.nextTimeout }.map { $0 - .now() } ?? .seconds(60)
            let nanoseconds = max(1_000_000_000, min(60_000_000_000, left.nanoseconds))
            try? await Task.sleep(for: .nanoseconds(nanoseconds))
            self.withState { $0.service.handleTimeout(now: .now()) }
        }
    }

    private func withState(_ body: (inout State) -> Void) {
        self.state.withLock { state in
            body(&state)
            // Under the lock, so that what is for one client keeps its order; sending only appends to its queue.
            while let output = state.service.poll() {
                switch output {
                case .send(let text, let client): state.sessions[client]?.send(text)
                case .close(let client): state.sessions.removeValue(forKey: client)?.close()
                }
            }
        }
    }
}
