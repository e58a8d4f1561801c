import NIOCore
import NIOPosix
import WebRTC

/// Does the work on files, on a thread of its own where waiting for disks disturbs nobody, and carries an engine's messages.
actor TransferWorker {
    /// What is done.
    enum Work: Sendable {
        case send([String])
        case receive(into: String, ExistingFilePolicy)
    }

    private enum Files {
        case source(SourceFiles)
        case target(TargetFolder)
    }

    /// Threads for the files of all transfers.
    private static let threads = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    /// How long the last word may take: nobody may be there any more. The shorter time is for who was told to end.
    private static let (longFarewell, farewell): (Duration, Duration) = (.seconds(30), .seconds(2))
    /// How often progress is told.
    private static let reportInterval: Duration = .milliseconds(100)

    private nonisolated let executor: any SerialExecutor
    nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    private let work: Work
    private let report: @Sendable (FileTransferEvent) -> Void
    private var files: Files?
    private var engine: (any TransferEngine)?
    private var waiter: CheckedContinuation<Void, Never>?
    private var hasNews = false
    private var hasEnded = false
    /// The attempt whose channel leads to nobody any more.
    private var abandonedAttempt: Int?
    private var attempt = 0
    private var isAbandoned: Bool { self.abandonedAttempt == self.attempt }
    /// How often a channel was there to transfer over.
    private(set) var runs = 0
    private var lastReport = ContinuousClock.now

    init(_ work: Work, report: @escaping @Sendable (FileTransferEvent) -> Void) {
        self.work = work
        self.report = report
        self.executor = Self.threads.next().executor
    }

    /// Looks at the files to send, or opens the folder.
    func prepare() throws(FileTransferError) {
        do {
            switch self.work {
            case .send(let paths):
                let source = try SourceFiles(paths)
                if !source.skipped.isEmpty { self.report(.skipped(source.skipped)) }
                for failure in source.failures { self.report(.failure(failure)) }
                self.files = .source(source)
            case .receive(let folder, let policy): self.files = .target(try TargetFolder(folder, policy: policy))
            }
        } catch {
            throw .problem(error)
        }
    }

    /// Transfers all that is left over a channel.
    ///
    /// - Parameter attempt: A number for ``abandon(attempt:)``.
    /// - Throws: ``FileTransferError/lost`` if the channel breaks: another one may go on.
    func run(_ channel: RTCDataChannel, attempt: Int = 0) async throws(FileTransferError) -> FileTransferReport {
        let engine: any TransferEngine
        switch self.files {
        case .source(let source): engine = FileTransferSender(source)
        case .target(let target): engine = FileTransferReceiver(target)
        case nil: throw .failed("nothing is prepared")
        }
        self.engine = engine
        self.runs += 1
        self.hasNews = false
        self.hasEnded = false
        self.attempt = attempt
        let reader = Task { await self.read(channel, for: engine) }
        let result: Result<FileTransferReport, FileTransferError>
        do {
            result = .success(try await self.carry(engine, over: channel))
        } catch {
            result = .failure(error)
        }
        reader.cancel()
        self.engine = nil
        if case .failure(.lost) = result { channel.abort() } else { await Self.takeLeave(of: channel) }
        // The end of this channel must not look like that of the next.
        await reader.value
        return try result.get()
    }

    /// Lets what was said last arrive, if somebody is there to hear it.
    private static func takeLeave(of channel: RTCDataChannel) async {
        channel.close()
        let leaving = Task.detached {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await channel.waitUntilClosed() }
                group.addTask { try? await Task.sleep(for: Self.longFarewell) }
                await group.next()
                channel.abort()
                group.cancelAll()
            }
        }
        await withTaskCancellationHandler {
            await leaving.value
        } onCancel: {
            Task.detached {
                try? await Task.sleep(for: Self.farewell)
                leaving.cancel()
            }
        }
    }

    /// Gives up a channel that nobody is at the other end of any more, now or as soon as it comes.
    func abandon(attempt: Int) {
        self.abandonedAttempt = attempt
        self.wake()
    }

    private func carry(
        _ engine: any TransferEngine,
        over channel: RTCDataChannel
    ) async throws(FileTransferError)
        -> FileTransferReport
    {
        while true {
            if self.isAbandoned { throw .lost }
            if Task.isCancelled { engine.cancel() }
            guard let output = engine.poll() else {
                if self.hasEnded { throw .lost }
                self.tell(engine.progress)
                await self.waitForNews()
                continue
            }
            switch output {
            case .transmit(let message):
                do {
                    try await channel.send(message)
                } catch {
                    // The other side may have said why.
                    while !self.hasEnded, !self.isAbandoned, !Task.isCancelled {
                        await self.waitForNews()
                        await Task.yield()
                    }
                }
                self.tell(engine.progress)
            case .working:
                self.tell(engine.progress)
                await Task.yield()
            case .listed(let files, let bytes): self.report(.listed(files: files, bytes: bytes))
            case .failure(let failure): self.report(.failure(failure))
            case .failed(let problem):
                throw problem.kind == .cancelled && problem.side == .local ? .cancelled : .problem(problem)
            case .complete:
                self.report(.progress(engine.progress))
                return FileTransferReport(
                    files: engine.progress.files,
                    bytes: engine.progress.bytes,
                    failures: engine.failures
                )
            }
        }
    }

    private func read(_ channel: RTCDataChannel, for engine: any TransferEngine) async {
        do {
            for try await message in channel.messages {
                engine.receive(message.bytes)
                self.wake()
            }
        } catch {
            // That it broke is all that matters.
        }
        self.hasEnded = true
        self.wake()
    }

    private func wake() {
        self.hasNews = true
        self.waiter?.resume()
        self.waiter = nil
    }

    private func waitForNews() async {
        if !self.hasNews, !Task.isCancelled {
            await withTaskCancellationHandler {
                await withCheckedContinuation { self.waiter = $0 }
            } onCancel: {
                Task { await self.wake() }
            }
        }
        self.hasNews = false
    }

    private func tell(_ progress: FileTransferProgress) {
        guard ContinuousClock.now - self.lastReport >= Self.reportInterval else { return }
        self.lastReport = .now
        self.report(.progress(progress))
    }
}
