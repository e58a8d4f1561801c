public import Logging
public import NIOCore
import NIOPosix
public import RTCBase
public import RTCCore
import RTCDTLS
import RTCSCTP

/// A connection to a peer (W3C webrtc-pc section 4.4).
///
/// The connection lives on one event loop, which is this actor's executor. What W3C has as attributes can be read without waiting; what
/// it has as events comes through ``events``, from the first on, whenever reading begins.
///
/// ```swift
/// let connection = try RTCPeerConnection()
/// let channel = try await connection.createDataChannel("chat")
/// try await connection.setLocalDescription()
/// ```
///
/// Close it with ``close()``: a connection that is only forgotten keeps its sockets until its peer goes away.
public actor RTCPeerConnection {
    private nonisolated let executor: any SerialExecutor
    private let driver: NIOLoopBoundBox<PeerDriver?>
    nonisolated let shared: PeerShared
    private var configuration: RTCConfiguration
    private let certificate: RTCCertificate

    /// What happens, from the first event on. To be read by one task.
    public nonisolated let events: AsyncStream<Event>
    /// The event loop that the connection lives on.
    public nonisolated let eventLoop: any EventLoop

    /// The event loop as an executor: the actor's code runs there, without a hop from what arrives.
    public nonisolated var unownedExecutor: UnownedSerialExecutor { self.executor.asUnownedSerialExecutor() }

    // MARK: Making a connection

    /// A connection with sockets of its own, on ports that the system chooses.
    ///
    /// - Parameters:
    ///   - configuration: What W3C `RTCConfiguration` says, and more.
    ///   - addressPolicy: Which local addresses are used and announced.
    ///   - eventLoop: Where the connection lives. Default: one of the process's own.
    ///   - logger: Where it logs to. Default: nowhere.
    /// - Throws: `RTCError.Code.syntax`, `RTCError.Code.invalidAccess` or `RTCError.Code.type` for a configuration
    ///   that W3C refuses.
    public init(
        configuration: RTCConfiguration = RTCConfiguration(),
        addressPolicy: RTCAddressPolicy = .defaults,
        eventLoop: (any EventLoop)? = nil,
        logger: Logger? = nil
    ) throws(RTCError) {
        try addressPolicy.validate()
        let eventLoop = eventLoop ?? MultiThreadedEventLoopGroup.singleton.next()
        try self.init(
            configuration: configuration,
            certificate: nil,
            ufragPrefix: "",
            eventLoop: eventLoop,
            logger: logger
        ) { PrivateSockets(eventLoop: eventLoop, policy: addressPolicy) }
    }

    init(
        configuration: RTCConfiguration,
        certificate: SharedCertificate?,
        ufragPrefix: String,
        eventLoop: any EventLoop,
        logger: Logger?,
        network: @escaping @Sendable () -> any PeerNetwork
    ) throws(RTCError) {
        try configuration.validate()
        let identity: SharedCertificate
        if let given = configuration.certificates.first {
            identity = try SharedCertificate(given)
        } else if let certificate {
            identity = certificate
        } else {
            identity = try SharedCertificate.ofProcess()
        }
        let (events, continuation) = AsyncStream<Event>.makeStream(bufferingPolicy: .unbounded)
        let shared = PeerShared(eventLoop: eventLoop, limits: configuration.limits, events: continuation)
        self.events = events
        self.eventLoop = eventLoop
        self.executor = eventLoop.executor
        self.shared = shared
        self.configuration = configuration
        self.certificate = identity.certificate
        let box = NIOLoopBoundBox<PeerDriver?>.makeEmptyBox(valueType: PeerDriver.self, eventLoop: eventLoop)
        self.driver = box
        shared.attach(box)
        let logger = logger ?? Logger(label: "webrtc", factory: { _ in SwiftLogNoOpLogHandler() })
        eventLoop.runOrExecute {
            let environment = PeerSession.Environment(
                certificate: identity.certificate,
                dtlsContext: identity.context,
                ufragPrefix: ufragPrefix,
                wallClock: WallClock.ntp,
                wake: { [weak shared] in shared?.wake() }
            )
            let network = network()
            let driver = PeerDriver(
                eventLoop: eventLoop,
                session: PeerSession(configuration: configuration, environment: environment),
                shared: shared,
                network: network,
                configuration: configuration,
                logger: logger
            )
            // In this order: an endpoint that is closed already closes the driver, which empties the box.
            box.value = driver
            network.adopt(driver)
            // The pool gathers from here on.
            if configuration.iceCandidatePoolSize > 0 { driver.pump() }
        }
    }

    /// The driver; `nil` after ``close()``.
    private func openDriver() throws(RTCError) -> PeerDriver {
        guard let driver = self.driver.value else { throw RTCError(.invalidState, "the connection is closed") }
        return driver
    }

    /// Runs `body` on the session, then does what follows from it.
    private func withSession<Result>(
        _ body: (PeerSession, NIODeadline) throws(RTCError) -> Result
    ) throws(RTCError) -> Result {
        let driver = try self.openDriver()
        defer { driver.finishCall() }
        return try body(driver.session, .now())
    }

    // MARK: Descriptions

    /// Makes an offer (W3C webrtc-pc section 4.4.2).
    ///
    /// - Throws: `RTCError.Code.invalidState` if the connection is closed or a remote offer waits for its answer.
    public func createOffer(
        _ options: RTCOfferOptions = RTCOfferOptions()
    ) async throws(RTCError) -> RTCSessionDescription {
        try self.withSession { (session, _) throws(RTCError) in try session.createOffer(options) }
    }

    /// Makes the answer to the remote offer (W3C webrtc-pc section 4.4.2).
    ///
    /// - Throws: `RTCError.Code.invalidState` if there is no remote offer.
    public func createAnswer() async throws(RTCError) -> RTCSessionDescription {
        try self.withSession { (session, _) throws(RTCError) in try session.createAnswer() }
    }

    /// Sets a description of this side; without one, makes the one that fits the state (W3C webrtc-pc section 4.4.2).
    ///
    /// - Throws: `RTCError.Code.invalidState`, or `RTCError.Code.invalidModification` for a text that is not the last one created.
    public func setLocalDescription(_ description: RTCSessionDescription? = nil) async throws(RTCError) {
        try self.withSession { (session, now) throws(RTCError) in
            try session.setLocalDescription(description, now: now)
        }
    }

    /// Sets a description of the peer (W3C webrtc-pc section 4.4.2). An offer that meets one of ours takes ours back first.
    ///
    /// - Throws: `RTCError.Code.rtc` with the line of a syntax error, `RTCError.Code.invalidAccess` or
    ///   `RTCError.Code.invalidState`.
    public func setRemoteDescription(_ description: RTCSessionDescription) async throws(RTCError) {
        try self.withSession { (session, now) throws(RTCError) in
            try session.setRemoteDescription(description, now: now)
        }
    }

    /// Adds a candidate of the peer; `nil` says there will be no more (W3C webrtc-pc section 4.4.2).
    ///
    /// - Throws: `RTCError.Code.type`, `RTCError.Code.invalidState` or `RTCError.Code.operation`.
    public func addIceCandidate(_ candidate: RTCIceCandidateInit?) async throws(RTCError) {
        try self.withSession { (session, now) throws(RTCError) in
            try session.addICECandidate(candidate, now: now)
        }
    }

    /// Adds a candidate of the peer (W3C webrtc-pc section 4.4.2).
    public func addIceCandidate(_ candidate: RTCIceCandidate) async throws(RTCError) {
        try await self.addIceCandidate(candidate.toInit())
    }

    /// Asks for a restart of ICE with the next offer; fires ``Event/negotiationNeeded`` (W3C webrtc-pc section 4.4.2).
    public func restartIce() async {
        guard self.driver.value != nil else { return }
        try? self.withSession { (session, _) throws(RTCError) in try session.restartICE() }
    }

    // MARK: Beyond W3C

    /// Waits until all local candidates are found, and returns the local description with all of them: for signalling that carries
    /// one message each way, without trickle.
    ///
    /// - Throws: `RTCError.Code.invalidState` without a local description, and when the connection is closed meanwhile.
    public func gatheredDescription() async throws(RTCError) -> RTCSessionDescription {
        while true {
            let snapshot = self.snapshot
            guard let description = self.localDescription, snapshot.signalingState != .closed else {
                throw RTCError(.invalidState, "there is no local description, or the connection is closed")
            }
            // A description without any section has nothing to gather.
            let hasTransport = snapshot.transports != nil && description.sdp.contains("a=ice-ufrag")
            guard hasTransport, snapshot.iceGatheringState != .complete else { return description }
            await self.shared.waitForGathering()
        }
    }

    /// How the connection stands and what is likely in its way: candidates of both sides, every pair and what became of it, the
    /// servers' last answers. `nil` after ``close()``.
    public func diagnose() async -> RTCConnectionDiagnosis? { self.driver.value?.session.diagnose() }

    // MARK: Configuration

    /// The configuration as it is now (W3C webrtc-pc section 4.4.2).
    public func getConfiguration() async -> RTCConfiguration { self.configuration }

    /// Changes the configuration, all or nothing (W3C webrtc-pc section 4.4.2). Servers take effect with the next gathering.
    ///
    /// - Throws: `RTCError.Code.invalidState` after ``close()``, `RTCError.Code.invalidModification` for what must stay,
    ///   and the errors of the initialiser.
    public func setConfiguration(_ configuration: RTCConfiguration) async throws(RTCError) {
        let driver = try self.openDriver()
        try configuration.validate()
        try self.configuration.checkChange(to: configuration, hasLocalDescription: self.localDescription != nil)
        var configuration = configuration
        if configuration.certificates.isEmpty { configuration.certificates = self.configuration.certificates }
        self.configuration = configuration
        driver.update(configuration)
        driver.session.update(configuration, now: .now())
        driver.finishCall()
    }

    // MARK: Data channels

    /// Makes a data channel (W3C webrtc-pc section 6.1).
    ///
    /// - Parameters:
    ///   - label: Its name, at most 65,535 bytes of UTF-8.
    ///   - options: Order, reliability, protocol, id.
    /// - Throws: `RTCError.Code.invalidState` after ``close()``, `RTCError.Code.type` for options that contradict each other or are
    ///   out of range, `RTCError.Code.operation` for an id that is taken.
    public func createDataChannel(
        _ label: String,
        _ options: RTCDataChannelInit = RTCDataChannelInit()
    ) async throws(RTCError) -> RTCDataChannel {
        let parameters = try options.parameters(label: label)
        let driver = try self.openDriver()
        return try self.withSession { (session, now) throws(RTCError) in
            let (handle, id) = try session.createDataChannel(parameters, id: options.effectiveID, now: now)
            let channel = RTCDataChannel(handle: handle, parameters: parameters, id: id, shared: self.shared)
            driver.add(channel, handle: handle)
            return channel
        }
    }

    // MARK: Statistics

    /// What the connection measures (W3C webrtc-stats).
    public func getStats() async -> RTCStatsReport {
        guard let driver = self.driver.value else { return self.shared.finalStatistics }
        return driver.session.statistics(now: .now(), timestamp: WallClock.milliseconds)
    }

    /// What the connection measures of one track that it sends or receives, and all that belongs to it (W3C webrtc-pc section 8.2).
    ///
    /// - Parameter selector: The track; `nil` for the whole connection.
    /// - Throws: `RTCError.Code.invalidAccess` unless exactly one sender or receiver has the track.
    public func getStats(_ selector: MediaStreamTrack?) async throws(RTCError) -> RTCStatsReport {
        guard let selector else { return await self.getStats() }
        let transceivers = self.snapshot.transceivers
        var found = transceivers.filter { $0.sender.track === selector }.map { StatsSelector.sender($0.id) }
        found += transceivers.filter { $0.receiver.track === selector }.map { StatsSelector.receiver($0.id) }
        guard let only = found.first, found.count == 1 else {
            throw RTCError(.invalidAccess, "\(found.count) senders and receivers have the track, not one")
        }
        return await PeerShared?(self.shared).statistics(of: only)
    }

    // MARK: Closing

    /// Closes the connection; always ends (W3C webrtc-pc section 4.4.2). The peer is told; messages that were not sent yet are lost:
    /// close the channels first to have them delivered.
    public func close() async {
        self.driver.value?.close()
    }
}

extension EventLoop {
    /// Runs `body` now when on the loop, else later.
    func runOrExecute(_ body: @escaping @Sendable () -> Void) {
        if self.inEventLoop {
            body()
        } else {
            self.execute(body)
        }
    }
}

// MARK: - Attributes

extension RTCPeerConnection {
    /// What can be read of a connection at any time, as it was when the last event was sent.
    public struct Snapshot: Sendable {
        /// Where the exchange of descriptions stands (W3C webrtc-pc section 4.3.1).
        public fileprivate(set) var signalingState: RTCSignalingState = .stable
        /// How far local candidates are collected (section 4.3.2).
        public fileprivate(set) var iceGatheringState: RTCIceGatheringState = .new
        /// The state of ICE (section 4.3.4).
        public fileprivate(set) var iceConnectionState: RTCIceConnectionState = .new
        /// The state of the connection as a whole (section 4.3.3).
        public fileprivate(set) var connectionState: RTCPeerConnectionState = .new
        /// The local description that was negotiated last, with all candidates gathered so far.
        public fileprivate(set) var currentLocalDescription: RTCSessionDescription?
        /// The local description under negotiation; `nil` when stable.
        public fileprivate(set) var pendingLocalDescription: RTCSessionDescription?
        /// The remote description that was negotiated last, with the candidates added since.
        public fileprivate(set) var currentRemoteDescription: RTCSessionDescription?
        /// The remote description under negotiation; `nil` when stable.
        public fileprivate(set) var pendingRemoteDescription: RTCSessionDescription?
        /// Whether the peer takes candidates one by one; `nil` before its first description.
        public fileprivate(set) var canTrickleIceCandidates: Bool?
        /// The transports' states and parameters; `nil` before the first description.
        public fileprivate(set) var transports: PeerSession.TransportSnapshot?
        /// The transceivers, in the order in which they were made; those that are over are left out.
        public fileprivate(set) var transceivers: [RTCRtpTransceiver] = []

        mutating func update(from session: PeerSession, transceivers: [RTCRtpTransceiver]) {
            self.transceivers = transceivers
            self.signalingState = session.signalingState
            self.iceGatheringState = session.iceGatheringState
            self.iceConnectionState = session.iceConnectionState
            self.connectionState = session.connectionState
            self.currentLocalDescription = session.currentLocalDescription
            self.pendingLocalDescription = session.pendingLocalDescription
            self.currentRemoteDescription = session.currentRemoteDescription
            self.pendingRemoteDescription = session.pendingRemoteDescription
            self.canTrickleIceCandidates = session.canTrickleIceCandidates
            self.transports = session.transportSnapshot
        }
    }

    /// All attributes at one moment.
    public nonisolated var snapshot: Snapshot { self.shared.current }
    /// Where the exchange of descriptions stands.
    public nonisolated var signalingState: RTCSignalingState { self.snapshot.signalingState }
    /// How far local candidates are collected.
    public nonisolated var iceGatheringState: RTCIceGatheringState { self.snapshot.iceGatheringState }
    /// The state of ICE.
    public nonisolated var iceConnectionState: RTCIceConnectionState { self.snapshot.iceConnectionState }
    /// The state of the connection as a whole.
    public nonisolated var connectionState: RTCPeerConnectionState { self.snapshot.connectionState }
    /// The local description in use, or the one on its way to be; with all candidates gathered so far.
    public nonisolated var localDescription: RTCSessionDescription? {
        let snapshot = self.snapshot
        return snapshot.pendingLocalDescription ?? snapshot.currentLocalDescription
    }
    /// The local description that was negotiated last.
    public nonisolated var currentLocalDescription: RTCSessionDescription? { self.snapshot.currentLocalDescription }
    /// The local description under negotiation.
    public nonisolated var pendingLocalDescription: RTCSessionDescription? { self.snapshot.pendingLocalDescription }
    /// The remote description in use, or the one on its way to be.
    public nonisolated var remoteDescription: RTCSessionDescription? {
        let snapshot = self.snapshot
        return snapshot.pendingRemoteDescription ?? snapshot.currentRemoteDescription
    }
    /// The remote description that was negotiated last.
    public nonisolated var currentRemoteDescription: RTCSessionDescription? { self.snapshot.currentRemoteDescription }
    /// The remote description under negotiation.
    public nonisolated var pendingRemoteDescription: RTCSessionDescription? { self.snapshot.pendingRemoteDescription }
    /// Whether the peer takes candidates one by one; `nil` before its first description.
    public nonisolated var canTrickleIceCandidates: Bool? { self.snapshot.canTrickleIceCandidates }
    /// The SCTP transport, `nil` while no data section is negotiated.
    public nonisolated var sctp: RTCSctpTransport? {
        self.snapshot.transports?.sctpState == nil ? nil : RTCSctpTransport(shared: self.shared)
    }
}
