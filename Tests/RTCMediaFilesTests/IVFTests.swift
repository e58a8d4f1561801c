import NIOCore
import RTCRTP
import Testing

@testable import RTCMediaFiles

@Suite("IVF files")
struct IVFTests {
    @Test("What was written is read, with times in 90 kHz and key frames marked")
    func roundTrip() throws {
        let reader = try IVFReader(FileInput(bytes: Samples.ivf()))
        #expect(reader.format == .vp8 && reader.header.size == PictureSize(width: 320, height: 240))
        let frames = try reader.allFrames()
        #expect(frames.map(\.frame.timestamp) == [0, 3600, 7200, 10_800])
        #expect(frames.map(\.time) == [.zero, .milliseconds(40), .milliseconds(80), .milliseconds(120)])
        #expect(frames.map(\.frame.isKeyFrame) == [true, false, false, false])
        #expect(frames[0].frame.payload == Samples.vp8(isKey: true) && !reader.isTruncated)
        try reader.rewind()
        #expect(try reader.allFrames() == frames)
    }

    @Test("The number of frames is filled in at the end, and the file can be read before")
    func frameCount() throws {
        let output = FileOutput()
        let writer = try IVFWriter(output, header: IVFHeader(format: .vp9, size: PictureSize(width: 2, height: 2)))
        try writer.write(Samples.opus(), time: .zero)
        try writer.write(Samples.opus(), time: .seconds(1))
        #expect(output.bytes.getInteger(at: 24, as: UInt32.self) == 0)
        #expect(try IVFReader(FileInput(bytes: output.bytes)).allFrames().count == 2)
        try writer.close()
        #expect(output.bytes.getInteger(at: 24, endianness: .little, as: UInt32.self) == 2)
        #expect { try writer.write(Samples.opus(), time: .seconds(2)) } throws: {
            ($0 as? MediaFileError)?.code == .closed
        }
    }

    @Test("A file that was cut off ends with its last whole frame")
    func truncated() throws {
        let bytes = try Samples.ivf()
        for cut in [1, 20, 21, 31] {
            let slice = try #require(bytes.getSlice(at: 0, length: bytes.readableBytes - cut))
            let reader = try IVFReader(FileInput(bytes: slice))
            #expect(try reader.allFrames().count == 3 && reader.isTruncated, "\(cut) bytes are missing")
        }
    }

    @Test("A frame's time is exact in any timebase")
    func timebase() throws {
        let ntsc = try #require(Timebase(numerator: 1001, denominator: 30_000))
        #expect(ntsc.duration(of: 30_000) == .seconds(1001))
        #expect(ntsc.ticks(in: .seconds(1001)) == 30_000)
        #expect(ntsc.duration(of: 1)?.rtpTimestamp(clockRate: 90_000) == 3003)
        #expect(Timebase(numerator: .max, denominator: 1)?.duration(of: .max) == nil)
        #expect(Timebase(numerator: 0, denominator: 1) == nil && Timebase(numerator: 1, denominator: 0) == nil)
        #expect(Timebase.video.ticks(in: .seconds(-1)) == nil)
        #expect(Duration.seconds(50_000).rtpTimestamp(clockRate: 90_000) == UInt32(truncatingIfNeeded: 4_500_000_000))
    }

    @Test(
        "Broken headers are refused with their place",
        arguments: [
            (0, UInt8(0), MediaFileError.Code.malformed, Int64(0)), (4, 1, .unsupported, 4), (6, 31, .malformed, 6),
            (8, 0, .unsupported, 8), (23, 1, .malformed, nil), (16, 0, .malformed, nil),
        ] as [(Int, UInt8, MediaFileError.Code, Int64?)]
    )
    func broken(place: Int, value: UInt8, code: MediaFileError.Code, offset: Int64?) throws {
        var bytes = try Samples.ivf().array
        bytes[place] = value
        if place == 16 { bytes.replaceSubrange(16..<20, with: [0, 0, 0, 0]) }
        do {
            let reader = try IVFReader(FileInput(bytes))
            _ = reader
            #expect(place == 23)
        } catch {
            #expect(error.code == code && (offset == nil || error.offset == offset), "\(error)")
        }
    }

    @Test("A frame that claims to be larger than the limit is refused, and no memory is taken for it")
    func limit() throws {
        var bytes = try Samples.ivf().array
        bytes.replaceSubrange(32..<36, with: [0xFF, 0xFF, 0xFF, 0xFF])
        let reader = try IVFReader(FileInput(bytes))
        #expect { try reader.nextFrame() } throws: { ($0 as? MediaFileError)?.code == .limitExceeded }
    }

    @Test("Other codecs have no place in it")
    func codecs() {
        let size = PictureSize(width: 1, height: 1)
        #expect(throws: MediaFileError.self) { try IVFHeader(format: .opus, size: size) }
        #expect(throws: MediaFileError.self) {
            try IVFHeader(format: .vp8, size: PictureSize(width: 65_536, height: 1))
        }
    }
}
