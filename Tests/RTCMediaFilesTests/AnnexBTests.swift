import FFmpegPrograms
import NIOCore
import RTCRTP
import Testing

@testable import RTCMediaFiles

@Suite("Byte streams of H.264 and H.265")
struct AnnexBTests {
    private func payloads(_ bytes: ByteBuffer, _ codec: AnnexBCodec = .h264) throws -> [[UInt8]] {
        try AnnexBReader(FileInput(bytes: bytes), codec: codec).allFrames().map(\.frame.payload.array)
    }

    @Test("Access units are told apart, with times at a fixed rate and key frames marked")
    func accessUnits() throws {
        let reader = AnnexBReader(FileInput(bytes: Samples.h264()), codec: .h264)
        let frames = try reader.allFrames()
        #expect(frames.map(\.frame.isKeyFrame) == [true, false])
        #expect(frames.map(\.frame.timestamp) == [0, 3000] && frames[1].duration == Timebase.thirtieth.duration(of: 1))
        #expect(frames.flatMap(\.frame.payload.array) == Samples.h264().array)
        #expect(frames[1].frame.payload.array == [0, 0, 0, 1, 9, 0x30, 0, 0, 0, 1, 0x41, 0x9A, 5, 6])
        try reader.rewind()
        #expect(try reader.allFrames() == frames)
    }

    @Test(
        "A new unit begins with a first slice, with parameter sets and with SEI",
        arguments: [
            ([[0x65, 0x88], [0x41, 0x9A], [0x41, 0x1A]], [1, 2]),
            ([[0x65, 0x88], [0x67, 1, 2, 3], [0x68, 1], [0x65, 0x88]], [1, 3]),
            ([[0x41, 0x88], [0x06, 1, 1], [0x41, 0x88]], [1, 2]),
            ([[0x41, 0x88], [0x0C, 1], [0x41, 0x88]], [2, 1]),
            ([[0x65, 0x88], [0x0A], [0x41, 0x08]], [2, 1]),
            ([[0x67, 1, 2, 3], [0x68, 1]], []),
        ] as [([[UInt8]], [Int])]
    )
    func borders(units: [[UInt8]], counts: [Int]) throws {
        let frames = try self.payloads(Samples.annexB(units, code: [0, 0, 1]))
        #expect(
            frames.map { frame in frame.indices.dropLast(3).filter { frame[$0...].starts(with: [0, 0, 0, 1]) }.count }
                == counts
        )
    }

    @Test("H.265 is told apart by its own types and layers")
    func h265() throws {
        let units: [[UInt8]] = [
            [0x40, 1, 1], [0x42, 1, 1], [0x44, 1, 1], [0x4E, 1, 1], [0x26, 1, 0x80], [0x26, 1, 0x01], [0x02, 1, 0x80],
            [0x02, 9, 0x80], [0x46, 1, 0x50], [0x02, 1, 0x80],
        ]
        let reader = AnnexBReader(FileInput(bytes: Samples.annexB(units)), codec: .h265)
        let frames = try reader.allFrames()
        #expect(frames.map(\.frame.isKeyFrame) == [true, false, false])
        #expect(frames.map(\.frame.payload.readableBytes) == [42, 14, 14])
    }

    @Test("Zeros around units and bytes before the first start code do not count")
    func zeros() throws {
        let bytes: [UInt8] = [7, 7, 0, 0, 0, 0, 1, 0x65, 0x88, 1, 0, 0, 0, 0, 1, 0, 0, 1, 0x41, 0x88, 0, 0]
        #expect(
            try self.payloads(ByteBuffer(bytes: bytes)) == [[0, 0, 0, 1, 0x65, 0x88, 1], [0, 0, 0, 1, 0x41, 0x88]]
        )
    }

    @Test("A file is read piece by piece, whatever lies on the borders of what is read at once")
    func streaming() throws {
        let scratch = try Scratch()
        var expected: [Int] = []
        var bytes: [UInt8] = []
        for index in 0..<300 {
            let size = 200 + index * 7
            expected.append(size + 2 + 4)
            bytes += [0, 0, 1, 0x41, 0x88] + repeatElement(UInt8(index % 250 + 2), count: size)
        }
        try scratch.write(bytes, "a.h264")
        let reader = try AnnexBReader(FileInput(path: scratch.file("a.h264")), codec: .h264)
        #expect(try reader.allFrames().map(\.frame.payload.readableBytes) == expected)
        try reader.rewind()
        #expect(try reader.allFrames().count == 300)
    }

    @Test("Units and access units beyond the limit are refused")
    func limits() throws {
        let limits = MediaFileLimits(frameSize: 100)
        let unit: [UInt8] = [0x65, 0x88] + repeatElement(5, count: 200)
        let large = AnnexBReader(FileInput(bytes: Samples.annexB([unit])), codec: .h264, limits: limits)
        #expect { try large.nextFrame() } throws: { ($0 as? MediaFileError)?.code == .limitExceeded }
        let slices = Samples.annexB([[UInt8]](repeating: [0x65, 0x08] + repeatElement(5, count: 40), count: 5))
        let many = AnnexBReader(FileInput(bytes: slices), codec: .h264, limits: limits)
        #expect { try many.nextFrame() } throws: { ($0 as? MediaFileError)?.code == .limitExceeded }
    }

    @Test("What was written is read")
    func writer() throws {
        let output = FileOutput()
        let writer = AnnexBWriter(output)
        let frames = try self.payloads(Samples.h264())
        for frame in frames { try writer.write(ByteBuffer(bytes: frame)) }
        #expect(throws: MediaFileError.self) { try writer.write(ByteBuffer(bytes: [0x65, 0x88])) }
        try writer.close()
        #expect(try self.payloads(output.bytes) == frames)
    }
}
