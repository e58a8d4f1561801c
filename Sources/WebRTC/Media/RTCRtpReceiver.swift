import NIOCore
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
    let outlets = ReceiverOutlets()

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
        self.wantsChanged()
    }

    // MARK: Sources

    /// What was heard in the last ten seconds: the streams themselves (W3C webrtc-pc section 5.3, `getSynchronizationSources`).
    public func getSynchronizationSources() async -> [RTCRtpSynchronizationSource] {
        let id = self.id
        let sources = try? await self.shared.perform { (driver) throws(RTCError) in
            driver.session.synchronizationSources(of: id, now: .now())
        }
        return sources ?? []
    }

    /// What was mixed into the streams of the last ten seconds (W3C webrtc-pc section 5.3, `getContributingSources`).
    public func getContributingSources() async -> [RTCRtpContributingSource] {
        let id = self.id
        let sources = try? await self.shared.perform { (driver) throws(RTCError) in
            driver.session.contributingSources(of: id, now: .now())
        }
        return sources ?? []
    }

    // MARK: Statistics

    /// What is measured of the streams that this receives, and all that they refer to (W3C webrtc-pc section 5.3). Empty before the
    /// first packet and once the transceiver is stopped; the connection's own report stays after it was closed.
    public func getStats() async -> RTCStatsReport { await self.shared.statistics(of: .receiver(self.id)) }

    /// Ends what the user reads, with the track.
    func end() { self.outlets.end() }

    // MARK: Media (beyond W3C)

    /// The packets as they come, decrypted, in the order of their arrival, retransmissions and all. For one reader: a new sequence ends the
    /// one before.
    ///
    /// - Parameter limit: How many may wait; the oldest are dropped beyond that. Default 1,024.
    public func packets(limit: Int = 1024) -> AsyncStream<RTCReceivedPacket> {
        defer { self.wantsChanged() }
        return self.outlets.makePackets(limit: limit)
    }

    /// Whole frames in order. What is missing is asked for and waited for; after a loss video goes on with the next key frame, which is
    /// asked for. For one reader: a new sequence ends the one before.
    ///
    /// - Parameter limit: How many may wait; the oldest are dropped beyond that. Default 256.
    public func frames(limit: Int = 256) -> AsyncStream<RTCEncodedFrame> {
        defer { self.wantsChanged() }
        return self.outlets.makeFrames(limit: limit)
    }

    /// The telephone events in the peer's sound (RFC 4733): each as it begins and as it ends. For one reader: a new sequence ends the one
    /// before.
    ///
    /// - Parameter limit: How many may wait; the oldest are dropped beyond that. Default 256.
    public func tones(limit: Int = 256) -> AsyncStream<RTCTelephoneEvent> { self.outlets.makeTones(limit: limit) }

    /// Calls `handler` with each packet as it comes, on the event loop of the connection: the way to forward without a hop. It must not
    /// block. `nil` takes it away.
    public func setPacketHandler(_ handler: (@Sendable (RTCReceivedPacket) -> Void)?) {
        self.outlets.setPacketHandler(handler)
        self.wantsChanged()
    }

    /// Calls `handler` with each frame, on the event loop of the connection. It must not block. `nil` takes it away.
    public func setFrameHandler(_ handler: (@Sendable (RTCEncodedFrame) -> Void)?) {
        self.outlets.setFrameHandler(handler)
        self.wantsChanged()
    }

    /// Changes frames before anybody gets them (W3C webrtc-encoded-transform), on the event loop of the connection; a frame for which
    /// `transform` returns `nil` is dropped. Packets are not changed.
    public func setTransform(_ transform: (@Sendable (RTCEncodedFrame) -> RTCEncodedFrame?)?) {
        self.outlets.setTransform(transform)
    }

    /// How many packets and frames were dropped because nobody read their sequence in time.
    public var droppedCount: UInt64 { self.outlets.droppedCount }

    /// Asks the peer for a key frame; it is asked at most every 200 ms.
    ///
    /// - Parameter encoding: Which of its simulcast encodings; `nil` for all.
    public func requestKeyFrame(encoding: Int? = nil) {
        let id = self.id
        self.shared?.onEventLoop { driver in
            driver.session.requestKeyFrame(of: id, encoding: encoding, now: .now())
            driver.needsPump()
        }
    }

    private func wantsChanged() {
        let (id, outlets) = (self.id, self.outlets)
        let target = self.values.withLock { $0.jitterBufferTarget }
        self.shared?.onEventLoop { driver in
            driver.session.setWants(
                packets: outlets.wantsPackets,
                frames: outlets.wantsFrames,
                target: target.map { TimeAmount($0) },
                of: id
            )
        }
    }

    // MARK: What the event loop reports

    func update(_ state: PeerSession.TransceiverState) { self.values.withLock { $0.state = state } }
}
