public import RTCBase
public import RTCCore
public import RTCRTP
import Synchronization

/// Sends one track (W3C webrtc-pc section 5.2).
public final class RTCRtpSender: Sendable {
    private struct Values {
        var state: PeerSession.TransceiverState
        var track: MediaStreamTrack?
        /// What `getParameters` returned last, until it is used or something else is negotiated.
        var lastParameters: RTCRtpSendParameters?
        var transform: (@Sendable (RTCEncodedFrame) -> RTCEncodedFrame?)?
        var targets: [Int: Bitrate] = [:]
    }

    let id: TransceiverID
    /// The connection holds its transceivers; they do not hold it.
    weak let shared: PeerShared?
    private let values: Mutex<Values>
    private let outlet: SenderOutlet?

    /// Plays tones of a telephone; `nil` for pictures (W3C webrtc-pc section 7.1).
    public let dtmf: RTCDTMFSender?

    init(_ state: PeerSession.TransceiverState, shared: PeerShared) {
        self.id = state.id
        self.shared = shared
        self.outlet = shared.outlet(of: state.id)
        self.dtmf = state.kind == .audio ? RTCDTMFSender(state, shared: shared) : nil
        self.values = Mutex(Values(state: state))
    }

    /// The codecs and header extensions that can be sent, with the default configuration.
    public static func getCapabilities(_ kind: MediaKind) -> RTCRtpCapabilities { RTCMediaCapabilities.defaults[kind] }

    // MARK: Attributes

    /// The track, `nil` if there is none.
    public var track: MediaStreamTrack? { self.values.withLock { $0.track } }

    /// The transport, `nil` before there is a description.
    public var transport: RTCDtlsTransport? {
        guard self.values.withLock({ $0.state.hasTransport }), let shared = self.shared else { return nil }
        return RTCDtlsTransport(shared: shared)
    }

    // MARK: Parameters

    /// The parameters. What comes of them is for ``setParameters(_:)``, once.
    public func getParameters() -> RTCRtpSendParameters {
        self.values.withLock { values in
            if let last = values.lastParameters { return last }
            var parameters = values.state.sendParameters
            parameters.transactionId = .randomIdentifier()
            values.lastParameters = parameters
            return parameters
        }
    }

    /// Changes what may be changed of the parameters, without negotiation.
    ///
    /// - Throws: `RTCError.Code.invalidState` if the transceiver is stopped, or ``getParameters()`` was not called before, or something was
    ///   negotiated since; `RTCError.Code.invalidModification` for what is read-only; `RTCError.Code.range` for a scale below 1 or a
    ///   negative frame rate.
    public func setParameters(_ parameters: RTCRtpSendParameters) async throws(RTCError) {
        let (id, last) = (self.id, self.values.withLock { $0.lastParameters })
        try await self.shared.perform { (driver) throws(RTCError) in
            try driver.session.setParameters(parameters, last: last, of: id)
        }
        self.values.withLock { $0.lastParameters = nil }
    }

    // MARK: Track and streams

    /// Puts another track of the same kind, or none, in the place of the present one, without negotiation.
    ///
    /// - Throws: `RTCError.Code.type` for a track of another kind, `RTCError.Code.invalidState` if the transceiver is stopped or the
    ///   connection closed.
    public func replaceTrack(_ track: MediaStreamTrack?) async throws(RTCError) {
        guard track == nil || track?.kind == self.values.withLock({ $0.state.kind }) else {
            throw RTCError(.type, "the track is not of the sender's kind")
        }
        let id = self.id
        try await self.shared.perform { (driver) throws(RTCError) in
            try driver.session.replaceTrack(of: id, with: track?.id)
            self.setTrack(track)
        }
    }

    /// Associates the track with streams; the peer learns of it with the next negotiation.
    ///
    /// - Throws: `RTCError.Code.invalidState` if the connection is closed.
    public func setStreams(_ streams: MediaStream...) async throws(RTCError) { try await self.setStreams(streams) }

    /// Associates the track with streams; the peer learns of it with the next negotiation.
    ///
    /// - Throws: `RTCError.Code.invalidState` if the connection is closed.
    public func setStreams(_ streams: [MediaStream]) async throws(RTCError) {
        let (id, names) = (self.id, streams.map(\.id))
        try await self.shared.perform { (driver) throws(RTCError) in try driver.session.setStreams(names, of: id) }
    }

    // MARK: Statistics

    /// What is measured of the streams that this sends, and all that they refer to (W3C webrtc-pc section 5.2). Empty before negotiation and
    /// once the transceiver is stopped; the connection's own report stays after it was closed.
    public func getStats() async -> RTCStatsReport { await self.shared.statistics(of: .sender(self.id)) }

    // MARK: Media (beyond W3C)

    /// What the network lets an encoding use, headers included; `nil` before that is known. Zero while it is switched off.
    public func targetBitrate(encoding: Int = 0) -> Bitrate? { self.values.withLock { $0.targets[encoding] } }

    /// How many packets and frames were dropped because the event loop did not keep up with those who write.
    public var droppedCount: UInt64 { self.outlet?.droppedCount ?? 0 }

    /// Changes frames before they are cut into packets (W3C webrtc-encoded-transform), on the event loop of the connection; a frame
    /// for which `transform` returns `nil` is not sent. Packets that are forwarded are not changed.
    public func setTransform(_ transform: (@Sendable (RTCEncodedFrame) -> RTCEncodedFrame?)?) {
        self.values.withLock { $0.transform = transform }
    }

    /// The frame that is to be sent in the place of `frame`.
    func transformed(_ frame: RTCEncodedFrame) -> RTCEncodedFrame? {
        guard let transform = self.values.withLock({ $0.transform }) else { return frame }
        return transform(frame)
    }

    // MARK: What the event loop reports

    func setTrack(_ track: MediaStreamTrack?) {
        let before = self.values.withLock { values in
            defer { values.track = track }
            return values.track
        }
        self.dtmf?.setHasTrack(track != nil)
        guard before !== track, let outlet = self.outlet else { return }
        if let before { before.source?.detach(before, from: outlet) }
        if let track { track.source?.attach(track, to: outlet) }
    }

    /// The connection or the transceiver is over: nothing feeds it any more.
    func end() {
        self.dtmf?.end()
        guard let outlet = self.outlet, let track = self.track else { return }
        track.source?.detach(track, from: outlet)
    }

    func keyFrameRequested(encoding: Int) { self.track?.source?.tell(.keyFrameRequest(encoding: encoding)) }

    func mayUse(_ rate: Bitrate, encoding: Int) {
        self.values.withLock { $0.targets[encoding] = rate }
        self.track?.source?.tell(.targetBitrate(rate, encoding: encoding))
    }

    func update(_ state: PeerSession.TransceiverState) {
        self.values.withLock { values in
            if values.state.sendParameters != state.sendParameters { values.lastParameters = nil }
            values.state = state
        }
        self.dtmf?.update(state)
    }
}
