import RTCMedia
import RTCMediaFiles
import WebRTC

/// The frames of a file, once or over and over, in the order in which they are to be sent.
final class Playlist {
    /// The formats of its tracks.
    let formats: [PayloadFormat]
    private let source: Source
    private let repeats: Bool
    /// How much later everything is in this round.
    private var offset = Duration.zero
    private var end = Duration.zero

    private enum Source {
        case single(any MediaFrameReader)
        case container(MediaFileReader)
    }

    /// Opens a file.
    init(path: String, repeats: Bool = true) throws(MediaFileError) {
        self.repeats = repeats
        let name = path.lowercased()
        if [".webm", ".mkv", ".mka", ".mp4", ".m4a", ".mov"].contains(where: { name.hasSuffix($0) }) {
            let reader = try MediaFileReader(path: path)
            self.source = .container(reader)
            self.formats = reader.tracks.map(\.format)
        } else {
            let reader = try MediaFile.open(path: path)
            self.source = .single(reader)
            self.formats = [reader.format]
        }
    }

    /// The next frame, with the time at which it is to be sent; `nil` at the end, and for a file without any.
    func next() throws(MediaFileError) -> (frame: MediaFileFrame, time: Duration)? {
        if let found = try self.read() { return found }
        guard self.repeats, self.end > self.offset else { return nil }
        self.offset = self.end
        switch self.source {
        case .single(let reader): try reader.rewind()
        case .container(let reader): try reader.rewind()
        }
        return try self.read()
    }

    private func read() throws(MediaFileError) -> (frame: MediaFileFrame, time: Duration)? {
        let frame: MediaFileFrame?
        switch self.source {
        case .single(let reader): frame = try reader.nextFrame()
        case .container(let reader): frame = try reader.nextFrame()
        }
        guard let frame else { return nil }
        let time = self.offset + frame.decodeTime
        self.end = max(self.end, time + (frame.duration ?? .milliseconds(33)))
        return (frame, time)
    }

    /// The timestamp of a frame, counted through all rounds.
    func timestamp(of frame: MediaFileFrame) -> UInt32 {
        let time = self.offset + frame.time
        let rate = Int64(self.formats[frame.track].clockRate)
        let parts = time.components
        let ticks = parts.seconds * rate + Int64(Double(parts.attoseconds) * 1e-18 * Double(rate))
        return UInt32(truncatingIfNeeded: ticks)
    }
}
