import RTCSignaling

/// A client of a mailbox server over a signalling channel.
struct MailboxClient: Sendable {
    /// How one gets a channel to the mailbox server.
    typealias Connect = @Sendable () async throws(SignalingChannelError) -> any SignalingChannel

    private let channel: any SignalingChannel

    /// Connects and says the first thing; gives what the server answered.
    static func open(
        _ connect: Connect,
        with first: MailboxMessage
    ) async throws(FileTransferError)
        -> (MailboxClient, MailboxMessage)
    {
        let client: MailboxClient
        do {
            client = MailboxClient(channel: try await connect())
        } catch {
            throw FileTransferError(error)
        }
        do throws(FileTransferError) {
            return (client, try await client.ask(first))
        } catch {
            await client.close()
            throw error
        }
    }

    private func ask(_ question: MailboxMessage) async throws(FileTransferError) -> MailboxMessage {
        do {
            try await self.send(question)
        } catch {
            throw FileTransferError(error)
        }
        guard let answer = try await self.next() else {
            throw .signaling(.closed(code: nil, reason: "by the server"))
        }
        return answer
    }

    /// The next message; nil when the channel is over.
    ///
    /// - Throws: ``FileTransferError/mailbox(_:_:)`` when the server refuses.
    func next() async throws(FileTransferError) -> MailboxMessage? {
        let text: String?
        do {
            text = try await self.channel.receive()
        } catch {
            throw FileTransferError(error)
        }
        guard let text else { return nil }
        guard let message = MailboxMessage(text) else {
            throw .signaling(.protocolViolation(reason: "that is no mailbox server"))
        }
        if case .error(let refusal, let words) = message { throw .mailbox(refusal, words) }
        return message
    }

    func send(_ message: MailboxMessage) async throws(SignalingChannelError) {
        try await self.channel.send(message.text)
    }

    func close() async { await self.channel.close() }
}
