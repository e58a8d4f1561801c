import RTCBase
import RTCFileTransfer
import RTCSignaling
import Synchronization
import Testing

/// Peers that guess, that go away at the wrong moment, or that say nothing.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BrokenPeerTests {
    private let scratch = Scratch()

    @Test("A guess counts, however soon after it the guesser comes again, and whatever the server allows")
    func guesses() async throws {
        let mailbox = LocalMailbox(maximumTries: 100)
        let (codes, told) = AsyncStream.makeStream(of: PairingCode.self)
        let left = Mutex<[Int]>([])
        async let sending = self.send(mailbox) { event in
            if case .code(let code) = event { told.yield(code) }
            if case .wrongCode(let tries) = event { left.withLock { $0.append(tries) } }
        }
        let code = try #require(await codes.first { _ in true })
        var refusals = 0
        for number in 0..<20 {
            let channel = mailbox.connect()
            do {
                try await channel.send(MailboxMessage.claim(nameplate: code.nameplate).text)
            } catch {
                break
            }
            guard case .claimed? = try await RawPeer.next(channel) else { break }
            let wrong = PairingCode(nameplate: code.nameplate, words: "wrong-\(number)")
            var peer = try #require(RawPeer(.joiner, code: wrong, over: channel))
            if (try? await peer.pair()) == false { refusals += 1 }
            // Gone before the sender has said anything to the mailbox.
            await channel.close()
        }
        // Each hears of its own guess only, however soon after the one before it came.
        #expect(refusals == 3)
        if case .failure(.locked) = await sending {} else { Issue.record("the sender was not locked") }
        #expect(left.withLock { $0 } == [2, 1])
    }

    @Test("A sender that is gone when the two are paired is not waited for", arguments: [true, false])
    func senderGone(leaves: Bool) async throws {
        let mailbox = LocalMailbox()
        let channel = mailbox.connect()
        try await channel.send(MailboxMessage.allocate.text)
        guard case .allocated(let nameplate, _)? = try await RawPeer.next(channel) else { return }
        let code = PairingCode(nameplate: nameplate, words: "crossword-guitar")
        var configuration = FileTransferConfiguration()
        configuration.reconnectionTime = .zero
        if !leaves { configuration.pairingTimeout = .milliseconds(300) }
        async let receiving = self.receive(mailbox, code, configuration)
        // What is said before somebody is there to hear it is lost.
        let arrival = try await RawPeer.next(channel)
        #expect(arrival == .joined(joiner: 1))
        var peer = try #require(RawPeer(.inviter, code: code, over: channel, joiner: 1))
        #expect(try await peer.pair() == true)
        if leaves { await channel.close() }
        switch (await receiving, leaves) {
        case (.failure(.lost), true), (.failure(.noAnswer), false): break
        case (let result, _): Issue.record("it ended with \(result)")
        }
        await channel.close()
    }

    @Test("A receiver that is gone when the two are paired does not keep the next one waiting")
    func receiverGone() async throws {
        self.scratch.write("out/tree/file", [1, 2, 3])
        let mailbox = LocalMailbox()
        let (codes, told) = AsyncStream.makeStream(of: PairingCode.self)
        let (breaks, broken) = AsyncStream.makeStream(of: Void.self)
        async let sending = self.send(mailbox) { event in
            if case .code(let code) = event { told.yield(code) }
            if case .interrupted(.lost) = event { broken.yield() }
        }
        let code = try #require(await codes.first { _ in true })
        let channel = mailbox.connect()
        try await channel.send(MailboxMessage.claim(nameplate: code.nameplate).text)
        var peer = try #require(RawPeer(.joiner, code: code, over: channel))
        #expect(try await peer.pair() == true)
        await channel.close()
        _ = await breaks.first { _ in true }
        let receiver = await self.receive(mailbox, code)
        #expect(try receiver.get().isComplete)
        #expect(try await sending.get().isComplete)
    }

    @Test("Whoever is told to end while the mailbox server is connected to was cancelled, and has not failed")
    func cancelledAtOnce() async {
        let connect = { @Sendable () async throws(SignalingChannelError) -> any SignalingChannel in throw .cancelled }
        let file = self.scratch.write("out/file", [1])
        let code = PairingCode(nameplate: "1", words: "crossword-guitar")
        await #expect(throws: FileTransferError.self) {
            do throws(FileTransferError) {
                _ = try await FileSender([file], connect: connect).run { _ in }
            } catch {
                if case .cancelled = error {} else { Issue.record("the sender ended with \(error)") }
                throw error
            }
        }
        await #expect(throws: FileTransferError.self) {
            do throws(FileTransferError) {
                _ = try await FileReceiver(code, into: self.scratch.folder("in"), connect: connect).run { _ in }
            } catch {
                if case .cancelled = error {} else { Issue.record("the receiver ended with \(error)") }
                throw error
            }
        }
    }

    @Test("A mailbox that is lost while the two arrange their connection is no end")
    func mailboxLost() async throws {
        var random = RandomSource.seeded(6)
        self.scratch.write("out/tree/file", random.content(1_000_000))
        let mailbox = LocalMailbox()
        let (codes, told) = AsyncStream.makeStream(of: PairingCode.self)
        async let sending = self.send(mailbox) { if case .code(let code) = $0 { told.yield(code) } }
        let code = try #require(await codes.first { _ in true })
        let isBroken = Atomic(false)
        let receiver = await self.receive(mailbox, code) { event in
            guard case .paired = event, !isBroken.exchange(true, ordering: .relaxed) else { return }
            mailbox.breakConnections()
        }
        #expect(try receiver.get().isComplete)
        #expect(try await sending.get().isComplete)
        #expect(self.scratch.read("in/tree/file") == self.scratch.read("out/tree/file"))
    }

    @Test("Attempts that find no way end when their time is over, however long each lasts")
    func patience() {
        var patience = ReconnectionPatience(.seconds(60))
        let start = ContinuousClock.now
        func decide(
            _ error: FileTransferError,
            from: Int,
            to: Int,
            _ wasConnected: Bool = false
        )
            -> ReconnectionPatience.Decision
        {
            let begin = start + .seconds(from)
            return patience.decide(error, after: begin, wasConnected: wasConnected, now: start + .seconds(to))
        }
        #expect(decide(.noConnection([]), from: 0, to: 31) == .begin)
        #expect(decide(.noConnection([]), from: 32, to: 63) == .goOn)
        // One that was connected for a while begins anew, and a server that is away then is waited for.
        #expect(decide(.lost, from: 64, to: 90, true) == .begin)
        #expect(decide(.signaling(.closed(code: nil, reason: "")), from: 91, to: 92) == .goOn)
        // One that was connected for a moment only does not.
        #expect(decide(.lost, from: 93, to: 95, true) == .goOn)
        #expect(decide(.noConnection([]), from: 96, to: 127) == .goOn)
        #expect(decide(.noConnection([]), from: 128, to: 159) == .giveUp)
        var fresh = ReconnectionPatience(.seconds(60))
        let error = FileTransferError.signaling(.closed(code: nil, reason: ""))
        #expect(fresh.decide(error, after: start, wasConnected: false, now: start) == .giveUp)
    }

    // MARK: Both sides

    private func send(
        _ mailbox: LocalMailbox,
        report: @escaping @Sendable (FileTransferEvent) -> Void
    ) async -> Result<FileTransferReport, FileTransferError> {
        _ = self.scratch.folder("out")
        let folder = self.scratch.folder("out/tree")
        let sender = FileSender([folder]) { () async throws(SignalingChannelError) in mailbox.connect() }
        do throws(FileTransferError) {
            return .success(try await sender.run(report))
        } catch {
            return .failure(error)
        }
    }

    private func receive(
        _ mailbox: LocalMailbox,
        _ code: PairingCode,
        _ configuration: FileTransferConfiguration = FileTransferConfiguration(),
        report: @escaping @Sendable (FileTransferEvent) -> Void = { _ in }
    ) async -> Result<FileTransferReport, FileTransferError> {
        let folder = self.scratch.folder("in")
        let receiver = FileReceiver(code, into: folder, configuration: configuration) {
            () async throws(SignalingChannelError) in mailbox.connect()
        }
        do throws(FileTransferError) {
            return .success(try await receiver.run(report))
        } catch {
            return .failure(error)
        }
    }
}
