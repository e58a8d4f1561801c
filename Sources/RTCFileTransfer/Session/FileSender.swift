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
