internal import NIOCore
internal import RTCBase
internal import Synchronization

/// An association of this package's own engine (RFC 9260, RFC 3758, RFC 6525).
///
/// Confined to its owner: it has no lock, no thread and no clock. Packets are made when they are drained, so everything that is
/// due by then shares them. Only streams that were used take memory, so all 65,535 may be.
final class NativeAssociation: SCTPAssociation {
    /// Where the association stands (RFC 9260 section 4).
    enum Phase {
        case closed
        case cookieWait
        case cookieEchoed
        case established
        case shutdownPending
        case shutdownSent
        case shutdownReceived
        case shutdownAckSent
        /// Over; nothing more comes of it.
        case ended

        /// Whether data goes to and fro.
        var carriesData: Bool {
            switch self {
            case .established, .shutdownPending, .shutdownReceived: return true
            case .closed, .cookieWait, .cookieEchoed, .shutdownSent, .shutdownAckSent, .ended: return false
            }
        }

        /// Whether data from the peer is taken, and acknowledged.
        var takesData: Bool { self.carriesData || self == .shutdownSent }
    }

    static let streamLimit = 65_535

    let configuration: SCTPConfiguration
    var now = NIODeadline.uptimeNanoseconds(0)
    var random: RandomSource
    var phase = Phase.closed

    // Handshake.
    var remotePort: UInt16 = 0
    var localTag: UInt32 = 0
    var peerTag: UInt32 = 0
    let initialTSN: UInt32
    let cookieSecret: [UInt8]
    var peer: Initiation?
    var initTries = 0
    /// Whether the peer was seen to begin anew.
    var isRestarted = false
    var outgoingStreams = 0
    /// What the peer said it has.
    var peerStreams = 0
    var peerImplementation = SCTPPeerImplementation.unknown

    // Sending.
    var queue = SendQueue()
    var outstanding: OutstandingChunks
    var congestion: CongestionControl
    var roundTrip: RetransmissionTimeout
    var peerWindow = 0
    /// The losses up to this number are one event: the window was reduced for it.
    var recoveryEnd: Int64 = .min
    /// Whether what was sent before a time-out is still being sent again.
    var isRecoveringFromTimeout = false
    var errorCount = 0
    var mustProbe = false
    /// Whether new data was sent since the time of the probe was set.
    var hasSentNew = false
    /// Whether the time-out under way came late and was put off: once, or a host that is always late would never send again.
    var isGraceUsed = false
    var isWindowFull = false
    var lastSentAt = NIODeadline.uptimeNanoseconds(0)
    var lastSackAt = NIODeadline.uptimeNanoseconds(0)
    var controls: [ControlChunk] = []
    /// Chunks that go alone, with a tag of their own.
    var immediate: [(tag: UInt32, chunk: ControlChunk)] = []
    static let maximumImmediate = 8
    static let maximumControls = 64
    var mustSkip = false
    /// What the peer was told last of what was given up: up to which number, and how far that goes in all.
    var skipTold: (number: Int64, target: Int64, at: NIODeadline)?

    // Receiving.
    var reassembly: Reassembly?
    var received = ReceiveQueue()
    var acknowledgement = AcknowledgementPolicy()
    /// What the last acknowledgement announced.
    var announcedWindow = 0

    // Streams (RFC 6525).
    var reconfiguration: Reconfiguration

    var timers = Timers()

    /// - Parameter initialTSN: The number of the first chunk; a random one if `nil`.
    init(configuration: SCTPConfiguration, random: RandomSource = .system, initialTSN: UInt32? = nil) {
        var random = random
        self.configuration = configuration
        self.initialTSN = initialTSN ?? UInt32(truncatingIfNeeded: random.next())
        self.cookieSecret = random.bytes(count: 16)
        self.outstanding = OutstandingChunks(initialTSN: self.initialTSN)
        self.congestion = CongestionControl(configuration)
        self.roundTrip = RetransmissionTimeout(
            initial: configuration.tuning.initialRTOMilliseconds,
            minimum: configuration.tuning.minimumRTOMilliseconds,
            maximum: configuration.tuning.maximumRTOMilliseconds
        )
        self.reconfiguration = Reconfiguration(firstRequest: self.initialTSN)
        self.random = random
        SCTPRuntime.nativeAssociations.add(1, ordering: .relaxed)
    }

    deinit {
        SCTPRuntime.nativeAssociations.subtract(1, ordering: .relaxed)
    }

    let fillsPackets = true
    /// There are as many from the start as the peer takes.
    let canAddStreams = false
    /// usrsctp adds streams when it needs them, and everybody else has all of them.
    var incomingStreams: Int {
        guard case .usrsctp = self.peerImplementation, self.peer?.supportsReconfiguration == true else {
            return self.peerStreams
        }
        return Self.streamLimit
    }
    var hasFailed: Bool { self.phase == .ended }

    /// The most bytes of user data in a chunk: what fills a packet, in whole words.
    var chunkCapacity: Int {
        (self.configuration.packetSize - ChunkReader.packetHeaderSize - SentChunk.headerSize) & ~3
    }

    // MARK: The owner's calls

    func drive(_ body: () -> Void) { body() }
    func setCorked(_ isCorked: Bool) {}
    func setBulk(_ isBulk: Bool) {}
    func addOutgoingStreams(_ count: Int) -> Bool { false }
    func takeReadable() -> Bool { !self.received.isEmpty }

    func send(_ message: borrowing SCTPOutgoing) -> SCTPSendResult {
        guard self.phase == .established else { return .failed }
        guard self.queue.byteCount + self.outstanding.bytesInFlight < self.configuration.sendBuffer else {
            return .wouldBlock
        }
        self.queue.append(
            message.buffer ?? ByteBuffer(bytes: message.bytes),
            stream: message.stream,
            payloadProtocol: message.payloadProtocol,
            isOrdered: message.isOrdered,
            rule: AbandonmentRule(message.reliability, now: self.now)
        )
        return .accepted(message.bytes.count)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> SCTPReadResult {
        let result = self.received.next()
        if case .message = result { self.noteRead() }
        return result
    }

    /// Tells the peer of room in the window, when there is much more than it knows of (RFC 9260 section 6.2).
    private func noteRead() {
        guard self.phase.carriesData else { return }
        let window = self.receiveWindow
        let step = min(self.configuration.receiveBuffer / 2, 65_536)
        if self.announcedWindow < step, window >= self.announcedWindow + step { self.acknowledgement.isUrgent = true }
    }

    /// What may still come, in bytes.
    var receiveWindow: Int { max(0, self.configuration.receiveBuffer - self.held) }

    /// What is taken of a peer that sends more than was announced. One that keeps to it may do so as well: it does not count what a small
    /// message costs here beyond its bytes.
    var roomBeyondWindow: Int { 2 * self.configuration.receiveBuffer - self.held }

    /// What was received and not read yet, in bytes.
    private var held: Int { self.received.byteCount + (self.reassembly?.byteCount ?? 0) }

    var status: SCTPAssociationStatus? {
        guard self.phase != .closed, self.phase != .ended else { return nil }
        return SCTPAssociationStatus(
            congestionWindow: self.congestion.window,
            peerReceiveWindow: self.peerWindow,
            smoothedRoundTripTime: .nanoseconds(self.roundTrip.smoothed),
            retransmissionTimeout: self.roundTrip.timeout,
            unacknowledgedChunks: self.outstanding.count,
            pendingMessages: self.queue.count,
            pendingBytes: self.queue.byteCount
        )
    }

    // MARK: The end

    func shutdown() {
        switch self.phase {
        case .established: self.phase = .shutdownPending
        case .closed, .cookieWait, .cookieEchoed: self.abort()
        default: return
        }
        self.advanceShutdown()
    }

    func abort() {
        guard self.phase != .ended else { return }
        let wasKnown = self.peerTag != 0
        self.end()
        guard wasKnown else { return }
        var cause: [UInt8] = []
        cause.appendParameter(ErrorCause.userInitiatedAbort, [])
        self.controls = [ControlChunk(type: ChunkType.abort, value: cause)]
    }

    /// The association is over, and its owner is told why.
    func lose(cause: UInt16?, telling chunk: ControlChunk? = nil) {
        guard self.phase != .ended else { return }
        self.end()
        if let chunk { self.controls = [chunk] }
        self.received.append(.lost(cause: cause.map(Int.init)))
    }

    /// The association ended in order.
    func endInOrder() {
        guard self.phase != .ended else { return }
        let controls = self.controls
        self.end()
        self.controls = controls
        self.received.append(.shutdownComplete)
    }

    private func end() {
        self.phase = .ended
        self.timers = Timers()
        self.queue.removeAll()
        self.controls = []
        self.acknowledgement = AcknowledgementPolicy()
        self.mustSkip = false
        self.mustProbe = false
        self.outstanding = OutstandingChunks(initialTSN: self.initialTSN)
    }
}

extension CongestionControl {
    /// The state in which a path begins.
    init(_ configuration: SCTPConfiguration) {
        self.init(
            packet: configuration.packetSize,
            initialPackets: configuration.tuning.initialWindowPackets,
            limit: configuration.tuning.maximumCongestionWindow
        )
    }
}

extension SCTPConfiguration {
    /// The size of a full packet within its limits, in bytes.
    var packetSize: Int { min(max(self.maximumPacketSize, 512), 65_535) }
}
