import NIOCore
import RTCBase
import RTCRTP

@testable import RTCMediaFiles

/// Small files of each kind, made here.
enum Samples {
    static func vp8(isKey: Bool, size: Int = 20) -> ByteBuffer {
        let start: [UInt8] = isKey ? [0x10, 0, 0, 0x9D, 0x01, 0x2A, 0x40, 1, 0xF0, 0] : [0x11, 0, 0]
        return ByteBuffer(bytes: start + (0..<max(0, size - start.count)).map { UInt8(truncatingIfNeeded: $0) })
    }

    /// An Opus packet of 20 ms: CELT, full band, mono.
    static func opus(_ value: UInt8 = 1, size: Int = 40) -> ByteBuffer {
        ByteBuffer(bytes: [31 << 3] + repeatElement(value, count: size - 1))
    }

    static func ivf() throws -> ByteBuffer {
        let output = FileOutput()
        let writer = try IVFWriter(output, header: IVFHeader(format: .vp8, size: PictureSize(width: 320, height: 240)))
        for index in 0..<4 { try writer.write(vp8(isKey: index == 0), time: .milliseconds(40 * index)) }
        try writer.close()
        return output.bytes
    }

    static func ogg(packets: Int = 4, size: Int = 40) throws -> ByteBuffer {
        let output = FileOutput()
        let writer = try OggOpusWriter(output, tags: OpusTags(comments: ["TITLE=sample"]), serialNumber: 7)
        for index in 0..<packets {
            try writer.write(opus(UInt8(truncatingIfNeeded: index), size: size), timestamp: UInt32(960 * index))
        }
        try writer.close()
        return output.bytes
    }

    static func wav(_ encoding: WAVFormat.Encoding = .muLaw) throws -> ByteBuffer {
        let output = FileOutput()
        let writer = try WAVWriter(output, format: WAVFormat(encoding: encoding, sampleRate: 8000))
        try writer.write(ByteBuffer(bytes: (0..<400).map { UInt8(truncatingIfNeeded: $0) }))
        try writer.close()
        return output.bytes
    }

    static func rtpDump() throws -> ByteBuffer {
        let output = FileOutput()
        let writer = try RTPDumpWriter(output, header: RTPDumpHeader(address: "192.0.2.1", port: 5004))
        try writer.write(RTPDumpPacket(payload: ByteBuffer(bytes: [0x80, 0, 0, 1]), time: .zero, isRTCP: false))
        try writer.write(RTPDumpPacket(payload: ByteBuffer(bytes: [0x80, 200]), time: .milliseconds(15), isRTCP: true))
        try writer.close()
        return output.bytes
    }

    static let sps: [UInt8] = [0x67, 0x42, 0xC0, 0x1F, 0x8C, 0x8D, 0x40]
    static let pps: [UInt8] = [0x68, 0xCE, 0x3C, 0x80]

    /// Two pictures, of which the first is a key frame of two slices.
    static func h264() -> ByteBuffer {
        annexB([
            [0x09, 0x10], sps, pps, [0x06, 5, 1, 0x80], [0x65, 0x88, 1, 2], [0x65, 0x08, 3, 4], [0x09, 0x30],
            [0x41, 0x9A, 5, 6],
        ])
    }

    static func annexB(_ units: [[UInt8]], code: [UInt8] = [0, 0, 0, 1]) -> ByteBuffer {
        ByteBuffer(bytes: units.flatMap { code + $0 })
    }
}

extension FileInput {
    convenience init(_ bytes: [UInt8]) { self.init(bytes: ByteBuffer(bytes: bytes)) }
}

extension ByteBuffer {
    var array: [UInt8] { Array(self.readableBytesView) }
}

extension MediaFrameReader {
    func allFrames() throws -> [MediaFileFrame] {
        var frames: [MediaFileFrame] = []
        while let frame = try self.nextFrame() { frames.append(frame) }
        return frames
    }
}
