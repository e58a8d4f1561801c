import NIOCore
public import RTCBase
import RTCCore
import Synchronization

/// Plays tones of a telephone to the peer (W3C webrtc-pc section 7).
///
/// Tones are sent as telephone events (RFC 4733) in the stream of the sender's sound, whose place they take while they last.
public final class RTCDTMFSender: Sendable {
    private struct Values {
        var state: PeerSession.TransceiverState
        var hasTrack = false
        var toneBuffer = ""
    }

    private let id: TransceiverID
    /// The connection holds its senders; they do not hold it.
    private weak let shared: PeerShared?
    private let values: Mutex<Values>
    private let continuation: AsyncStream<String>.Continuation

    /// The tones as they begin; an empty text when all were played. The last 64 that were not read. To be read by one task. The
    /// connection's own events tell of them too.
    public let toneChanges: AsyncStream<String>

    init(_ state: PeerSession.TransceiverState, shared: PeerShared) {
        self.id = state.id
        self.shared = shared
        self.values = Mutex(Values(state: state))
        (self.toneChanges, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(64))
    }

    deinit { self.continuation.finish() }

    /// Whether ``insertDTMF(_:duration:interToneGap:)`` may be called: the connection is connected, the sender has a track and is to send
    /// it, and the peer takes telephone events.
    public var canInsertDTMF: Bool {
        guard self.shared?.current.connectionState == .connected else { return false }
        return self.values.withLock { $0.hasTrack && $0.state.canCarryTones }
    }

    /// The tones that wait to be played.
    public var toneBuffer: String { self.values.withLock { $0.toneBuffer } }

    /// Replaces the tones that wait. One under way is played to its end; an empty text stops after it.
    ///
    /// - Parameters:
    ///   - tones: `0` to `9`, `A` to `D` (small letters are made large), `*`, `#`, and `,` for a pause of 2 s; at most 4,096.
    ///   - duration: How long each tone lasts, brought into 40 ms to 6 s. Default 100 ms.
    ///   - interToneGap: The silence between tones, brought into 30 ms to 6 s. Default 70 ms.
    /// - Throws: `RTCError.Code.invalidState` unless ``canInsertDTMF``, `RTCError.Code.invalidCharacter` for other characters,
    ///   `RTCError.Code.quotaExceeded` for too many.
    public func insertDTMF(
        _ tones: String,
        duration: Duration = .milliseconds(100),
        interToneGap: Duration = .milliseconds(70)
    ) async throws(RTCError) {
        let id = self.id
        try await self.shared.perform { (driver) throws(RTCError) in
            try driver.session.insertDTMF(
                tones,
                duration: TimeAmount(duration),
                gap: TimeAmount(interToneGap),
                of: id,
                now: .now()
            )
            let waiting = driver.session.toneBuffer(of: id)
            self.values.withLock { $0.toneBuffer = waiting }
        }
    }

    // MARK: What the event loop reports

    func update(_ state: PeerSession.TransceiverState) { self.values.withLock { $0.state = state } }

    func setHasTrack(_ hasTrack: Bool) { self.values.withLock { $0.hasTrack = hasTrack } }

    func toneChanged(to tone: String, remaining: String) {
        self.values.withLock { $0.toneBuffer = remaining }
        self.continuation.yield(tone)
    }

    /// The connection or the transceiver is over.
    func end() { self.continuation.finish() }
}
