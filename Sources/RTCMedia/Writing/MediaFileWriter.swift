internal import NIOCore
public import RTCMediaFiles
public import RTCRTP

/// Writes sound and pictures to one file: WebM, Matroska or fragmented MP4.
///
/// All times are on one timeline, which the caller makes of RTP timestamps and sender reports: times of arrival would put the
/// network's jitter into the file. The file begins when every track had a frame that decoding can begin with; until then frames
/// wait in memory. From then on the file can be played at any moment of its making, but for about the last second, even if the
/// process dies.
///
/// What a file says of a codec is that of the track's first key frame. Streams may change their size later: players that take
/// parameter sets from key frames follow them.
///
/// Calls block while the system writes. A writer is not for use by two tasks at a time.
public final class MediaFileWriter {
    /// How a file is written.
    public struct Options: Sendable, Hashable {
        /// How long the file waits for a track that has nothing yet. After that it is written without it. Default 5 s.
        public var startDelay: Duration
        /// How many bytes wait for that at most. Default 32 MiB.
        public var startSize: Int
        /// How much of the file is lost with the process, about: fragments and clusters are not longer. Default 1 s.
        public var flushInterval: Duration
        /// The time that is zero in the file; `nil` for that of the earliest frame. Frames before it are dropped.
        public var origin: Duration?

        /// Options.
        public init(
            startDelay: Duration = .seconds(5),
            startSize: Int = 32 << 20,
            flushInterval: Duration = .seconds(1),
            origin: Duration? = nil
        ) {
            self.startDelay = startDelay
            self.startSize = startSize
            self.flushInterval = flushInterval
            self.origin = origin
        }

        /// The defaults named at each property.
        public static var defaults: Options { Options() }
    }

    /// The tracks as they were asked for.
    public let tracks: [MediaFileTrack]
    /// How many frames were dropped: before their track's first key frame, before the origin, not behind the frame before, and
    /// those of tracks that the file does not have.
    public private(set) var droppedFrameCount = 0
    private let container: MediaContainer
    private let options: Options
    private let muxer: AVMuxer
    private var states: [TrackState]
    private var start = StartQueue()
    private var phase = Phase.waiting

    private enum Phase {
        case waiting
        case writing(origin: Duration)
        case closed
    }

    private struct TrackState {
        var description: CodecDescription?
        /// The track's number in the file; `nil` if the file does not have it.
        var stream: Int?
        var lastDecodeTime: Duration?
    }

    /// Makes the file.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for no tracks and for formats that the container does not have;
    ///   ``MediaFileError/Code/inputOutput``.
    public init(
        path: String,
        container: MediaContainer,
        tracks: [MediaFileTrack],
        options: Options = .defaults
    ) throws(MediaFileError) {
        if let track = tracks.first(where: { !container.formats.contains($0.format) }) {
            throw MediaFileError(.invalidArgument, "\(container) has no \(track.format.name)")
        }
        guard (1...32).contains(tracks.count) else {
            throw MediaFileError(.invalidArgument, "a file of \(tracks.count) tracks")
        }
        self.container = container
        self.tracks = tracks
        self.options = options
        self.muxer = try AVMuxer(path: path, container: container)
        self.states = tracks.map { track in
            TrackState(description: track.format.kind == .audio ? CodecDescription(sound: track) : nil)
        }
    }

    /// The tracks that the file was begun without, because nothing came for them; empty before it began.
    public var omittedTracks: [Int] {
        guard case .writing = self.phase else { return [] }
        return self.states.indices.filter { self.states[$0].stream == nil }
    }

    /// Writes a frame. Its RTP timestamp is not looked at.
    ///
    /// - Parameters:
    ///   - frame: The frame, in the form that ``EncodedFrame`` says.
    ///   - track: The track's place in ``tracks``.
    ///   - time: When it is shown or heard, on the timeline of all tracks.
    ///   - decodeTime: When it is decoded, which is the order of calls; by default when it is shown.
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for a track that there is not, a frame without bytes and one of
    ///   more than 1 GiB;
    ///   ``MediaFileError/Code/closed``; what writing throws.
    public func write(
        _ frame: EncodedFrame,
        track: Int,
        time: Duration,
        decodeTime: Duration? = nil
    ) throws(MediaFileError) {
        let sizes = 1...Self.maximumFrameSize
        guard self.states.indices.contains(track), sizes.contains(frame.payload.readableBytes) else {
            throw MediaFileError(.invalidArgument, "a frame of \(frame.payload.readableBytes) bytes, track \(track)")
        }
        let entry = StartQueue.Entry(frame: frame, track: track, time: time, decodeTime: decodeTime ?? time)
        switch self.phase {
        case .closed: throw MediaFileError(.closed, "the file was closed")
        case .writing(let origin): try self.write(entry, origin: origin)
        case .waiting: try self.wait(entry)
        }
    }

    /// Hands to the system what waits in memory; nothing before the file began.
    public func flush() throws(MediaFileError) { try self.muxer.flush() }

    /// Writes the end of the file and closes it. A file without a single frame stays empty.
    public func close() throws(MediaFileError) {
        if case .closed = self.phase { return }
        if case .waiting = self.phase, !self.start.isEmpty { try self.begin() }
        self.phase = .closed
        try self.muxer.close()
    }
}

extension MediaFileWriter {
    private static let maximumFrameSize = 1 << 30

    private func wait(_ entry: StartQueue.Entry) throws(MediaFileError) {
        guard self.describe(entry) else {
            self.droppedFrameCount += 1
            return
        }
        self.start.append(entry)
        let isComplete = self.start.tracks.count == self.tracks.count
        let isOverdue = self.start.duration > self.options.startDelay || self.start.byteCount > self.options.startSize
        if isComplete || isOverdue { try self.begin() }
    }

    /// Says whether the entry's track is described, by this entry if need be.
    private func describe(_ entry: StartQueue.Entry) -> Bool {
        guard self.states[entry.track].description == nil else { return true }
        guard entry.frame.isKeyFrame else { return false }
        let format = self.tracks[entry.track].format
        self.states[entry.track].description = CodecDescription(keyFrame: entry.frame.payload, format: format)
        return self.states[entry.track].description != nil
    }

    private func begin() throws(MediaFileError) {
        // What fails half-way is not tried again.
        self.phase = .closed
        var count = 0
        for (index, state) in self.states.enumerated() {
            // Sound needs no frame to be described, so a track of sound may yet come where one of pictures cannot.
            guard let description = state.description else { continue }
            try self.muxer.addStream(description)
            self.states[index].stream = count
            count += 1
        }
        try self.muxer.writeHeader(self.container.options(flushInterval: self.options.flushInterval))
        let origin = self.options.origin ?? self.start.earliest
        self.phase = .writing(origin: origin)
        for entry in self.start.takeAll() { try self.write(entry, origin: origin) }
    }

    private func write(_ entry: StartQueue.Entry, origin: Duration) throws(MediaFileError) {
        let state = self.states[entry.track]
        guard let stream = state.stream, min(entry.time, entry.decodeTime) >= origin,
            state.lastDecodeTime.map({ entry.decodeTime > $0 }) ?? true,
            let time = (entry.time - origin).nanoseconds, let decodeTime = (entry.decodeTime - origin).nanoseconds
        else {
            self.droppedFrameCount += 1
            return
        }
        self.states[entry.track].lastDecodeTime = entry.decodeTime
        try self.muxer.write(
            AVMuxer.Packet(
                payload: entry.frame.payload,
                isKeyFrame: entry.frame.isKeyFrame,
                stream: stream,
                time: time,
                decodeTime: decodeTime,
                duration: self.duration(of: entry).nanoseconds ?? 0
            )
        )
    }

    /// How long a frame of sound lasts; zero for pictures, which last until the next.
    private func duration(of entry: StartQueue.Entry) -> Duration {
        switch self.tracks[entry.track].format {
        case .opus:
            let samples = OpusPacket(entry.frame.payload.readableBytesSpan)?.duration ?? 0
            return Timebase.opus.duration(of: UInt64(samples)) ?? .zero
        case .pcmu, .pcma:
            return .microseconds(
                125 * entry.frame.payload.readableBytes / max(1, self.tracks[entry.track].channelCount)
            )
        case .g722, .vp8, .vp9, .h264, .h265, .av1: return .zero
        }
    }
}
