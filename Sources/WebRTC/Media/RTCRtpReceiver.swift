public import RTCBase
public import RTCCore
public import RTCRTP
import Synchronization

/// Receives one track (W3C webrtc-pc section 5.3).
public final class RTCRtpReceiver: Sendable {
    private struct Values {
        var state: PeerSession.TransceiverState
        var jitterBufferTarget: Duration?
    }

    let id: TransceiverID
    /// The connection holds its transceivers; they do not hold it.
    weak let shared: PeerShared?
    private let values: Mutex<Values>

    /// The track; muted until media arrives.
    public let track: MediaStreamTrack

    init(_ state: PeerSession.TransceiverState, shared: PeerShared) {
        self.id = state.id
        self.shared = shared
        self.values = Mutex(Values(state: state))
        self.track = MediaStreamTrack(
            id: state.receiverTrackID,
            kind: state.kind,
            label: "remote \(state.kind.rawValue)",
            source: nil,
            isMuted: true
        )
    }

    /// The codecs and header extensions that can be received, with the default configuration.
    public static func getCapabilities(_ kind: MediaKind) -> RTCRtpCapabilities { RTCMediaCapabilities.defaults[kind] }

    /// The transport, `nil` before there is a description.
    public var transport: RTCDtlsTransport? {
        guard self.values.withLock({ $0.state.hasTransport }), let shared = self.shared else { return nil }
        return RTCDtlsTransport(shared: shared)
    }

    /// What was negotiated for receiving.
    public func getParameters() -> RTCRtpReceiveParameters { self.values.withLock { $0.state.receiveParameters } }

    /// How long media is to be held back so that late packets can still be used; `nil`, the default, leaves it to the jitter buffer.
    public var jitterBufferTarget: Duration? { self.values.withLock { $0.jitterBufferTarget } }

    /// Says how long media is to be held back (W3C webrtc-extensions, setting `jitterBufferTarget`).
    ///
    /// - Parameter target: 0 to 4 s, `nil` for the jitter buffer's own choice.
    /// - Throws: `RTCError.Code.range`.
    public func setJitterBufferTarget(_ target: Duration?) throws(RTCError) {
        if let target, target < .zero || target > .seconds(4) {
            throw RTCError(.range, "the jitter buffer's target is \(target), not 0 to 4 s")
        }
        self.values.withLock { $0.jitterBufferTarget = target }
    }

    // MARK: What the event loop reports

    func update(_ state: PeerSession.TransceiverState) { self.values.withLock { $0.state = state } }
}
