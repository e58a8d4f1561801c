import NIOCore
import RTCRTP
import Testing

@testable import RTCMediaFiles

@Suite("WAV files")
struct WAVTests {
    @Test("What was written is read", arguments: WAVFormat.Encoding.allCases)
    func roundTrip(encoding: WAVFormat.Encoding) throws {
        let reader = try WAVReader(FileInput(bytes: Samples.wav(encoding)))
        #expect(reader.format.encoding == encoding && reader.format.sampleRate == 8000)
        #expect(reader.sampleCount == UInt64(400 / encoding.sampleSize))
        #expect(
            try reader.nextBlock(sampleCount: 150)?.array
                == (0..<150 * encoding.sampleSize).map { UInt8(truncatingIfNeeded: $0) }
        )
        #expect(try reader.nextBlock(sampleCount: 1000)?.readableBytes == 400 - 150 * encoding.sampleSize)
        #expect(try reader.nextBlock(sampleCount: 1) == nil)
        try reader.rewind()
        #expect(try reader.nextBlock(sampleCount: 1)?.readableBytes == encoding.sampleSize)
    }

    @Test("Before it is closed the file says that its length is not known, and is read to its end")
    func unfinished() throws {
        let output = FileOutput()
        let writer = try WAVWriter(output, format: WAVFormat(encoding: .pcm16, sampleRate: 48_000, channelCount: 2))
        try writer.write(samples: [1, -1, 2, -2])
        try writer.writeSilence(sampleCount: 5000)
        #expect(writer.duration == .seconds(5002) / 48_000)
        let reader = try WAVReader(FileInput(bytes: output.bytes))
        #expect(reader.sampleCount == nil)
        #expect(try reader.nextBlock(sampleCount: 2)?.array == [1, 0, 0xFF, 0xFF, 2, 0, 0xFE, 0xFF])
        #expect(try reader.nextBlock(sampleCount: 10_000)?.readableBytes == 20_000)
        #expect(throws: MediaFileError.self) { try writer.write(ByteBuffer(bytes: [1, 2, 3])) }
    }

    @Test("G.711 comes as frames of 20 ms; other sound needs an encoder")
    func frames() throws {
        let reader = try WAVFrameReader(WAVReader(FileInput(bytes: Samples.wav(.aLaw))))
        let frames = try reader.allFrames()
        #expect(reader.format == .pcma && frames.map(\.frame.timestamp) == [0, 160, 320])
        #expect(frames.map(\.duration) == [.milliseconds(20), .milliseconds(20), .milliseconds(10)])
        #expect { try WAVFrameReader(WAVReader(FileInput(bytes: Samples.wav(.pcm16)))) } throws: {
            ($0 as? MediaFileError)?.code == .unsupported
        }
    }

    @Test("A file beyond 32 bits is closed with 64-bit sizes")
    func large() throws {
        let output = FileOutput()
        let writer = try WAVWriter(output, format: WAVFormat(encoding: .pcm16, sampleRate: 48_000))
        writer.shortSizeLimit = 100
        try writer.writeSilence(sampleCount: 500)
        try writer.close()
        let size = UInt64(output.bytes.readableBytes)
        #expect(output.bytes.getString(at: 0, length: 4) == "RF64")
        #expect(output.bytes.getInteger(at: 20, endianness: .little, as: UInt64.self) == size - 8)
        let reader = try WAVReader(FileInput(bytes: output.bytes))
        #expect(reader.sampleCount == 500)
        #expect(try reader.nextBlock(sampleCount: 1000)?.readableBytes == 1000)
    }

    @Test("The 64-bit form is read, and so is the extensible format; chunks between are passed over")
    func rf64() throws {
        func chunk(_ name: String, _ bytes: [UInt8], size: UInt32? = nil) -> [UInt8] {
            let size = size ?? UInt32(bytes.count)
            let pad: [UInt8] = bytes.count % 2 == 1 ? [0] : []
            return Array(name.utf8) + (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } + bytes + pad
        }
        let format: [UInt8] =
            [0xFE, 0xFF, 1, 0, 0x40, 0x1F, 0, 0, 0x80, 0x3E, 0, 0, 2, 0, 16, 0, 22, 0, 16, 0, 4, 0, 0, 0, 1, 0]
            + repeatElement(0, count: 14)
        let sizes: [UInt8] = [0, 1, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        let file =
            chunk("RF64", Array("WAVE".utf8), size: .max) + chunk("ds64", sizes) + chunk("odd ", [1, 2, 3])
            + chunk("fmt ", format) + chunk("data", [1, 0, 2, 0, 3, 0], size: .max)
        let reader = try WAVReader(FileInput(file))
        #expect(reader.sampleCount == 2 && reader.format.encoding == .pcm16)
        #expect(try reader.nextBlock(sampleCount: 100)?.array == [1, 0, 2, 0])
    }

    @Test(
        "Broken headers are refused",
        arguments: [
            (8, UInt8(0), MediaFileError.Code.malformed), (56, 2, .unsupported), (58, 0, .malformed),
            (60, 0, .malformed),
            (68, 3, .malformed), (70, 8, .unsupported), (48, 0, .malformed),
        ]
    )
    func broken(place: Int, value: UInt8, code: MediaFileError.Code) throws {
        var bytes = try Samples.wav(.pcm16).array
        bytes[place] = value
        if place == 60 { bytes.replaceSubrange(60..<64, with: [0, 0, 0, 0]) }
        #expect { try WAVReader(FileInput(bytes)) } throws: { ($0 as? MediaFileError)?.code == code }
    }
}
