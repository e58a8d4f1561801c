import NIOCore
import RTCBase
import RTCFileTransfer
import RTCSignaling
import Synchronization

/// A mailbox server in the process, with channels to it, and a hand that may alter what it carries.
final class LocalMailbox: Sendable {
    private struct State {
        var service: MailboxService
        var channels: [MailboxService.ClientID: LocalChannel] = [:]
        var next: UInt64 = 1
    }

    private let state: Mutex<State>
    /// Called for each text that is relayed, may alter it; nil drops it.
    private let meddle: @Sendable (String) -> String?

    init(maximumTries: Int = 3, meddle: @escaping @Sendable (String) -> String? = { $0 }) {
        var configuration = MailboxConfiguration()
        configuration.maximumTries = maximumTries
        self.state = Mutex(State(service: MailboxService(configuration: configuration, random: .seeded(3))))
        self.meddle = meddle
    }

    /// A new connection to it.
    func connect() -> any SignalingChannel {
        self.state.withLock { state in
            let client = MailboxService.ClientID(rawValue: state.next)
            state.next += 1
            let channel = LocalChannel(client, self)
            state.channels[client] = channel
            return channel
        }
    }

    /// Breaks one connection; they are numbered from 1 in the order of their coming.
    func breakConnection(_ number: UInt64) { self.leave(MailboxService.ClientID(rawValue: number)) }

    /// Comes to a nameplate at once, as anybody may who knows its number.
    func claim(_ nameplate: String) throws -> any SignalingChannel {
        let channel = self.connect()
        guard let local = channel as? LocalChannel else { return channel }
        try self.receive(MailboxMessage.claim(nameplate: nameplate).text, from: local.client)
        return channel
    }

    /// Breaks every connection that there is.
    func breakConnections() {
        for client in self.state.withLock({ Array($0.channels.keys) }) { self.leave(client) }
    }

    fileprivate func receive(
        _ text: String,
        from client: MailboxService.ClientID
    ) throws(SignalingChannelError) {
        guard self.state.withLock({ $0.channels[client] != nil }) else { throw .closed(code: nil, reason: "broken") }
        var text = text
        if case .relay(let body, let joiner)? = MailboxMessage(text) {
            guard let altered = self.meddle(body) else { return }
            text = MailboxMessage.relay(altered, joiner: joiner).text
        }
        self.withState { $0.service.receive(text, from: client, now: .now()) }
    }

    fileprivate func leave(_ client: MailboxService.ClientID) {
        self.withState { state in
            state.channels.removeValue(forKey: client)?.end()
            state.service.disconnected(client, now: .now())
        }
    }

    private func withState(_ body: (inout State) -> Void) {
        self.state.withLock { state in
            body(&state)
            while let output = state.service.poll() {
                switch output {
                case .send(let text, let client): state.channels[client]?.deliver(text)
                case .close(let client): state.channels.removeValue(forKey: client)?.end()
                }
            }
        }
    }
}

/// A client's end.
final class LocalChannel: SignalingChannel {
    fileprivate let client: MailboxService.ClientID
    private let mailbox: LocalMailbox
    private let texts = AsyncStream.makeStream(of: String.self)

    fileprivate init(_ client: MailboxService.ClientID, _ mailbox: LocalMailbox) {
        self.client = client
        self.mailbox = mailbox
    }

    func send(_ text: String) async throws(SignalingChannelError) {
        try self.mailbox.receive(text, from: self.client)
    }

    func receive() async throws(SignalingChannelError) -> String? {
        for await text in self.texts.stream { return text }
        return nil
    }

    func close() async { self.mailbox.leave(self.client) }

    fileprivate func deliver(_ text: String) { self.texts.continuation.yield(text) }
    fileprivate func end() { self.texts.continuation.finish() }
}
