import FFmpegPrograms
import NIOCore
import RTCBase
import RTCMedia
import RTCMediaFiles
import RTCRTP
import Testing

@Suite("Reading files of several tracks", .enabled(if: FFmpeg.isThere, "ffmpeg and ffprobe are not installed"))
struct MediaFileReaderTests {
    private static let picture = ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=2"]
    private static let sound = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]

    @Test(
        "What FFmpeg wrote is read as FFmpeg reads it",
        arguments: [
            ("a.webm", PayloadFormat.vp8, PayloadFormat.opus), ("a.webm", .vp9, .opus), ("a.mkv", .h264, .opus),
            ("a.mp4", .h264, .opus), ("a.mp4", .h265, .opus), ("a.mp4", .av1, .opus), ("a.mkv", .h265, .opus),
            ("a.ts", .h264, .opus), ("a.mov", .h264, .opus),
        ]
    )
    func frames(name: String, pictures: PayloadFormat, sound: PayloadFormat) throws {
        let scratch = try Scratch()
        let coding =
            Recordings.encoder(pictures)
            + (name == "a.mov" ? ["-c:a", "pcm_alaw", "-ar", "8000"] : Recordings.encoder(sound))
        try FFmpeg.run("ffmpeg", Self.picture + Self.sound + coding + [scratch.file(name)])
        let reader = try MediaFileReader(path: scratch.file(name))
        #expect(reader.tracks.map(\.format) == [pictures, name == "a.mov" ? .pcma : sound])
        #expect(reader.tracks[0].size == PictureSize(width: 160, height: 120))
        #expect(try #require(reader.duration) > .milliseconds(1950))
        var frames: [MediaFileFrame] = []
        while let frame = try reader.nextFrame() { frames.append(frame) }
        let probed = try FFmpeg.packets(scratch.file(name), stream: "v:0")
        let video = frames.filter { $0.track == 0 }
        #expect(video.map(\.frame.isKeyFrame) == probed.compactMap { $0["flags"]?.hasPrefix("K") })
        #expect(video.allSatisfy { $0.frame.timestamp == UInt32($0.time / .microseconds(1) * 0.09 + 0.5) })
        if pictures == .h264 {
            // Parameter sets come with every key frame.
            for frame in video where frame.frame.isKeyFrame {
                let unit = try #require(
                    try AnnexBReader(FileInput(bytes: frame.frame.payload), codec: .h264).nextFrame()
                )
                #expect(unit.frame.isKeyFrame && frame.frame.payload.readableBytesView.contains(0x67))
            }
        }
        try reader.rewind()
        var again: [MediaFileFrame] = []
        while let frame = try reader.nextFrame() { again.append(frame) }
        #expect(again == frames)
    }

    @Test(
        "Reordered pictures are decoded in order and shown out of it; written again they stay so",
        arguments: [MediaContainer.mp4, .matroska]
    )
    func reordered(container: MediaContainer) throws {
        let scratch = try Scratch()
        let coding = [
            "-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-pix_fmt", "yuv420p", scratch.file("a.mp4"),
        ]
        try FFmpeg.run("ffmpeg", Self.picture + coding)
        let frames = try Recordings.frames(scratch.file("a.mp4"))
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.decodeTime < $1.decodeTime })
        #expect(!zip(frames, frames.dropFirst()).allSatisfy { $0.time < $1.time })
        let writer = try MediaFileWriter(
            path: scratch.file("b"),
            container: container,
            tracks: [MediaFileTrack(format: .h264)]
        )
        for frame in frames {
            let (time, decodeTime) = (frame.time + .seconds(5), frame.decodeTime + .seconds(5))
            try writer.write(frame.frame, track: 0, time: time, decodeTime: decodeTime)
        }
        try writer.close()
        try FFmpeg.decode(scratch.file("b"))
        let written = try Recordings.frames(scratch.file("b"))
        #expect(written.map(\.time).sorted().count == 50 && writer.droppedFrameCount == 0)
        let shift = try #require(written.map(\.time).min()) - (frames.map(\.time).min() ?? .zero)
        for (one, other) in zip(frames, written) {
            let error = one.time + shift - other.time
            #expect(error < .milliseconds(2) && error > .milliseconds(-2))
        }
    }

    @Test("G.711 comes in blocks of 20 ms")
    func blocks() throws {
        let scratch = try Scratch()
        let frames = try Recordings.frames(Recordings.make(.pcmu, in: scratch))
        #expect(frames.reduce(0) { $0 + $1.frame.payload.readableBytes } == 16_000)
        #expect(frames.allSatisfy { $0.frame.payload.readableBytes <= 160 })
        #expect(zip(frames, frames.dropFirst()).allSatisfy { $0.time < $1.time })
    }

    @Test("Files that are missing, no media, and playlists are refused in words")
    func refused() throws {
        let scratch = try Scratch()
        #expect { try MediaFileReader(path: scratch.file("none.mp4")) } throws: {
            guard let error = $0 as? MediaFileError else { return false }
            return error.code == .inputOutput && error.reason.contains("No such file")
        }
        try scratch.write(Array("plain text that is no media at all".utf8), "a.txt")
        #expect(throws: MediaFileError.self) { try MediaFileReader(path: scratch.file("a.txt")) }
        let target = try Recordings.make(.opus, in: scratch)
        try scratch.write(Array("ffconcat version 1.0\nfile '\(target)'\n".utf8), "a.ffconcat")
        #expect(throws: MediaFileError.self) { try MediaFileReader(path: scratch.file("a.ffconcat")) }
        let list = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n\(target)\n#EXT-X-ENDLIST\n"
        try scratch.write(Array(list.utf8), "a.m3u8")
        #expect(throws: MediaFileError.self) { try MediaFileReader(path: scratch.file("a.m3u8")) }
        try FFmpeg.run("ffmpeg", ["-v", "error"] + Self.sound + ["-c:a", "flac", scratch.file("a.mkv")])
        #expect { try MediaFileReader(path: scratch.file("a.mkv")) } throws: {
            ($0 as? MediaFileError)?.code == .unsupported
        }
    }

    @Test("Frames beyond the limit are refused")
    func limit() throws {
        let scratch = try Scratch()
        let reader = try MediaFileReader(
            path: Recordings.make(.vp8, in: scratch),
            limits: MediaFileLimits(frameSize: 64)
        )
        #expect { try reader.nextFrame() } throws: { ($0 as? MediaFileError)?.code == .limitExceeded }
    }

    @Test("Random damage ends in an error or in fewer frames", arguments: [MediaContainer.mp4, .matroska])
    func damage(container: MediaContainer) throws {
        let scratch = try Scratch()
        let combination = Combination(container: container, sound: .opus, pictures: .h264)
        let writer = try combination.writer(scratch)
        for (frame, track, time) in try combination.frames(in: scratch) {
            try writer.write(frame.frame, track: track, time: time)
        }
        try writer.close()
        let bytes = try scratch.bytes(combination.fileName)
        var random = RandomSource.seeded(1)
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0..<4 {
                // Half of it in the headers.
                let bound = random.next() % 2 == 0 ? 1500 : UInt64(bytes.count)
                damaged[Int(random.next() % bound)] = UInt8(truncatingIfNeeded: random.next())
            }
            try scratch.write(damaged, "damaged")
            guard let reader = try? MediaFileReader(path: scratch.file("damaged")) else { continue }
            var count = 0
            while let frame = try? reader.nextFrame(), count < bytes.count {
                #expect(frame.time >= .zero && reader.tracks.indices.contains(frame.track), "seed 1")
                count += 1
            }
        }
    }
}
