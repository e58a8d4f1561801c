public import RTCSignaling

/// Receives what a sender with a code has, into a folder.
///
/// When the connection breaks it comes again to the same nameplate and goes on. What is not complete when it ends for good stays in the
/// folder, and is gone on with by the next transfer of the same files to the same folder, whatever its code.
public struct FileReceiver: Sendable {
    private let code: PairingCode
    private let folder: String
    private let policy: ExistingFilePolicy
    private let configuration: FileTransferConfiguration
    private let connect: MailboxClient.Connect

    /// A receiver.
    ///
    /// - Parameters:
    ///   - code: The sender's code.
    ///   - folder: Where the files go; made if it is not there.
    ///   - policy: What happens when there are other files of the same names.
    ///   - configuration: How the way to the sender is found.
    ///   - connect: Connects to the sender's mailbox server; called again when that connection breaks.
    public init(
        _ code: PairingCode,
        into folder: String,
        existing policy: ExistingFilePolicy = .keep,
        configuration: FileTransferConfiguration = FileTransferConfiguration(),
        connect: @escaping @Sendable () async throws(SignalingChannelError) -> any SignalingChannel
    ) {
        self.code = code
        self.folder = folder
        self.policy = policy
        self.configuration = configuration
        self.connect = connect
    }

    /// Receives all of it; returns when it is on the disk.
    ///
    /// - Parameter report: Told what happens, from any thread; must not block.
    /// - Throws: ``FileTransferError``.
    public func run(
        _ report: @escaping @Sendable (FileTransferEvent) -> Void
    ) async throws(FileTransferError)
        -> FileTransferReport
    {
        let worker = TransferWorker(.receive(into: self.folder, self.policy), report: report)
        try await worker.prepare()
        var patience = ReconnectionPatience(self.configuration.reconnectionTime)
        while true {
            let start = ContinuousClock.now
            let runs = await worker.runs
            do throws(FileTransferError) {
                return try await self.attempt(worker, report)
            } catch {
                let wasConnected = await worker.runs > runs
                switch patience.decide(error, after: start, wasConnected: wasConnected, now: .now) {
                case .giveUp: throw error
                case .begin: report(.interrupted(error))
                case .goOn: break
                }
                try? await Task.sleep(for: .seconds(1))
                if Task.isCancelled { throw .cancelled }
            }
        }
    }

    private func attempt(
        _ worker: TransferWorker,
        _ report: @escaping @Sendable (FileTransferEvent) -> Void
    ) async throws(FileTransferError) -> FileTransferReport {
        let (client, answer) = try await MailboxClient.open(self.connect, with: .claim(nameplate: self.code.nameplate))
        guard case .claimed = answer else {
            await client.close()
            throw .signaling(.protocolViolation(reason: "that is no mailbox server"))
        }
        let (inputs, continuation) = AsyncStream.makeStream(of: PeerLink.Input.self)
        let reader = Task {
            do throws(FileTransferError) {
                while let message = try await client.next() {
                    switch message {
                    case .relay(let text, _): continuation.yield(.text(text))
                    case .left: continuation.yield(.left)
                    default: break
                    }
                }
                // Without the server the two may go on, if they are connected.
                continuation.yield(.left)
            } catch {
                continuation.yield(.ended(error))
            }
        }
        let result: Result<FileTransferReport, FileTransferError>
        do {
            let link = try PeerLink(.joiner, code: self.code, configuration: self.configuration) { report($0.event) }
            result = .success(
                try await link.run(
                    inputs,
                    carry: { try await client.send(.relay($0, joiner: nil)) },
                    body: { try await worker.run($0) }
                )
            )
        } catch {
            result = .failure(error)
        }
        reader.cancel()
        continuation.finish()
        await client.close()
        return try result.get()
    }
}
