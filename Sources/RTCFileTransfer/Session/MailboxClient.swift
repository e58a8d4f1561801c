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
        do {
            let client = MailboxClient(channel: try await connect())
            try await client.channel.send(first.text)
            guard let answer = try await client.next() else {
                throw FileTransferError.signaling(.closed(code: nil, reason: "by the server"))
            }
            return (client, answer)
        } catch let error as FileTransferError {
            throw error
        } catch let error as SignalingChannelError {
            throw .signaling(error)
        } catch {
            throw .failed(String(describing: error))
        }
    }

    /// The next message; nil when the channel is over.
    ///
    /// - Throws: ``FileTransferError/mailbox(_:_:)`` when the server refuses.
    func next() async throws(FileTransferError) -> MailboxMessage? {
        let text: String?
        do {
            text = try await self.channel.receive()
        } catch {
            throw .signaling(error)
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
