import NIOCore
import RTCBase
import RTCCore
public import RTCRooms
public import WebRTC

/// Negotiates a connection with a peer over any signalling path, and keeps it: perfect negotiation (W3C webrtc-pc section 10.7),
/// trickled candidates, restarts of ICE after failures.
///
/// Tracks and channels are added to the connection, and descriptions and candidates exchanged here; nobody else calls the connection's
/// `setLocalDescription`, `setRemoteDescription` and `addIceCandidate`, nor reads its events, which come through ``events``.
///
/// ```swift
/// let negotiator = Negotiator(connection, isPolite: me < other) { message in
///     (try? room.send(.negotiation(message), to: .member(other))) != nil
/// }
/// _ = try await connection.createDataChannel("chat")
/// ```
public actor Negotiator {
    /// Hands a message on to the other side, in the order of the calls and without waiting; false if it cannot.
    public typealias Sending = @Sendable (NegotiationMessage) -> Bool

    /// What happens.
    public enum Event: Sendable {
        /// The connection reports something.
        case connection(RTCPeerConnection.Event)
        /// The negotiation reports something.
        case negotiation(NegotiationEvent)
    }

    /// The connection.
    public nonisolated let connection: RTCPeerConnection
    /// Which connection between the two it is.
    public nonisolated let call: Int
    /// Whether this side gives way when two offers meet.
    public nonisolated let isPolite: Bool
    /// What happens, from the first event on. To be read by one task; ends with the connection.
    public nonisolated let events: AsyncStream<Event>

    /// The connection's executor: what is done with it needs no hop.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.connection.unownedExecutor }

    private var negotiation: Negotiation
    private var isPumping = false
    private var givenUp: (@Sendable () async -> Void)?
    private let sending: Sending
    private let eventContinuation: AsyncStream<Event>.Continuation
    private let wakeUp = WakeUp()

    /// Begins to negotiate: whenever the connection says that it should.
    ///
    /// - Parameters:
    ///   - connection: A new connection, whose events nobody reads.
    ///   - call: Which connection between the two it is, from 1.
    ///   - isPolite: Whether this side gives way when two offers meet. The other side must be the opposite: compare ids, for example.
    ///   - send: Hands a message on to the other side.
    public init(
        _ connection: RTCPeerConnection,
        call: Int = 1,
        isPolite: Bool,
        configuration: NegotiatorConfiguration = NegotiatorConfiguration(),
        send: @escaping Sending
    ) {
        self.connection = connection
        self.call = call
        self.isPolite = isPolite
        self.negotiation = Negotiation(call: call, isPolite: isPolite, configuration: configuration, now: .now())
        self.sending = send
        // As the connection's own events: bounded by what happens to it.
        (self.events, self.eventContinuation) = AsyncStream.makeStream(bufferingPolicy: .unbounded)
        let (events, continuation) = (connection.events, self.eventContinuation)
        Task { [weak self] in
            for await event in events {
                await self?.take(event)
                continuation.yield(.connection(event))
            }
            await self?.connectionEnded()
            continuation.finish()
        }
    }

    // MARK: The user

    /// Takes a message of the other side.
    public func receive(_ message: NegotiationMessage) async {
        self.negotiation.receive(message, now: .now())
        await self.pump()
    }

    /// Says that messages may have been lost, either way: both sides compare where they stand, and repeat what is missing.
    public func resynchronise() async {
        self.negotiation.resynchronise(now: .now())
        await self.pump()
    }

    /// Restarts ICE with an offer of this side.
    public func restart() async {
        self.negotiation.restart(now: .now())
        await self.pump()
    }

    /// Asks the other side for an offer that restarts ICE.
    public func requestRestart() async {
        self.negotiation.requestRestart()
        await self.pump()
    }

    /// Tells the other side that this one is done, and closes the connection.
    ///
    /// - Parameter reason: Words for people.
    public func close(reason: String = "") async {
        self.negotiation.close(reason: reason)
        await self.pump()
        await self.connection.close()
        self.wakeUp.cancel()
    }

    /// Offers of both sides that met.
    public var collisions: Int { self.negotiation.collisions }
    /// Messages of the other side that were of no use, as those of offers that gave way are.
    public var droppedMessages: Int { self.negotiation.droppedMessages }

    /// Calls once when nothing more is tried for the connection.
    func whenGivenUp(_ body: @escaping @Sendable () async -> Void) { self.givenUp = body }

    private func giveUp() {
        guard let body = self.givenUp else { return }
        self.givenUp = nil
        Task { await body() }
    }

    // MARK: The connection

    private func take(_ event: RTCPeerConnection.Event) async {
        switch event {
        case .negotiationNeeded: self.negotiation.negotiationNeeded(now: .now())
        case .iceCandidate(let candidate): self.negotiation.localCandidate(candidate)
        case .connectionStateChange(let state): self.negotiation.connectionStateChanged(to: state, now: .now())
        // No restart of ICE brings DTLS back.
        case .dtlsTransportStateChange(.failed), .dtlsTransportStateChange(.closed):
            guard self.connection.signalingState != .closed else { return }
            self.negotiation.transportEnded()
        default: return
        }
        await self.pump()
    }

    private func connectionEnded() {
        self.negotiation.end()
        self.wakeUp.cancel()
    }

    private func handleTimeout() async {
        self.negotiation.handleTimeout(now: .now())
        await self.pump()
    }

    /// Does what the negotiation asks for; one at a time, whoever calls meanwhile.
    private func pump() async {
        guard !self.isPumping else { return }
        self.isPumping = true
        while let output = self.negotiation.poll() {
            switch output {
            case .send(let message): if !self.sending(message) { self.negotiation.messageLost(now: .now()) }
            case .event(let event):
                self.eventContinuation.yield(.negotiation(event))
                if event == .gaveUp { self.giveUp() }
                if case .bye = event { await self.connection.close() }
            case .perform(let operation):
                let outcome = await self.perform(operation)
                self.negotiation.completed(outcome, now: .now())
            }
        }
        self.isPumping = false
        self.wakeUp.set(self.negotiation.nextTimeout) { [weak self] in
            Task { await self?.handleTimeout() }
        }
    }

    private func perform(_ operation: Negotiation.Operation) async -> Negotiation.Outcome {
        do throws(RTCError) {
            return .done(try await self.connection.perform(operation))
        } catch {
            if case .answer = operation, self.connection.signalingState == .haveRemoteOffer {
                try? await self.connection.setRemoteDescription(RTCSessionDescription(type: .rollback))
            }
            return .failed(error)
        }
    }
}

extension RTCPeerConnection {
    /// Does what a negotiation asks for; gives the description that it is about.
    fileprivate func perform(_ operation: Negotiation.Operation) async throws(RTCError) -> RTCSessionDescription? {
        switch operation {
        case .offer:
            try await self.setLocalDescription()
            return self.localDescription
        case .answer(let sdp):
            try await self.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: sdp))
            try await self.setLocalDescription()
            return self.localDescription
        case .accept(let sdp): try await self.setRemoteDescription(RTCSessionDescription(type: .answer, sdp: sdp))
        case .repeatDescription(let type):
            return [self.pendingLocalDescription, self.currentLocalDescription].compactMap { $0 }
                .first { $0.type == type }
        case .addCandidate(let candidate): try await self.addIceCandidate(candidate.candidateInit)
        case .restartICE: await self.restartIce()
        }
        return nil
    }
}
