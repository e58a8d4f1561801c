import FFmpegPrograms
import NIOCore
import RTCRTP
import Testing

@testable import RTCMediaFiles

@Suite("Opening files")
struct MediaFileTests {
    @Test("The first bytes tell what a file is")
    func magic() throws {
        #expect(try MediaFile.open(FileInput(bytes: Samples.ivf())) is IVFReader)
        #expect(try MediaFile.open(FileInput(bytes: Samples.ogg())) is OggOpusReader)
        #expect(try MediaFile.open(FileInput(bytes: Samples.wav())) is WAVFrameReader)
        #expect(try MediaFile.open(FileInput(bytes: Samples.h264())).format == .h264)
        #expect(try MediaFile.open(FileInput([0, 0, 1, 0x40, 1, 0x0C])).format == .h265)
        #expect(try MediaFile.open(FileInput([0, 0, 1, 0x26, 1, 0x80]), name: "a.HEVC").format == .h265)
        for bytes in [[], [0], [0, 0, 1], [0, 0, 1, 0x26, 1], Array("plain text".utf8)] as [[UInt8]] {
            #expect { try MediaFile.open(FileInput(bytes), name: "a.txt") } throws: {
                ($0 as? MediaFileError)?.code == .unsupported
            }
        }
    }

    @Test("A file that is not there, and one that cannot be made, say why")
    func missing() {
        #expect { try MediaFile.open(path: "/nowhere/at/all.ivf") } throws: {
            guard let error = $0 as? MediaFileError else { return false }
            return error.code == .inputOutput && error.reason.contains("No such file")
        }
        #expect(throws: MediaFileError.self) { try FileOutput(path: "/nowhere/at/all.ivf") }
        #expect(throws: MediaFileError.self) { try MediaFile.open(path: "/") }
    }

    @Test("A file on disk is the same as in memory", arguments: [1, 3000])
    func disk(size: Int) throws {
        let scratch = try Scratch()
        let output = try FileOutput(path: scratch.file("a.ivf"))
        let writer = try IVFWriter(output, header: IVFHeader(format: .vp8, size: PictureSize(width: 8, height: 8)))
        for index in 0..<100 { try writer.write(Samples.vp8(isKey: true, size: 10 + size), time: .milliseconds(index)) }
        try writer.close()
        let reader = try MediaFile.open(path: scratch.file("a.ivf"))
        let frames = try reader.allFrames()
        #expect(frames.count == 100 && frames.allSatisfy { $0.frame.payload.readableBytes == 10 + size })
        #expect(try scratch.bytes("a.ivf")[24] == 100)
        try reader.rewind()
        #expect(try reader.allFrames() == frames)
    }

    @Test("Played over and over, times go on")
    func loop() throws {
        let sound = MediaFrameLoop(try MediaFile.open(FileInput(bytes: Samples.ogg())))
        let stamps = try (0..<9).map { _ in try sound.nextFrame().frame.timestamp }
        #expect(stamps == (0..<9).map { UInt32(960 * $0) })
        let video = MediaFrameLoop(try MediaFile.open(FileInput(bytes: Samples.ivf())))
        let times = try (0..<9).map { _ in try video.nextFrame().time }
        #expect(times == (0..<9).map { .milliseconds(40 * $0) })
        let empty = MediaFrameLoop(AnnexBReader(FileInput([]), codec: .h264))
        #expect { try empty.nextFrame() } throws: { ($0 as? MediaFileError)?.code == .malformed }
    }

    @Test("A writer whose process died leaves whole frames")
    func unclosed() throws {
        let scratch = try Scratch()
        do {
            let output = try FileOutput(path: scratch.file("a.ivf"))
            let writer = try IVFWriter(output, header: IVFHeader(format: .vp8, size: PictureSize(width: 8, height: 8)))
            for index in 0..<50 { try writer.write(Samples.vp8(isKey: true, size: 3000), time: .milliseconds(index)) }
            let reader = try IVFReader(FileInput(path: scratch.file("a.ivf")))
            #expect(try reader.allFrames().count == 44 && !reader.isTruncated)
            try writer.flush()
        }
        #expect(try MediaFile.open(path: scratch.file("a.ivf")).allFrames().count == 50)
    }
}
