import RTCBase
import RTCRTP
import Synchronization

/// Tracks that belong together, for example to be played in step (W3C mediacapture-streams section 4.2).
public final class MediaStream: Sendable {
    /// What a peer did to a stream.
    public enum Event: Sendable {
        /// A track joined it.
        case addTrack(MediaStreamTrack)
        /// A track left it.
        case removeTrack(MediaStreamTrack)
    }

    /// The stream's identifier: peers tell streams apart by it.
    public let id: String
    /// What the peer does to the stream, the last sixteen events that were not read. To be read by one task. The connection's own events tell
    /// of it too.
    public let events: AsyncStream<Event>

    private let tracks: Mutex<[MediaStreamTrack]>
    private let continuation: AsyncStream<Event>.Continuation

    init(id: String, tracks: [MediaStreamTrack]) {
        self.id = id
        self.tracks = Mutex([])
        (self.events, self.continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(16))
        for track in tracks { self.addTrack(track) }
    }

    /// A stream of tracks, each once.
    public convenience init(_ tracks: [MediaStreamTrack] = []) {
        self.init(id: .randomIdentifier(), tracks: tracks)
    }

    deinit { self.continuation.finish() }

    /// Whether any of its tracks has a source still.
    public var active: Bool { self.getTracks().contains { $0.readyState == .live } }

    /// All tracks, in the order in which they joined.
    public func getTracks() -> [MediaStreamTrack] { self.tracks.withLock { $0 } }

    /// The tracks of sound.
    public func getAudioTracks() -> [MediaStreamTrack] { self.getTracks().filter { $0.kind == .audio } }

    /// The tracks of pictures.
    public func getVideoTracks() -> [MediaStreamTrack] { self.getTracks().filter { $0.kind == .video } }

    /// The track with an identifier.
    public func getTrackById(_ id: String) -> MediaStreamTrack? { self.getTracks().first { $0.id == id } }

    /// Adds a track, unless the stream has it. A stream that is sent already is not changed at the peer by this.
    public func addTrack(_ track: MediaStreamTrack) {
        self.tracks.withLock { tracks in
            if !tracks.contains(where: { $0 === track }) { tracks.append(track) }
        }
    }

    /// Removes a track.
    public func removeTrack(_ track: MediaStreamTrack) {
        self.tracks.withLock { $0.removeAll { $0 === track } }
    }

    /// Another stream, of clones of the tracks.
    public func clone() -> MediaStream { MediaStream(self.getTracks().map { $0.clone() }) }

    // MARK: What the peer does

    func joined(by track: MediaStreamTrack) {
        self.addTrack(track)
        self.continuation.yield(.addTrack(track))
    }

    func left(by track: MediaStreamTrack) {
        self.removeTrack(track)
        self.continuation.yield(.removeTrack(track))
    }
}
