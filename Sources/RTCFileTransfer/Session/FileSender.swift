import RTCBase
public import RTCSignaling

/// Sends files and folders to one receiver, who needs the code that is reported.
///
/// It stays at its nameplate until all is transferred: a receiver that is interrupted may come again with the same code, and
/// goes on. Three wrong codes end it.
public struct FileSender: Sendable {
    /// How many may come with wrong codes.
    static let maximumTries = 3

    private let paths: [String]
    private let configuration: FileTransferConfiguration
    private let connect: MailboxClient.Connect

    /// A sender.
    ///
    /// - Parameters:
    ///   - paths: Files and folders.
    ///   - configuration: How the way to the receiver is found.
    ///   - connect: Connects to a mailbox server (``MailboxService``); called again when that connection breaks.
    public init(
        _ paths: [String],
        configuration: FileTransferConfiguration = FileTransferConfiguration(),
        connect: @escaping @Sendable () async throws(SignalingChannelError) -> any SignalingChannel
    ) {
        self.paths = paths
        self.configuration = configuration
        self.connect = connect
    }

    /// Sends all of it; returns when the receiver has it on its disk.
    ///
    /// - Parameter report: Told what happens, from any thread; must not block.
    /// - Throws: ``FileTransferError``. What has arrived by then is not sent again to the same folder.
    public func run(
        _ report: @escaping @Sendable (FileTransferEvent) -> Void
    ) async throws(FileTransferError)
        -> FileTransferReport
    {
        let worker = TransferWorker(.send(self.paths), report: report)
        try await worker.prepare()
        let (client, answer) = try await MailboxClient.open(self.connect, with: .allocate)
        guard case .allocated(let nameplate, let token) = answer else {
            await client.close()
            throw .signaling(.protocolViolation(reason: "that is no mailbox server"))
        }
        var random = RandomSource.system
        let code = PairingCode(nameplate: nameplate, random: &random)
        report(.code(code))
        var post = SenderPost(
            code: code,
            token: token,
            client: client,
            connect: self.connect,
            configuration: self.configuration,
            worker: worker,
            report: report
        )
        let result: Result<FileTransferReport, FileTransferError>
        do {
            result = .success(try await post.serve())
        } catch {
            result = .failure(error)
        }
        await post.client?.close()
        return try result.get()
    }
}

/// The sender at its nameplate: takes joiners one after the other until one has it all.
private struct SenderPost {
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
    private var attempt: Attempt?
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
        _ = await self.endAttempt()
        return try result.get()
    }

    private mutating func takeNews() async throws(FileTransferError) -> FileTransferReport {
        for await news in self.news.stream {
            switch news {
            case .mailbox(.joined(let joiner)): try await self.beginAttempt(with: joiner)
            case .mailbox(.relay(let text, _)): self.attempt?.inputs.yield(.text(text))
            case .mailbox(.left): self.attempt?.inputs.yield(.left)
            case .mailbox(.locked): throw .locked
            case .mailbox: break
            case .mailboxBroken(let error): try await self.reopen(after: error)
            case .reopened(let client):
                self.client = client
                self.startReading()
            case .mailboxLost(let error):
                self.lostMailbox = error
                if self.attempt == nil { throw error }
            case .paired(let number):
                guard let attempt = self.attempt, number == attempt.number else { continue }
                try? await self.client?.send(.confirmed(joiner: attempt.joiner))
            case .attempt(let number, let result):
                guard let attempt = self.attempt, number == attempt.number else { continue }
                _ = await self.endAttempt()
                switch result {
                case .success(let report): return report
                case .failure(let error):
                    try await self.handle(error, with: attempt.joiner)
                    if let lost = self.lostMailbox { throw lost }
                }
            }
        }
        throw .cancelled
    }

    /// What a failed attempt means for the next one.
    private mutating func handle(
        _ error: FileTransferError,
        with joiner: UInt64
    ) async throws(FileTransferError) {
        switch error {
        case .wrongCode:
            try? await self.client?.send(.failed(joiner: joiner))
            try self.tellWrongCode()
        case .noAnswer, .tampered, .incompatible:
            try? await self.client?.send(.failed(joiner: joiner))
            self.report(.interrupted(error))
        // Without the mailbox that it began with an attempt may fail, and the next one has another.
        case .lost, .noConnection, .signaling: self.report(.interrupted(error))
        // A receiver that was stopped may be started again.
        case .problem(let problem) where problem.side == .remote && problem.kind == .cancelled:
            self.report(.interrupted(error))
        default: throw error
        }
    }

    private func tellWrongCode() throws(FileTransferError) {
        guard self.wrongCodes < FileSender.maximumTries else { throw .locked }
        self.report(.wrongCode(triesLeft: FileSender.maximumTries - self.wrongCodes))
    }

    // MARK: Attempts

    private mutating func beginAttempt(with joiner: UInt64) async throws(FileTransferError) {
        // Who comes again has lost the connection, whatever this side has noticed of that.
        if self.attempt != nil { await self.worker.abandon() }
        if await self.endAttempt() { try self.tellWrongCode() }
        self.attempts += 1
        let number = self.attempts
        let (inputs, continuation) = AsyncStream.makeStream(of: PeerLink.Input.self)
        let (news, report, client, worker) = (self.news.continuation, self.report, self.client, self.worker)
        let (code, configuration) = (self.code, self.configuration)
        let link = try PeerLink(.inviter, code: code, configuration: configuration) { event in
            if case .paired = event { news.yield(.paired(number)) }
            report(event.event)
        }
        let task = Task {
            do throws(FileTransferError) {
                let result = try await link.run(
                    inputs,
                    carry: { try await client?.send(.relay($0, joiner: joiner)) },
                    body: { try await worker.run($0) }
                )
                news.yield(.attempt(number, .success(result)))
            } catch {
                news.yield(.attempt(number, .failure(error)))
            }
        }
        self.attempt = Attempt(number: number, joiner: joiner, link: link, task: task, inputs: continuation)
    }

    /// Ends the attempt that there is, and counts the guess that it refused: also of one who was gone before that was told.
    ///
    /// - Returns: Whether the code was wrong.
    private mutating func endAttempt() async -> Bool {
        guard let attempt = self.attempt else { return false }
        self.attempt = nil
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
            if self.attempt == nil { throw error }
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
