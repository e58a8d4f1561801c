import RTCCore
public import RTCRTP
import Synchronization

/// Sound or pictures from one source (W3C mediacapture-streams section 4.3).
///
/// A track that is made here is fed from a ``MediaStreamTrackSource``; a track of a peer belongs to an ``RTCRtpReceiver``. What it carries
/// is encoded: nothing here encodes or decodes.
public final class MediaStreamTrack: Sendable {
    /// Whether a track still has a source (W3C mediacapture-streams section 4.3.3).
    public enum State: String, Sendable, Hashable {
        /// It has.
        case live
        /// It has none any more, and never will.
        case ended
    }

    /// What happened to a track.
    public enum Event: Sendable, Hashable {
        /// Nothing arrives from its source for the time being.
        case mute
        /// Its source delivers.
        case unmute
        /// Its source is gone, other than by ``MediaStreamTrack/stop()``.
        case ended
    }

    private struct Values {
        var isMuted: Bool
        var isEnabled = true
        var state = State.live
        var clones: [WeakTrack] = []
    }

    private struct WeakTrack {
        weak var track: MediaStreamTrack?
    }

    /// The track's identifier, unique in practice.
    public let id: String
    /// What it carries.
    public let kind: MediaKind
    /// A name for people; may be empty.
    public let label: String
    /// What feeds it; `nil` for a track of a peer.
    public let source: MediaStreamTrackSource?
    /// What happens to the track, the last sixteen events that were not read. To be read by one task. The connection's own events tell of a
    /// peer's tracks too.
    public let events: AsyncStream<Event>

    private let values: Mutex<Values>
    private let continuation: AsyncStream<Event>.Continuation

    init(id: String, kind: MediaKind, label: String, source: MediaStreamTrackSource?, isMuted: Bool) {
        self.id = id
        self.kind = kind
        self.label = label
        self.source = source
        self.values = Mutex(Values(isMuted: isMuted))
        (self.events, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
    }

    /// A track that a source feeds. One source may feed many tracks.
    public convenience init(source: MediaStreamTrackSource) {
        self.init(id: .randomIdentifier(), kind: source.kind, label: source.label, source: source, isMuted: false)
    }

    deinit { self.continuation.finish() }

    /// Whether nothing arrives from its source: a peer's track is muted until its first packet.
    public var muted: Bool { self.values.withLock { $0.isMuted } }

    /// Whether what its source delivers is let through. Default `true`.
    public var enabled: Bool {
        get { self.values.withLock { $0.isEnabled } }
        set { self.values.withLock { $0.isEnabled = newValue } }
    }

    /// Whether what its source delivers is to be sent.
    var letsThrough: Bool { self.values.withLock { $0.isEnabled && $0.state == .live } }

    /// Whether it still has a source.
    public var readyState: State { self.values.withLock { $0.state } }

    /// Lets go of the source; no event tells of it.
    public func stop() {
        self.values.withLock { $0.state = .ended }
        self.continuation.finish()
    }

    /// Another track with the same source and in the same state, with an identifier of its own.
    public func clone() -> MediaStreamTrack {
        let now = self.values.withLock { ($0.isMuted, $0.isEnabled, $0.state) }
        let clone = MediaStreamTrack(
            id: .randomIdentifier(),
            kind: self.kind,
            label: self.label,
            source: self.source,
            isMuted: now.0
        )
        clone.enabled = now.1
        if now.2 == .ended { clone.stop() }
        self.values.withLock { values in
            values.clones.removeAll { $0.track == nil }
            values.clones.append(WeakTrack(track: clone))
        }
        return clone
    }

    // MARK: What the connection reports

    /// - Returns: Whether that is a change.
    @discardableResult
    func setMuted(_ isMuted: Bool) -> Bool {
        let (isChange, clones) = self.values.withLock { values -> (Bool, [WeakTrack]) in
            guard values.state == .live, values.isMuted != isMuted else { return (false, []) }
            values.isMuted = isMuted
            return (true, values.clones)
        }
        guard isChange else { return false }
        self.continuation.yield(isMuted ? .mute : .unmute)
        for clone in clones { clone.track?.setMuted(isMuted) }
        return true
    }

    /// The source is gone.
    ///
    /// - Parameter silently: Whether no event tells of it.
    /// - Returns: Whether that is a change.
    @discardableResult
    func end(silently: Bool = false) -> Bool {
        let (isChange, clones) = self.values.withLock { values -> (Bool, [WeakTrack]) in
            guard values.state == .live else { return (false, []) }
            values.state = .ended
            return (true, values.clones)
        }
        guard isChange else { return false }
        if !silently { self.continuation.yield(.ended) }
        self.continuation.finish()
        for clone in clones { clone.track?.end(silently: silently) }
        return true
    }
}

extension String {
    /// A random identifier of 36 characters (RFC 9562 section 5.4).
    static func randomIdentifier() -> String {
        var random = RandomSource.system
        return random.uuid()
    }
}
