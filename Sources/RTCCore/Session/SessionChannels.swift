import NIOCore
import RTCBase
import RTCSCTP

/// The data channels of a session, and when their transport may start.
struct SessionChannels {
    private(set) var transport: DataChannelTransport
    /// Whether a channel was ever created here: then offers have a section for data.
    var wereCreated = false
    /// What the descriptions settled; SCTP starts when DTLS is connected too.
    private(set) var negotiated: Negotiated?
    private var isStarted = false
    /// Bytes of messages that were handed up and not read yet.
    var unreadBytes = 0
    /// Whether the SCTP window is closing because of them.
    var isPaused = false

    /// What the descriptions say of SCTP.
    struct Negotiated {
        var isClient: Bool
        var remotePort: UInt16
        /// In bytes; `nil` without limit.
        var remoteMaximumMessageSize: Int?
    }

    init(configuration: RTCConfiguration, wake: @escaping @Sendable () -> Void) {
        var sctp = SCTPConfiguration()
        sctp.maximumMessageSize = configuration.maximumMessageSize
        self.transport = DataChannelTransport(configuration: sctp, wake: wake)
    }

    mutating func negotiated(isClient: Bool, remotePort: UInt16, remoteMaximumMessageSize: Int?) {
        self.negotiated = Negotiated(
            isClient: isClient,
            remotePort: remotePort,
            remoteMaximumMessageSize: remoteMaximumMessageSize
        )
        self.transport.setRole(isClient: isClient)
    }

    mutating func start(now: NIODeadline) {
        guard let negotiated = self.negotiated, !self.isStarted else { return }
        self.isStarted = true
        self.transport.start(
            isClient: negotiated.isClient,
            remotePort: negotiated.remotePort,
            remoteMaximumMessageSize: negotiated.remoteMaximumMessageSize ?? 0,
            now: now
        )
    }

    /// Takes a packet. DTLS may hand one up before it tells that it is connected; SCTP begins then.
    mutating func receive(_ packet: RawSpan, now: NIODeadline) {
        self.start(now: now)
        self.transport.receive(packet, now: now)
    }

    func handleTimeout(now: NIODeadline) { self.transport.handleTimeout(now: now) }

    var nextTimeout: NIODeadline? { self.transport.nextTimeout }

    func drainPackets(_ body: (UnsafeRawBufferPointer) -> Void) { self.transport.drainPackets(body) }

    /// Makes ready for another association; the channels of the one before have ended.
    mutating func restart(wake: @escaping @Sendable () -> Void) {
        self.transport = DataChannelTransport(replacing: self.transport, wake: wake)
        self.isStarted = false
        if self.isPaused { self.transport.pauseReading() }
    }

    func transportLost(_ error: RTCError) { self.transport.fail(error) }
}
