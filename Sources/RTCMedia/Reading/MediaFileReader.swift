internal import CRTCAVFormat
internal import NIOCore
public import RTCMediaFiles
internal import RTCRTP

/// Reads the encoded frames of files with one or several tracks: WebM, Matroska, MP4, and most else that libavformat reads.
///
/// Frames come in the file's order, which is that of decoding. H.264 and H.265 come in Annex B form, with the file's parameter
/// sets before key frames, even where the stream repeats them; G.711 in blocks of 20 ms. Tracks of other codecs are passed
/// over, and playlists are refused. A file that was cut off ends with its last whole frame.
///
/// Calls block while the system reads. A reader is not for use by two tasks at a time.
public final class MediaFileReader {
    /// The tracks that can be sent over RTP, in the file's order; ``MediaFileFrame/track`` counts them from 0.
    public let tracks: [MediaFileTrack]
    /// How long the file is, where it says.
    public let duration: Duration?
    private let path: String
    private let limits: MediaFileLimits
    private var demuxer: AVDemuxer
    private var sources: [Int: TrackSource]
    private var ready: CircularBuffer<MediaFileFrame> = []

    /// Opens a file and reads its headers.
    ///
    /// - Throws: ``MediaFileError/Code/unsupported`` for a file without a track that can be sent; what FFmpeg says of others.
    public init(path: String, limits: MediaFileLimits = .defaults) throws(MediaFileError) {
        self.path = path
        self.limits = limits
        self.demuxer = try AVDemuxer(path: path)
        self.sources = try TrackSource.all(of: self.demuxer)
        self.tracks = self.sources.values.sorted { $0.index < $1.index }.map(\.track)
        self.duration = self.demuxer.duration.map { .nanoseconds($0) }
        guard !self.tracks.isEmpty else {
            throw MediaFileError(.unsupported, "\(path) has no track that can be sent over RTP")
        }
    }

    /// The next frame of any track; `nil` at the end.
    ///
    /// Its RTP timestamp counts in its format's clock rate from the beginning of the file. Pictures that were reordered have a
    /// ``MediaFileFrame/decodeTime`` before their time, which may be below zero.
    public func nextFrame() throws(MediaFileError) -> MediaFileFrame? {
        while self.ready.isEmpty {
            let hasMore = try self.demuxer.next { packet throws(MediaFileError) in
                guard let source = self.sources[Int(packet.pointee.stream_index)] else { return }
                self.ready.append(contentsOf: try source.frames(packet, limit: self.limits.frameSize))
            }
            if !hasMore { break }
        }
        return self.ready.popFirst()
    }

    /// Begins again with the first frame, by opening the file again.
    public func rewind() throws(MediaFileError) {
        self.demuxer = try AVDemuxer(path: self.path)
        self.sources = try TrackSource.all(of: self.demuxer)
        self.ready.removeAll()
    }
}
