import FFmpegPrograms
import NIOCore
import RTCRTP
import Testing

@testable import RTCMediaFiles

/// FFmpeg's programs make files that are read here, and read files that were made here.
@Suite("Files of FFmpeg and for FFmpeg", .enabled(if: FFmpeg.isThere, "ffmpeg and ffprobe are not installed"))
struct FFmpegTests {
    private static let picture = ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=25:duration=1"]
    private static let sound = ["-v", "error", "-f", "lavfi", "-i", "sine=frequency=440:duration=2.5"]

    @Test(
        "IVF is read and written",
        arguments: [
            ("libvpx", ["-deadline", "realtime"], PayloadFormat.vp8), ("libvpx-vp9", ["-deadline", "realtime"], .vp9),
            ("libaom-av1", ["-cpu-used", "8", "-usage", "realtime"], .av1),
        ]
    )
    func ivf(encoder: String, options: [String], format: PayloadFormat) throws {
        let scratch = try Scratch()
        let coding = ["-c:v", encoder, "-b:v", "200k", "-g", "10"] + options
        try FFmpeg.run("ffmpeg", Self.picture + coding + [scratch.file("a.ivf")])
        let reader = try IVFReader(FileInput(path: scratch.file("a.ivf")))
        let frames = try reader.allFrames()
        let probed = try FFmpeg.packets(scratch.file("a.ivf"))
        #expect(reader.format == format && frames.count == probed.count && frames.count == 25)
        #expect(frames.map { String($0.frame.payload.readableBytes) } == probed.compactMap { $0["size"] })
        #expect(frames.map(\.frame.isKeyFrame) == probed.compactMap { $0["flags"]?.hasPrefix("K") })
        let output = try FileOutput(path: scratch.file("b.ivf"))
        let writer = try IVFWriter(output, header: IVFHeader(format: format, size: reader.header.size))
        for frame in frames { try writer.write(frame.frame.payload, time: frame.time) }
        try writer.close()
        try FFmpeg.decode(scratch.file("b.ivf"))
        #expect(
            try FFmpeg.packets(scratch.file("b.ivf")).compactMap { $0["pts_time"] }
                == probed.compactMap { $0["pts_time"] }
        )
    }

    @Test("Ogg is read and written", arguments: ["2.5", "20", "60"])
    func ogg(frameDuration: String) throws {
        let scratch = try Scratch()
        let coding = ["-c:a", "libopus", "-frame_duration", frameDuration]
        try FFmpeg.run("ffmpeg", Self.sound + coding + [scratch.file("a.ogg")])
        let reader = try OggOpusReader(FileInput(path: scratch.file("a.ogg")))
        let frames = try reader.allFrames()
        let total = frames.reduce(Duration.zero) { $0 + ($1.duration ?? .zero) }
        #expect(total == .seconds(2.5) + .seconds(Int64(reader.head.preSkip)) / 48_000)
        let output = try FileOutput(path: scratch.file("b.ogg"))
        let writer = try OggOpusWriter(output, head: reader.head)
        // A tenth of the sound is missing.
        for frame in frames where !(.seconds(1)..<(.milliseconds(1250))).contains(frame.time) {
            try writer.write(frame.frame.payload, timestamp: frame.frame.timestamp)
        }
        try writer.close()
        try FFmpeg.decode(scratch.file("b.ogg"))
        let stream = try #require(try FFmpeg.streams(scratch.file("b.ogg")).first)
        let duration = try #require(stream["duration"].flatMap(Double.init))
        #expect(stream["codec_name"] == "opus" && abs(duration - 2.5) < 0.08, "\(duration)")
    }

    @Test(
        "Byte streams are read and written",
        arguments: [
            ("libx264", AnnexBCodec.h264, "slices=4"), ("libx264", .h264, "aud=1:bframes=2"),
            ("libx265", .h265, "slices=2"),
        ]
    )
    func annexB(encoder: String, codec: AnnexBCodec, parameters: String) throws {
        let scratch = try Scratch()
        let name = codec == .h264 ? "a.264" : "a.265"
        let option = codec == .h264 ? "-x264-params" : "-x265-params"
        let extra = codec == .h264 ? "" : "log-level=none:"
        let coding = [
            "-c:v", encoder, "-preset", "ultrafast", "-g", "10", "-pix_fmt", "yuv420p", option, extra + parameters,
        ]
        try FFmpeg.run("ffmpeg", Self.picture + coding + [scratch.file(name)])
        let reader = try #require(try MediaFile.open(path: scratch.file(name)) as? AnnexBReader)
        let frames = try reader.allFrames()
        let probed = try FFmpeg.packets(scratch.file(name))
        #expect(reader.codec == codec && frames.count == 25)
        #expect(frames.map(\.frame.isKeyFrame) == probed.compactMap { $0["flags"]?.hasPrefix("K") })
        let writer = AnnexBWriter(try FileOutput(path: scratch.file("b" + name)))
        for frame in frames { try writer.write(frame.frame.payload) }
        try writer.close()
        try FFmpeg.decode(scratch.file("b" + name))
        #expect(try FFmpeg.packets(scratch.file("b" + name)).count == 25)
    }

    @Test(
        "WAV is read and written",
        arguments: [("pcm_s16le", WAVFormat.Encoding.pcm16), ("pcm_alaw", .aLaw), ("pcm_mulaw", .muLaw)]
    )
    func wav(encoder: String, encoding: WAVFormat.Encoding) throws {
        let scratch = try Scratch()
        try FFmpeg.run("ffmpeg", Self.sound + ["-ar", "8000", "-c:a", encoder, scratch.file("a.wav")])
        let reader = try WAVReader(FileInput(path: scratch.file("a.wav")))
        #expect(reader.format.encoding == encoding && reader.sampleCount == 20_000)
        for isClosed in [true, false] {
            try reader.rewind()
            let writer = try WAVWriter(FileOutput(path: scratch.file("b.wav")), format: reader.format)
            while let block = try reader.nextBlock(sampleCount: 999) { try writer.write(block) }
            if isClosed { try writer.close() } else { try writer.flush() }
            let stream = try #require(try FFmpeg.streams(scratch.file("b.wav")).first)
            #expect(stream["codec_name"] == encoder)
            // Without the sizes FFmpeg reads to the end, too, and finds the last packet short.
            if isClosed { try FFmpeg.decode(scratch.file("b.wav")) }
            let size = try FFmpeg.packets(scratch.file("b.wav")).compactMap { $0["size"].flatMap(Int.init) }.reduce(
                0,
                +
            )
            #expect(size == 20_000 * encoding.sampleSize)
        }
    }
}
