public import RTCBase
public import RTCCore
public import RTCRTP
import Synchronization

/// How a transceiver is made (W3C webrtc-pc section 5.1).
public struct RTCRtpTransceiverInit: Sendable {
    /// Whether it sends and receives. Default sendrecv.
    public var direction: RTCRtpTransceiverDirection
    /// The streams that the peer shall see the track in. Default none.
    public var streams: [MediaStream]
    /// The encodings to send; several for simulcast. Default one.
    public var sendEncodings: [RTCRtpEncodingParameters]

    /// How a transceiver is made; everything has a default.
    public init(
        direction: RTCRtpTransceiverDirection = .sendrecv,
        streams: [MediaStream] = [],
        sendEncodings: [RTCRtpEncodingParameters] = []
    ) {
        self.direction = direction
        self.streams = streams
        self.sendEncodings = sendEncodings
    }
}

/// A sender and a receiver that share a section of the descriptions (W3C webrtc-pc section 5.4).
public final class RTCRtpTransceiver: Sendable {
    let id: TransceiverID
    /// The connection holds its transceivers; they do not hold it.
    weak let shared: PeerShared?
    private let state: Mutex<PeerSession.TransceiverState>

    /// What it carries, both ways.
    public let kind: MediaKind
    /// The sending half.
    public let sender: RTCRtpSender
    /// The receiving half.
    public let receiver: RTCRtpReceiver

    init(_ state: PeerSession.TransceiverState, shared: PeerShared) {
        self.id = state.id
        self.kind = state.kind
        self.shared = shared
        self.state = Mutex(state)
        self.sender = RTCRtpSender(state, shared: shared)
        self.receiver = RTCRtpReceiver(state, shared: shared)
    }

    // MARK: Attributes

    /// The identification of its section, `nil` while it has none.
    public var mid: String? { self.state.withLock { $0.mid } }
    /// What it is to do from the next negotiation on; stopped once ``stop()`` was called by either side.
    public var direction: RTCRtpTransceiverDirection { self.state.withLock { $0.direction } }
    /// What was negotiated, `nil` before that.
    public var currentDirection: RTCRtpTransceiverDirection? { self.state.withLock { $0.currentDirection } }

    // MARK: Changes

    /// Says what it is to do from the next negotiation on (W3C: setting `direction`).
    ///
    /// - Throws: `RTCError.Code.invalidState` if it is stopped or the connection closed, `RTCError.Code.type` for stopped.
    public func setDirection(_ direction: RTCRtpTransceiverDirection) async throws(RTCError) {
        let id = self.id
        try await self.shared.perform { (driver) throws(RTCError) in
            try driver.session.setDirection(direction, of: id)
        }
    }

    /// Ends it for good: at once here, and at the peer's with the next negotiation.
    ///
    /// - Throws: `RTCError.Code.invalidState` if the connection is closed.
    public func stop() async throws(RTCError) {
        let id = self.id
        try await self.shared.perform { (driver) throws(RTCError) in try driver.session.stop(id) }
    }

    /// Says which codecs to negotiate, in which order. None restores the default.
    ///
    /// `audio/red` before the codec that it carries asks for redundant sound to be sent (RFC 2198). `video/flexfec-03` is offered only where
    /// it is named here, or the peer has named it before.
    ///
    /// - Throws: `RTCError.Code.invalidModification` for a codec that is not among the connection's capabilities, or if none of
    ///   them carries media.
    public func setCodecPreferences(_ codecs: [RTCRtpCodec]) async throws(RTCError) {
        let id = self.id
        try await self.shared.perform { (driver) throws(RTCError) in
            try driver.session.setCodecPreferences(codecs, of: id)
        }
    }

    /// The header extensions to negotiate (W3C webrtc-extensions).
    public func getHeaderExtensionsToNegotiate() -> [RTCRtpHeaderExtensionCapability] {
        self.state.withLock { $0.headerExtensionsToNegotiate }
    }

    /// Says in which directions to negotiate header extensions (W3C webrtc-extensions).
    ///
    /// - Parameter extensions: What ``getHeaderExtensionsToNegotiate()`` gives, with directions changed.
    /// - Throws: `RTCError.Code.invalidModification` for other extensions or another order.
    public func setHeaderExtensionsToNegotiate(
        _ extensions: [RTCRtpHeaderExtensionCapability]
    ) async throws(RTCError) {
        let id = self.id
        try await self.shared.perform { (driver) throws(RTCError) in
            try driver.session.setHeaderExtensions(extensions, of: id)
        }
    }

    /// The header extensions that were negotiated: those that were not are stopped (W3C webrtc-extensions).
    public func getNegotiatedHeaderExtensions() -> [RTCRtpHeaderExtensionCapability] {
        self.state.withLock { $0.negotiatedHeaderExtensions }
    }

    // MARK: What the event loop reports

    func update(_ state: PeerSession.TransceiverState) {
        self.state.withLock { $0 = state }
        self.sender.update(state)
        self.receiver.update(state)
    }

    /// It is no longer one of the connection's.
    func left() {
        let last = self.state.withLock { state -> PeerSession.TransceiverState in
            state.mid = nil
            state.direction = .stopped
            state.currentDirection = .stopped
            state.isStopping = true
            state.isStopped = true
            state.hasTransport = false
            return state
        }
        self.sender.update(last)
        self.receiver.update(last)
    }
}
