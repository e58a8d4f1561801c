import FFmpegPrograms
import RTCMedia
import RTCMediaFiles
import RTCRTP
import Testing

/// Files that FFmpeg made, and what is read of them.
enum Recordings {
    static let audioFormats: Set<PayloadFormat> = [.opus, .pcmu, .pcma]

    /// Makes a Matroska file of one track of two seconds.
    static func make(_ format: PayloadFormat, in scratch: Scratch, options: [String] = []) throws -> String {
        let path = scratch.file("\(format.name).mkv")
        let source =
            format.kind == .audio ? "sine=frequency=440:duration=2" : "testsrc=size=160x120:rate=25:duration=2"
        let input = ["-v", "error", "-f", "lavfi", "-i", source]
        try FFmpeg.run("ffmpeg", input + self.encoder(format) + options + [path])
        return path
    }

    /// All frames of a file.
    static func frames(_ path: String) throws -> [MediaFileFrame] {
        let reader = try MediaFileReader(path: path)
        var frames: [MediaFileFrame] = []
        while let frame = try reader.nextFrame() { frames.append(frame) }
        return frames
    }

    static func encoder(_ format: PayloadFormat) -> [String] {
        switch format {
        case .opus: ["-c:a", "libopus", "-ac", "2"]
        case .pcmu: ["-c:a", "pcm_mulaw", "-ar", "8000"]
        case .pcma: ["-c:a", "pcm_alaw", "-ar", "8000"]
        case .g722: ["-c:a", "g722"]
        case .vp8: ["-c:v", "libvpx", "-deadline", "realtime", "-g", "25"]
        case .vp9: ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25", "-pix_fmt", "yuv420p"]
        case .av1: ["-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-g", "25", "-pix_fmt", "yuv420p"]
        case .h264:
            ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-pix_fmt", "yuv420p"]
        case .h265:
            [
                "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=0:keyint=25",
                "-pix_fmt",
                "yuv420p",
            ]
        }
    }
}

/// A container, and formats of sound and pictures that it has.
struct Combination: Sendable, CustomTestStringConvertible {
    var container: MediaContainer
    var sound: PayloadFormat
    var pictures: PayloadFormat

    var testDescription: String { "\(self.container) \(self.sound.name) \(self.pictures.name)" }

    var fileName: String {
        switch self.container {
        case .webM: "out.webm"
        case .matroska: "out.mkv"
        case .mp4: "out.mp4"
        }
    }

    static let all: [Combination] = [
        Combination(container: .webM, sound: .opus, pictures: .vp8),
        Combination(container: .webM, sound: .opus, pictures: .vp9),
        Combination(container: .webM, sound: .opus, pictures: .av1),
        Combination(container: .matroska, sound: .pcmu, pictures: .vp8),
        Combination(container: .matroska, sound: .pcma, pictures: .h264),
        Combination(container: .matroska, sound: .opus, pictures: .h265),
        Combination(container: .mp4, sound: .opus, pictures: .h264),
        Combination(container: .mp4, sound: .opus, pictures: .h265),
        Combination(container: .mp4, sound: .opus, pictures: .vp9),
        Combination(container: .mp4, sound: .opus, pictures: .av1),
    ]
}

extension Combination {
    /// The two tracks of this combination, the pictures a quarter of a second behind the sound.
    func frames(in scratch: Scratch) throws -> [(frame: MediaFileFrame, track: Int, time: Duration)] {
        let sound = try Recordings.frames(Recordings.make(self.sound, in: scratch))
        let pictures = try Recordings.frames(Recordings.make(self.pictures, in: scratch))
        let all =
            sound.map { ($0, 0, $0.time + .seconds(1000)) }
            + pictures.map { ($0, 1, $0.time + .milliseconds(1_000_250)) }
        return all.sorted { $0.2 < $1.2 }
    }

    func writer(_ scratch: Scratch, _ options: MediaFileWriter.Options = .defaults) throws -> MediaFileWriter {
        let tracks = [MediaFileTrack(format: self.sound), MediaFileTrack(format: self.pictures)]
        return try MediaFileWriter(
            path: scratch.file(self.fileName),
            container: self.container,
            tracks: tracks,
            options: options
        )
    }
}
