import FFmpegPrograms
import NIOCore
import RTCBase
import RTCMedia
import RTCMediaFiles
import RTCRTP
import Testing

@Suite("Files of several tracks", .enabled(if: FFmpeg.isThere, "ffmpeg and ffprobe are not installed"))
struct MediaFileWriterTests {
    @Test("FFmpeg reads and decodes what was written, with the offset between the tracks", arguments: Combination.all)
    func written(combination: Combination) throws {
        let scratch = try Scratch()
        let frames = try combination.frames(in: scratch)
        let writer = try combination.writer(scratch)
        for (frame, track, time) in frames { try writer.write(frame.frame, track: track, time: time) }
        try writer.close()
        #expect(writer.droppedFrameCount == 0 && writer.omittedTracks.isEmpty)
        let path = scratch.file(combination.fileName)
        try FFmpeg.decode(path)
        let sound = try FFmpeg.packets(path, stream: "a:0")
        let pictures = try FFmpeg.packets(path, stream: "v:0")
        #expect(sound.count == frames.count { $0.track == 0 } && pictures.count == frames.count { $0.track == 1 })
        let start = try #require(sound.first.flatMap(Self.time))
        let offset = try #require(pictures.first.flatMap(Self.time)) - start
        #expect(abs(offset - 0.25) < 0.002, "\(offset)")
        let end = try #require(pictures.last.flatMap(Self.time)) - start
        #expect(abs(end - 2.21) < 0.002, "\(end)")
        let streams = try FFmpeg.streams(path)
        #expect(streams.first { $0["codec_type"] == "video" }?["width"] == "160")
    }

    @Test("What was written is read again as the same", arguments: Combination.all)
    func readAgain(combination: Combination) throws {
        let scratch = try Scratch()
        let frames = try combination.frames(in: scratch)
        let writer = try combination.writer(scratch)
        for (frame, track, time) in frames { try writer.write(frame.frame, track: track, time: time) }
        try writer.close()
        let reader = try MediaFileReader(path: scratch.file(combination.fileName))
        #expect(reader.tracks.map(\.format) == [combination.sound, combination.pictures])
        #expect(reader.tracks[1].size == PictureSize(width: 160, height: 120))
        var read: [MediaFileFrame] = []
        while let frame = try reader.nextFrame() { read.append(frame) }
        for track in 0...1 {
            let before = frames.filter { $0.track == track }
            let after = read.filter { $0.track == track }
            #expect(after.map(\.frame.isKeyFrame) == before.map(\.frame.frame.isKeyFrame))
            #expect(after.count == before.count)
            for (one, other) in zip(before, after) {
                let (written, read) = (Self.units(one.frame.frame.payload), Self.units(other.frame.payload))
                // Parameter sets may come twice.
                #expect(other.frame.isKeyFrame ? Set(read) == Set(written) : read == written)
                let error = one.time - .seconds(1000) - other.time
                #expect(error < .milliseconds(2) && error > .milliseconds(-2), "\(one.time) \(other.time)")
            }
        }
    }

    @Test("A file that nobody closed has all but about the last second", arguments: Combination.all)
    func crash(combination: Combination) throws {
        let scratch = try Scratch()
        let frames = try combination.frames(in: scratch)
        let writer = try combination.writer(scratch)
        for (frame, track, time) in frames { try writer.write(frame.frame, track: track, time: time) }
        let read = try Recordings.frames(scratch.file(combination.fileName))
        #expect(read.filter { $0.track == 1 }.count >= 15, "\(read.count) of \(frames.count)")
        try FFmpeg.run("ffprobe", ["-v", "quiet", "-show_packets", scratch.file(combination.fileName)])
        try writer.flush()
        let flushed = try Recordings.frames(scratch.file(combination.fileName))
        #expect(flushed.count >= frames.count - 2, "\(flushed.count) of \(frames.count)")
        try writer.close()
    }

    @Test("A file that was cut off is read to its last whole frame", arguments: Combination.all)
    func cut(combination: Combination) throws {
        let scratch = try Scratch()
        let frames = try combination.frames(in: scratch)
        let writer = try combination.writer(scratch)
        for (frame, track, time) in frames { try writer.write(frame.frame, track: track, time: time) }
        try writer.close()
        let bytes = try scratch.bytes(combination.fileName)
        var last = 0
        for tenths in [5, 7, 9] {
            try scratch.write(Array(bytes[..<(bytes.count * tenths / 10)]), "cut-" + combination.fileName)
            let count = try Recordings.frames(scratch.file("cut-" + combination.fileName)).count
            #expect(count >= last && count < frames.count && count > frames.count / 8, "\(count) of \(frames.count)")
            last = count
        }
    }

    @Test(
        "Pictures before the first key frame are dropped, and sound that waits for them is not",
        arguments: [MediaContainer.matroska, .mp4]
    )
    func start(container: MediaContainer) throws {
        let scratch = try Scratch()
        let combination = Combination(container: container, sound: .opus, pictures: .h264)
        let frames = try combination.frames(in: scratch)
        let writer = try combination.writer(scratch)
        let early = frames.first { $0.track == 1 && !$0.frame.frame.isKeyFrame }
        try writer.write(try #require(early).frame.frame, track: 1, time: .seconds(999))
        for (frame, track, time) in frames { try writer.write(frame.frame, track: track, time: time) }
        try writer.close()
        #expect(writer.droppedFrameCount == 1)
        let path = scratch.file(combination.fileName)
        #expect(try FFmpeg.packets(path, stream: "a:0").count == frames.count { $0.track == 0 })
        #expect(try FFmpeg.packets(path, stream: "v:0").count == 50)
    }

    @Test("A track for which nothing comes is left out", arguments: [MediaContainer.webM, .mp4])
    func omitted(container: MediaContainer) throws {
        let scratch = try Scratch()
        let combination = Combination(container: container, sound: .opus, pictures: .vp9)
        let frames = try combination.frames(in: scratch)
        let writer = try combination.writer(scratch, .init(startDelay: .milliseconds(500)))
        for (frame, track, time) in frames where track == 0 { try writer.write(frame.frame, track: 0, time: time) }
        #expect(writer.omittedTracks == [1])
        let late = try #require(frames.first { $0.track == 1 })
        try writer.write(late.frame.frame, track: 1, time: late.time)
        try writer.close()
        #expect(writer.droppedFrameCount == 1)
        #expect(try FFmpeg.streams(scratch.file(combination.fileName)).count == 1)
    }

    @Test("A track that falls silent does not hold up the other")
    func silent() throws {
        let scratch = try Scratch()
        let combination = Combination(container: .mp4, sound: .opus, pictures: .h264)
        let frames = try combination.frames(in: scratch)
        let writer = try combination.writer(scratch, .init(flushInterval: .milliseconds(200)))
        for (frame, track, time) in frames where track == 0 || frame.time < .milliseconds(500) {
            try writer.write(frame.frame, track: track, time: time)
        }
        let read = try Recordings.frames(scratch.file(combination.fileName)).filter { $0.track == 0 }
        #expect(try #require(read.last).time > .milliseconds(1000))
    }

    @Test("Frames not later than the one before, and before the origin, are dropped")
    func order() throws {
        let scratch = try Scratch()
        let path = scratch.file("a.mp4")
        let tracks = [MediaFileTrack(format: .opus)]
        let writer = try MediaFileWriter(
            path: path,
            container: .mp4,
            tracks: tracks,
            options: .init(origin: .seconds(1))
        )
        let packet = EncodedFrame(payload: ByteBuffer(bytes: [31 << 3, 1, 2, 3]), timestamp: 0, isKeyFrame: true)
        for time in [0.5, 1.0, 1.02, 1.02, 1.01, 1.04, 1.040001] {
            try writer.write(packet, track: 0, time: .seconds(time))
        }
        try writer.close()
        #expect(writer.droppedFrameCount == 3)
        #expect(try Recordings.frames(path).count == 4)
        #expect { try writer.write(packet, track: 0, time: .seconds(2)) } throws: {
            ($0 as? MediaFileError)?.code == .closed
        }
        try writer.close()
    }

    @Test("What has no place in a file is refused in words")
    func refused() throws {
        let scratch = try Scratch()
        func make(_ formats: [PayloadFormat], _ container: MediaContainer, path: String) throws {
            _ = try MediaFileWriter(
                path: path,
                container: container,
                tracks: formats.map { MediaFileTrack(format: $0) }
            )
        }
        for container in MediaContainer.allCases {
            for format in PayloadFormat.allCases where !container.formats.contains(format) {
                #expect { try make([format], container, path: scratch.file("a")) } throws: {
                    ($0 as? MediaFileError)?.code == .invalidArgument
                }
            }
        }
        #expect(throws: MediaFileError.self) { try make([], .mp4, path: scratch.file("a")) }
        #expect { try make([.opus], .mp4, path: scratch.file("none/a.mp4")) } throws: {
            guard let error = $0 as? MediaFileError else { return false }
            return error.code == .inputOutput && error.reason.contains("No such file")
        }
        let writer = try MediaFileWriter(
            path: scratch.file("b"),
            container: .mp4,
            tracks: [MediaFileTrack(format: .opus)]
        )
        let empty = EncodedFrame(payload: ByteBuffer(), timestamp: 0, isKeyFrame: true)
        #expect(throws: MediaFileError.self) { try writer.write(empty, track: 0, time: .zero) }
        #expect(throws: MediaFileError.self) { try writer.write(empty, track: 1, time: .zero) }
        try writer.close()
        #expect(try scratch.bytes("b").isEmpty)
    }

    private static func time(_ packet: [String: String]) -> Double? { packet["pts_time"].flatMap(Double.init) }

    /// What containers leave as it is: NAL units without start codes, AV1 without its delimiter, all of the others.
    private static func units(_ payload: ByteBuffer) -> [[UInt8]] {
        let bytes = Array(payload.readableBytesView)
        if bytes.starts(with: [0x12, 0]) { return [Array(bytes[2...])] }
        guard bytes.starts(with: [0, 0, 1]) || bytes.starts(with: [0, 0, 0, 1]) else { return [bytes] }
        var walk = AnnexB()
        var units: [[UInt8]] = []
        while let range = walk.next(in: bytes.span.bytes) { units.append(Array(bytes[range])) }
        return units
    }
}
