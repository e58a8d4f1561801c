import RTCBase
import RTCFileTransfer
import RTCSignaling
import Synchronization
import Testing

/// Senders and receivers over real connections on loopback, with a mailbox in the process.
@Suite(.serialized, .timeLimit(.minutes(2))) struct SessionTests {
    private let scratch = Scratch()

    @Test("Files arrive, and the code is all that both know")
    func transfer() async throws {
        let sent = try self.tree(seed: 1)
        let (sender, receiver) = try await self.run(LocalMailbox())
        let report = try sender.get()
        #expect(report.isComplete && report.files == 4)
        #expect(try receiver.get() == report)
        #expect(Tree.snapshot(self.scratch.folder("in")) == sent)
    }

    @Test("Three wrong codes end it, and the right one is of no use then")
    func wrongCodes() async throws {
        _ = try self.tree(seed: 2)
        let mailbox = LocalMailbox()
        let (codes, told) = AsyncStream.makeStream(of: PairingCode.self)
        let tries = Mutex<[Int]>([])
        async let sending = self.send(mailbox) { event in
            if case .code(let code) = event { told.yield(code) }
            if case .wrongCode(let left) = event { tries.withLock { $0.append(left) } }
        }
        guard let code = await codes.first(where: { _ in true }) else { return }
        for number in 0..<3 {
            let wrong = PairingCode(nameplate: code.nameplate, words: "wrong-\(number)")
            let result = await self.receive(mailbox, wrong)
            #expect(throws: FileTransferError.self) { try result.get() }
            if case .failure(.wrongCode) = result {} else { Issue.record("try \(number) ended with \(result)") }
        }
        if case .failure(.locked) = await sending {} else { Issue.record("the sender was not locked") }
        #expect(tries.withLock { $0 } == [2, 1])
        let late = await self.receive(mailbox, code)
        #expect(throws: FileTransferError.self) { try late.get() }
        #expect(Tree.names(in: self.scratch.folder("in")).filter { $0.0 != Array(".rtc-parts".utf8) }.isEmpty)
    }

    @Test(
        "A server that alters what it carries is found out",
        arguments: ["share", "confirm", "sealed"]
    )
    func meddling(kind: String) async throws {
        _ = try self.tree(seed: 3)
        let mailbox = LocalMailbox { text in
            guard text.hasPrefix("[\"\(kind)\"") else { return text }
            // One letter of the Base64 in the middle.
            var bytes = Array(text.utf8)
            let index = bytes.count / 2
            bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            return String(decoding: bytes, as: UTF8.self)
        }
        let (_, receiver) = try await self.run(mailbox, cancelsSender: true)
        switch receiver {
        case .failure(.wrongCode), .failure(.tampered), .failure(.incompatible): break
        default: Issue.record("\(kind) ended with \(receiver)")
        }
        #expect(Tree.names(in: self.scratch.folder("in")).filter { $0.0 != Array(".rtc-parts".utf8) }.isEmpty)
    }

    @Test("A receiver that is interrupted goes on with the same code")
    func resumed() async throws {
        let sent = try self.tree(seed: 4, large: 20_000_000)
        let mailbox = LocalMailbox()
        let (codes, told) = AsyncStream.makeStream(of: PairingCode.self)
        async let sending = self.send(mailbox) { if case .code(let code) = $0 { told.yield(code) } }
        guard let code = await codes.first(where: { _ in true }) else { return }
        let (starts, started) = AsyncStream.makeStream(of: Void.self)
        let first = Task {
            await self.receive(mailbox, code) { event in
                if case .listed = event { started.yield() }
            }
        }
        _ = await starts.first { _ in true }
        first.cancel()
        _ = await first.value
        let receiver = await self.receive(mailbox, code)
        let sender = await sending
        #expect(try sender.get().isComplete && receiver.get().isComplete)
        #expect(Tree.snapshot(self.scratch.folder("in")) == sent)
    }

    @Test("Strangers who come to the nameplate of a transfer disturb nobody, however often they guess")
    func strangers() async throws {
        let sent = try self.tree(seed: 6, large: 40_000_000)
        let mailbox = LocalMailbox()
        let (codes, told) = AsyncStream.makeStream(of: PairingCode.self)
        let events = Mutex<(paired: Int, interrupted: [String])>((paired: 0, interrupted: []))
        let sending = Task {
            await self.send(mailbox) { event in
                switch event {
                case .code(let code): told.yield(code)
                case .paired: events.withLock { $0.paired += 1 }
                case .interrupted(let error): events.withLock { $0.interrupted.append(error.description) }
                default: break
                }
            }
        }
        guard let code = await codes.first(where: { _ in true }) else { return }
        let (strangers, came) = AsyncStream.makeStream(of: (any SignalingChannel).self)
        let guessing = Task {
            guard let stranger = await strangers.first(where: { _ in true }) else { return [String]() }
            // The sender's half of the exchange shows that it has dealt with whom it was told of.
            let heard = [try await stranger.receive(), try await stranger.receive()].compactMap { $0 }
            await stranger.close()
            for number in 0..<3 where !Task.isCancelled {
                let wrong = PairingCode(nameplate: code.nameplate, words: "wrong-\(number)")
                _ = await self.receive(mailbox, wrong, into: "other")
            }
            return heard
        }
        let receiver = await self.receive(mailbox, code) { event in
            guard case .listed = event else { return }
            // All content is still to come when the receiver's connection to the server breaks and another takes its place.
            mailbox.breakConnection(2)
            if let stranger = try? mailbox.claim(code.nameplate) { came.yield(stranger) }
        }
        let sender = await sending.value
        guessing.cancel()
        let heard = try await guessing.value
        #expect(heard.first == MailboxMessage.claimed.text)
        #expect(heard.last?.contains("share") == true)
        #expect(try sender.get().isComplete && receiver.get().isComplete)
        #expect(events.withLock { $0.paired } == 1)
        #expect(events.withLock { $0.interrupted }.isEmpty)
        #expect(Tree.snapshot(self.scratch.folder("in")) == sent)
    }

    @Test("A transfer goes on while the mailbox server is away")
    func mailboxGone() async throws {
        let sent = try self.tree(seed: 5, large: 20_000_000)
        let mailbox = LocalMailbox()
        let (sender, receiver) = try await self.run(mailbox) { event in
            if case .listed = event { mailbox.breakConnections() }
        }
        #expect(try sender.get().isComplete && receiver.get().isComplete)
        #expect(Tree.snapshot(self.scratch.folder("in")) == sent)
    }

    // MARK: Both sides

    private func tree(seed: UInt64, large: Int = 3_000_000) throws -> [[UInt8]: Tree.Entry] {
        var random = RandomSource.seeded(seed)
        self.scratch.write("out/tree/large", random.content(large))
        self.scratch.write("out/tree/sub/empty", [])
        self.scratch.write("out/tree/sub/one", [1])
        self.scratch.write("out/tree/ünïcode 文", random.content(200_000), mode: 0o600)
        return Tree.snapshot(self.scratch.folder("out"))
    }

    private func run(
        _ mailbox: LocalMailbox,
        cancelsSender: Bool = false,
        report: @escaping @Sendable (FileTransferEvent) -> Void = { _ in }
    ) async throws -> (Result<FileTransferReport, FileTransferError>, Result<FileTransferReport, FileTransferError>) {
        let (codes, told) = AsyncStream.makeStream(of: PairingCode.self)
        let sending = Task { await self.send(mailbox) { if case .code(let code) = $0 { told.yield(code) } } }
        var iterator = codes.makeAsyncIterator()
        let code = try #require(await iterator.next())
        let receiver = await self.receive(mailbox, code, report: report)
        if cancelsSender { sending.cancel() }
        return (await sending.value, receiver)
    }

    private func send(
        _ mailbox: LocalMailbox,
        report: @escaping @Sendable (FileTransferEvent) -> Void
    ) async -> Result<FileTransferReport, FileTransferError> {
        let sender = FileSender(["\(self.scratch.path)/out/tree"]) { () async throws(SignalingChannelError) in
            mailbox.connect()
        }
        do throws(FileTransferError) {
            return .success(try await sender.run(report))
        } catch {
            return .failure(error)
        }
    }

    private func receive(
        _ mailbox: LocalMailbox,
        _ code: PairingCode,
        into folder: String = "in",
        report: @escaping @Sendable (FileTransferEvent) -> Void = { _ in }
    ) async -> Result<FileTransferReport, FileTransferError> {
        let receiver = FileReceiver(code, into: self.scratch.folder(folder)) { () async throws(SignalingChannelError) in
            mailbox.connect()
        }
        do throws(FileTransferError) {
            return .success(try await receiver.run(report))
        } catch {
            return .failure(error)
        }
    }
}
