import RTCBase
import RTCSignaling

/// The sender at its nameplate: takes joiners one after the other until one has it all.
///
/// Who has shown the code is served until another one shows it too: strangers who come to the nameplate meanwhile disturb nobody.
struct SenderPost {
    enum News: Sendable {
        case mailbox(MailboxMessage)
        case mailboxBroken(FileTransferError)
        case reopened(MailboxClient)
        case mailboxLost(FileTransferError)
        case attempt(Int, Result<FileTransferReport, FileTransferError>)
        case paired(Int)
    }

    private struct Attempt {
        let number: Int
        /// Who came, by the server's count.
        let joiner: UInt64
        let link: PeerLink
        let task: Task<Void, Never>
        let inputs: AsyncStream<PeerLink.Input>.Continuation
    }

    let code: PairingCode
    let token: String
    var client: MailboxClient?
    let connect: MailboxClient.Connect
    let configuration: FileTransferConfiguration
    let worker: TransferWorker
    let report: @Sendable (FileTransferEvent) -> Void

    private let news = AsyncStream.makeStream(of: News.self)
    /// Who came last, and has not shown the code yet.
    private var newcomer: Attempt?
    /// Who has shown the code.
    private var transfer: Attempt?
    /// Who is at the nameplate, by the server's count: what comes from there is theirs.
    private var present: UInt64?
    private var reader: Task<Void, Never>?
    /// Why there will be no mailbox any more: nobody can come again.
    private var lostMailbox: FileTransferError?
    private var attempts = 0
    private var wrongCodes = 0

    init(
        code: PairingCode,
        token: String,
        client: MailboxClient,
        connect: @escaping MailboxClient.Connect,
        configuration: FileTransferConfiguration,
        worker: TransferWorker,
        report: @escaping @Sendable (FileTransferEvent) -> Void
    ) {
        self.code = code
        self.token = token
        self.client = client
        self.connect = connect
        self.configuration = configuration
        self.worker = worker
        self.report = report
    }

    mutating func serve() async throws(FileTransferError) -> FileTransferReport {
        self.startReading()
        let result: Result<FileTransferReport, FileTransferError>
        do {
            result = .success(try await self.takeNews())
        } catch {
            result = .failure(error)
        }
        self.reader?.cancel()
        for attempt in [self.newcomer, self.transfer].compactMap({ $0 }) { _ = await self.end(attempt) }
        return try result.get()
    }

    private mutating func takeNews() async throws(FileTransferError) -> FileTransferReport {
        for await news in self.news.stream {
            switch news {
            case .mailbox(.joined(let joiner)): try await self.beginAttempt(with: joiner)
            case .mailbox(.relay(let text, _)): self.attemptAtNameplate?.inputs.yield(.text(text))
            case .mailbox(.left): self.attemptAtNameplate?.inputs.yield(.left)
            case .mailbox(.locked): try self.lock()
            case .mailbox: break
            case .mailboxBroken(let error): try await self.reopen(after: error)
            case .reopened(let client):
                self.client = client
                self.startReading()
            case .mailboxLost(let error):
                self.lostMailbox = error
                if self.isAlone { throw error }
            case .paired(let number): await self.begin(number)
            case .attempt(let number, let result):
                guard let attempt = await self.takeEnded(number) else { continue }
                switch result {
                case .success(let report): return report
                case .failure(let error):
                    try await self.handle(error, with: attempt.joiner)
                    if self.isAlone, let lost = self.lostMailbox { throw lost }
                }
            }
        }
        throw .cancelled
    }

    /// What a failed attempt means for the next one. Where another one goes on it is nothing but a guess that may count.
    private mutating func handle(
        _ error: FileTransferError,
        with joiner: UInt64
    ) async throws(FileTransferError) {
        let hasTransfer = self.transfer != nil
        switch error {
        case .wrongCode:
            await self.refuse(joiner)
            try self.tellWrongCode()
        case .noAnswer, .incompatible:
            await self.refuse(joiner)
            if !hasTransfer { self.report(.interrupted(error)) }
        // Without the mailbox that it began with an attempt may fail, and the next one has another.
        case .lost, .noConnection, .signaling:
            if !hasTransfer { self.report(.interrupted(error)) }
        // A receiver that was stopped may be started again.
        case .problem(let problem) where problem.side == .remote && problem.kind == .cancelled:
            self.report(.interrupted(error))
        default:
            if !hasTransfer { throw error }
        }
    }

    private mutating func tellWrongCode() throws(FileTransferError) {
        guard self.wrongCodes < FileSender.maximumTries else { return try self.lock() }
        self.report(.wrongCode(triesLeft: FileSender.maximumTries - self.wrongCodes))
    }

    /// Nobody can come any more; who has shown the code is served to the end.
    private mutating func lock() throws(FileTransferError) {
        self.lostMailbox = .locked
        if self.transfer == nil { throw .locked }
    }

    private func refuse(_ joiner: UInt64) async { try? await self.client?.send(.failed(joiner: joiner)) }

    // MARK: Attempts

    /// Whether nobody is there.
    private var isAlone: Bool { self.newcomer == nil && self.transfer == nil }

    private var attemptAtNameplate: Attempt? {
        [self.newcomer, self.transfer].compactMap { $0 }.first { $0.joiner == self.present }
    }

    private mutating func beginAttempt(with joiner: UInt64) async throws(FileTransferError) {
        if let former = self.newcomer {
            self.newcomer = nil
            if await self.end(former) { try self.tellWrongCode() }
        }
        self.present = joiner
        guard self.wrongCodes < FileSender.maximumTries else { return await self.refuse(joiner) }
        self.attempts += 1
        let number = self.attempts
        let (inputs, continuation) = AsyncStream.makeStream(of: PeerLink.Input.self)
        let (news, report, client, worker) = (self.news.continuation, self.report, self.client, self.worker)
        let (code, configuration, former) = (self.code, self.configuration, self.transfer?.task)
        let link = try PeerLink(.inviter, code: code, configuration: configuration) { event in
            if case .paired = event { news.yield(.paired(number)) }
            report(event.event)
        }
        let task = Task {
            do throws(FileTransferError) {
                let result = try await link.run(
                    inputs,
                    carry: { try await client?.send(.relay($0, joiner: joiner)) },
                    body: { channel in
                        // The files are for one at a time.
                        if let former { await former.value }
                        return try await worker.run(channel, attempt: number)
                    }
                )
                news.yield(.attempt(number, .success(result)))
            } catch {
                news.yield(.attempt(number, .failure(error)))
            }
        }
        self.newcomer = Attempt(number: number, joiner: joiner, link: link, task: task, inputs: continuation)
    }

    /// The newcomer has shown the code: it is who was there before, and has lost the connection, whatever this side has noticed of
    /// that.
    private mutating func begin(_ number: Int) async {
        guard let newcomer = self.newcomer, newcomer.number == number else { return }
        self.newcomer = nil
        if let former = self.transfer {
            await self.worker.abandon(attempt: former.number)
            _ = await self.end(former)
        }
        self.transfer = newcomer
        try? await self.client?.send(.confirmed(joiner: newcomer.joiner))
    }

    /// The attempt of that number, which is over.
    private mutating func takeEnded(_ number: Int) async -> Attempt? {
        let attempt: Attempt
        if let newcomer = self.newcomer, newcomer.number == number {
            self.newcomer = nil
            attempt = newcomer
        } else if let transfer = self.transfer, transfer.number == number {
            self.transfer = nil
            attempt = transfer
        } else {
            return nil
        }
        _ = await self.end(attempt)
        return attempt
    }

    /// Ends an attempt, and counts the guess that it refused: also of one who was gone before that was told.
    ///
    /// - Returns: Whether the code was wrong.
    private mutating func end(_ attempt: Attempt) async -> Bool {
        attempt.inputs.finish()
        attempt.task.cancel()
        await attempt.task.value
        guard await attempt.link.hasRefused else { return false }
        self.wrongCodes += 1
        return true
    }

    // MARK: The mailbox

    private mutating func startReading() {
        guard let client = self.client else { return }
        let news = self.news.continuation
        self.reader = Task {
            do throws(FileTransferError) {
                while let message = try await client.next() { news.yield(.mailbox(message)) }
                news.yield(.mailboxBroken(.signaling(.closed(code: nil, reason: "by the server"))))
            } catch {
                news.yield(.mailboxBroken(error))
            }
        }
    }

    /// Connects to the mailbox again, in the background: a transfer that is under way goes on without it.
    private mutating func reopen(after error: FileTransferError) async throws(FileTransferError) {
        if case .mailbox = error {
            // The server ended it, and has forgotten the nameplate.
            self.lostMailbox = error
            if self.isAlone { throw error }
            return
        }
        await self.client?.close()
        self.client = nil
        let (news, connect, time) = (self.news.continuation, self.connect, self.configuration.reconnectionTime)
        let first = MailboxMessage.reopen(nameplate: self.code.nameplate, token: self.token)
        self.reader = Task {
            let until = ContinuousClock.now + time
            while !Task.isCancelled {
                do throws(FileTransferError) {
                    let (client, _) = try await MailboxClient.open(connect, with: first)
                    news.yield(.reopened(client))
                    return
                } catch {
                    var isRefused = false
                    if case .mailbox = error { isRefused = true }
                    if isRefused || ContinuousClock.now > until {
                        news.yield(.mailboxLost(error))
                        return
                    }
                    try? await Task.sleep(for: .seconds(1))
                }
            }
        }
    }
}
