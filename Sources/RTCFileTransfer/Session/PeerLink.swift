import RTCSignaling
import WebRTC

/// One attempt to reach the other side: pairing, then offer, answer and candidates under its seal, then a channel.
actor PeerLink {
    /// What comes from the mailbox.
    enum Input: Sendable {
        case text(String)
        /// The other side has left the mailbox, which it need not mean.
        case left
        /// There is no mailbox any more.
        case ended(FileTransferError)
    }

    /// What is told while it goes on.
    enum Report: Sendable {
        case paired
        case connected(FileTransferRoute)
        case silent
        case resumed

        /// The same for the user.
        var event: FileTransferEvent {
            switch self {
            case .paired: .paired
            case .connected(let route): .connected(route)
            case .silent: .silent
            case .resumed: .resumed
            }
        }
    }

    /// The name of the channel.
    static let label = "file-transfer"

    private let configuration: FileTransferConfiguration
    private let report: @Sendable (Report) async -> Void
    private var pairing: PairingSession
    private var connection: RTCPeerConnection?
    private var hasRemoteDescription = false
    /// Candidates that came before the description that they belong to.
    private var early: [RTCIceCandidateInit] = []
    private var failure: PairingSession.Failure?
    private var peerHasLeft = false
    private var isDisconnected = false
    /// Whether the owner waits to hear that it goes on; other states may lie between.
    private var hasToldSilence = false
    private let texts = AsyncStream.makeStream(of: String.self)
    private let connections = AsyncStream.makeStream(of: RTCPeerConnection.self)
    private let channels = AsyncStream.makeStream(of: RTCDataChannel.self)

    init(
        _ role: PairingSession.Role,
        code: PairingCode,
        configuration: FileTransferConfiguration,
        report: @escaping @Sendable (Report) async -> Void
    ) throws(FileTransferError) {
        guard let pairing = PairingSession(role, code: code) else { throw .failed("OpenSSL refuses P-256") }
        self.pairing = pairing
        self.configuration = configuration
        self.report = report
    }

    /// Does it all; `body` has the channel until it returns.
    ///
    /// - Parameters:
    ///   - inputs: What comes from the mailbox.
    ///   - carry: Takes a text to the other side.
    nonisolated func run<Result: Sendable>(
        _ inputs: AsyncStream<Input>,
        carry: @escaping @Sendable (String) async throws -> Void,
        body: @escaping @Sendable (RTCDataChannel) async throws -> Result
    ) async throws(FileTransferError) -> Result {
        do {
            let result = try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask {
                    for await text in self.texts.stream {
                        do {
                            try await carry(text)
                        } catch {
                            // Who has the other side's description may get through without a mailbox.
                            try await self.peerLeft(Self.explain(error))
                        }
                    }
                    // What is told to the other side leaves before this side gives up.
                    try await self.checkPairing()
                    return nil
                }
                group.addTask {
                    try await self.begin()
                    for await input in inputs { try await self.receive(input) }
                    return nil
                }
                group.addTask {
                    for await connection in self.connections.stream { try await self.follow(connection) }
                    return nil
                }
                group.addTask {
                    try await Task.sleep(for: self.configuration.pairingTimeout)
                    try await self.checkAnswered()
                    return nil
                }
                group.addTask {
                    for await channel in self.channels.stream {
                        try await channel.waitUntilOpen()
                        return try await body(channel)
                    }
                    throw CancellationError()
                }
                defer { group.cancelAll() }
                do {
                    while let result = try await group.next() {
                        if let result { return result }
                    }
                } catch {
                    await self.stopWaiting(after: error)
                    group.cancelAll()
                    // Who has it all by then has lost nothing.
                    while let outcome = await group.nextResult() {
                        if case .success(let result?) = outcome { return result }
                    }
                    throw error
                }
                throw CancellationError()
            }
            await self.close()
            return result
        } catch {
            await self.close()
            throw Self.explain(error)
        }
    }

    private static func explain(_ error: any Error) -> FileTransferError {
        switch error {
        case let error as FileTransferError: error
        case let failure as PairingSession.Failure:
            switch failure {
            case .wrongCode: .wrongCode
            case .tampered: .tampered
            case .protocolViolation: .incompatible
            }
        case let error as SignalingChannelError: FileTransferError(error)
        case is CancellationError: .cancelled
        // The channel or the connection went away.
        case is RTCError: .lost
        default: .failed(String(describing: error))
        }
    }

    private func close() async {
        self.texts.continuation.finish()
        self.connections.continuation.finish()
        self.channels.continuation.finish()
        await self.connection?.close()
    }

    /// Closes the connection to a peer that cannot be reached: what was to be sent to it would be waited for.
    private func stopWaiting(after error: any Error) async {
        switch error as? FileTransferError {
        case .noConnection, .lost: await self.connection?.close()
        default: break
        }
    }

    private func checkPairing() throws(PairingSession.Failure) {
        if let failure = self.failure { throw failure }
    }

    /// Whether the other side was shown to have another code.
    var hasRefused: Bool { self.failure == .wrongCode }

    private func checkAnswered() throws(FileTransferError) {
        guard self.hasRemoteDescription else { throw .noAnswer }
    }

    // MARK: Pairing

    private func begin() async throws { try await self.drain() }

    private func receive(_ input: Input) async throws {
        guard self.failure == nil else { return }
        switch input {
        case .left: try self.peerLeft(.lost)
        case .ended(let error): try self.peerLeft(error)
        case .text(let text):
            self.pairing.receive(text)
            try await self.drain()
        }
    }

    /// Does what the pairing has to say. Texts are only put in a queue, so that their order is that of their seals.
    private func drain() async throws {
        while let output = self.pairing.poll() {
            switch output {
            case .transmit(let text): self.texts.continuation.yield(text)
            case .paired:
                await self.report(.paired)
                try await self.connect()
            case .message(let message): try await self.receive(message)
            case .failed(let failure):
                // Who was paired spoke it: what is not said in it now is of somebody in between.
                self.failure = self.connection != nil && failure == .protocolViolation ? .tampered : failure
                self.texts.continuation.finish()
            }
        }
    }

    private func seal(_ message: [String]) {
        self.pairing.send(message)
        while let output = self.pairing.poll() {
            if case .transmit(let text) = output { self.texts.continuation.yield(text) }
        }
    }

    // MARK: Connecting

    private func connect() async throws {
        var configuration = RTCConfiguration()
        configuration.iceServers = self.configuration.iceServers
        configuration.iceTransportPolicy = self.configuration.iceTransportPolicy
        // Messages are large, and the way may be long.
        configuration.limits.sendHighWatermark = 4 << 20
        configuration.limits.sendLowWatermark = 2 << 20
        configuration.limits.receiveHighWatermark = 4 << 20
        configuration.limits.receiveLowWatermark = 2 << 20
        let connection = try RTCPeerConnection(
            configuration: configuration,
            addressPolicy: self.configuration.addressPolicy,
            logger: self.configuration.logger
        )
        self.connection = connection
        self.connections.continuation.yield(connection)
        guard self.pairing.role == .inviter else { return }
        self.channels.continuation.yield(try await connection.createDataChannel(Self.label))
        try await connection.setLocalDescription()
        if let offer = connection.localDescription { self.seal(["offer", offer.sdp]) }
    }

    private func receive(_ message: [String]) async throws {
        guard let connection = self.connection else { return }
        switch (message.first, message.count) {
        case ("offer", 2) where self.pairing.role == .joiner:
            try await connection.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: message[1]))
            try await self.addEarly(to: connection)
            try await connection.setLocalDescription()
            if let answer = connection.localDescription { self.seal(["answer", answer.sdp]) }
        case ("answer", 2) where self.pairing.role == .inviter:
            try await connection.setRemoteDescription(RTCSessionDescription(type: .answer, sdp: message[1]))
            try await self.addEarly(to: connection)
        case ("candidate", 5):
            let candidate = RTCIceCandidateInit(
                candidate: message[1],
                sdpMid: message[2].isEmpty ? nil : message[2],
                sdpMLineIndex: Int(message[3]),
                usernameFragment: message[4].isEmpty ? nil : message[4]
            )
            if self.hasRemoteDescription {
                try? await connection.addIceCandidate(candidate)
            } else if self.early.count < 100 {
                self.early.append(candidate)
            }
        // What a later version may say is no harm.
        default: break
        }
    }

    private func addEarly(to connection: RTCPeerConnection) async throws {
        self.hasRemoteDescription = true
        for candidate in self.early { try? await connection.addIceCandidate(candidate) }
        self.early = []
    }

    private func follow(_ connection: RTCPeerConnection) async throws {
        for await event in connection.events {
            switch event {
            case .iceCandidate(let candidate?):
                self.seal([
                    "candidate", candidate.candidate, candidate.sdpMid ?? "",
                    candidate.sdpMLineIndex.map(String.init) ?? "", candidate.usernameFragment ?? "",
                ])
            case .dataChannel(let channel) where channel.label == Self.label:
                self.channels.continuation.yield(channel)
            case .selectedCandidatePairChange(let pair): await self.report(.connected(FileTransferRoute(pair)))
            case .connectionStateChange(let state):
                self.isDisconnected = state == .disconnected
                if self.isDisconnected, !self.hasToldSilence {
                    self.hasToldSilence = true
                    await self.report(.silent)
                } else if state == .connected, self.hasToldSilence {
                    self.hasToldSilence = false
                    await self.report(.resumed)
                }
                try self.checkPresence()
            case .connectionFailed(let problems): throw FileTransferError.noConnection(problems)
            default: break
            }
        }
    }

    private func peerLeft(_ error: FileTransferError) throws(FileTransferError) {
        // Until its description is here, nothing but the mailbox leads to it.
        guard self.hasRemoteDescription else { throw error }
        self.peerHasLeft = true
        try self.checkPresence()
    }

    /// Silence of one who has left is not waited out.
    private func checkPresence() throws(FileTransferError) {
        if self.peerHasLeft, self.isDisconnected { throw .lost }
    }
}
