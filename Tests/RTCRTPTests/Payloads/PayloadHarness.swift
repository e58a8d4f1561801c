import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

/// Bytes written in hexadecimal, spaces between them as one likes.
func hex(_ text: String) -> [UInt8] {
    let digits = text.filter { !$0.isWhitespace }.map { UInt8($0.hexDigitValue!) }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// A packet as a test sees it.
struct TestPacket: Equatable {
    var payload: [UInt8]
    var marker: Bool
    var beginsFrame = false
    var sequenceNumber: UInt16 = 0
}

extension EncodedFrame {
    init(_ bytes: [UInt8], isKeyFrame: Bool = false, timestamp: UInt32 = 1234) {
        self.init(payload: ByteBuffer(bytes: bytes), timestamp: timestamp, isKeyFrame: isKeyFrame)
    }

    var bytes: [UInt8] { Array(self.payload.readableBytesView) }
}

extension RTPPacketizer {
    /// The packets of a frame, each of which is within the size it may have. The frame lies somewhere in its buffer.
    mutating func packets(
        _ frame: EncodedFrame,
        maximum: Int,
        firstSequenceNumber: UInt16 = 65_530
    ) throws -> [TestPacket] {
        var shifted = ByteBuffer(bytes: [1, 2, 3] + frame.bytes + [4, 5])
        shifted.moveReaderIndex(forwardBy: 3)
        shifted.moveWriterIndex(to: shifted.writerIndex - 2)
        let moved = EncodedFrame(payload: shifted, timestamp: frame.timestamp, isKeyFrame: frame.isKeyFrame)
        var packets: [TestPacket] = []
        var sequenceNumber = firstSequenceNumber
        try self.packetize(moved, maximumPayloadSize: maximum) { payload in
            var buffer = ByteBuffer()
            payload.append(to: &buffer, from: moved.payload)
            #expect(buffer.readableBytes == payload.byteCount)
            #expect(payload.byteCount <= maximum)
            packets.append(
                TestPacket(
                    payload: Array(buffer.readableBytesView),
                    marker: payload.marker,
                    beginsFrame: payload.beginsFrame,
                    sequenceNumber: sequenceNumber
                )
            )
            sequenceNumber &+= 1
        }
        return packets
    }
}

extension RTPDepacketizer {
    /// What the packets come to.
    mutating func frame(
        _ packets: [TestPacket],
        timestamp: UInt32 = 1234,
        isStartKnown: Bool = true
    ) -> Result<EncodedFrame, DepacketizationError> {
        self.begin(timestamp: timestamp, isStartKnown: isStartKnown)
        for packet in packets {
            self.append(packet.payload.span.bytes, sequenceNumber: packet.sequenceNumber, marker: packet.marker)
        }
        return self.finish()
    }

    /// What payloads come to that follow each other, the last with the marker.
    mutating func frame(hex payloads: [String], isStartKnown: Bool = true) -> Result<EncodedFrame, DepacketizationError>
    {
        self.frame(
            payloads.enumerated().map { index, text in
                TestPacket(
                    payload: hex(text),
                    marker: index == payloads.count - 1,
                    sequenceNumber: UInt16(index)
                )
            },
            isStartKnown: isStartKnown
        )
    }
}

extension Result where Success == EncodedFrame, Failure == DepacketizationError {
    var bytes: [UInt8]? { try? self.get().bytes }
    var error: DepacketizationError? { if case .failure(let error) = self { error } else { nil } }
}

/// Writes bit by bit, for parameter sets made by hand.
struct BitWriter {
    private var bits: [UInt8] = []

    mutating func put(_ value: Int, _ count: Int) {
        for index in (0..<count).reversed() { self.bits.append(UInt8(value >> index & 1)) }
    }

    mutating func ue(_ value: Int) {
        let width = (value + 1).bitWidth - (value + 1).leadingZeroBitCount
        self.put(0, width - 1)
        self.put(value + 1, width)
    }

    /// The bytes, with a stop bit.
    var bytes: [UInt8] {
        var all = self.bits + [1]
        while all.count % 8 != 0 { all.append(0) }
        return stride(from: 0, to: all.count, by: 8).map { start in all[start..<start + 8].reduce(0) { $0 << 1 | $1 } }
    }
}

/// Frames that look like each codec's, from a seed.
enum RandomFrames {
    static func bytes(_ count: Int, _ random: inout RandomSource) -> [UInt8] {
        // Without zeros no start code comes about.
        (0..<count).map { _ in UInt8.random(in: 1...255, using: &random) }
    }

    static func size(_ random: inout RandomSource) -> Int {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: Int.random(in: 1..<30, using: &random)
        case 1: Int.random(in: 1..<300, using: &random)
        default: Int.random(in: 1..<4000, using: &random)
        }
    }

    static func frame(_ format: PayloadFormat, isKeyFrame: Bool, _ random: inout RandomSource) -> EncodedFrame {
        switch format {
        case .vp8:
            var data = self.bytes(self.size(&random) + 10, &random)
            data[0] = data[0] & 0xFE | (isKeyFrame ? 0 : 1)
            return EncodedFrame(data, isKeyFrame: isKeyFrame)
        case .vp9:
            let header = hex(isKeyFrame ? "82 49 83 42 00 27 f0 1d f0" : "86 00 40 92 9c")
            return EncodedFrame(header + self.bytes(self.size(&random), &random), isKeyFrame: isKeyFrame)
        case .h264: return EncodedFrame(self.h264(isKeyFrame, &random), isKeyFrame: isKeyFrame)
        case .h265: return EncodedFrame(self.h265(isKeyFrame, &random), isKeyFrame: isKeyFrame)
        case .av1: return EncodedFrame(self.av1(isKeyFrame, &random), isKeyFrame: isKeyFrame)
        default:
            return EncodedFrame(self.bytes(self.size(&random), &random), isKeyFrame: true)
        }
    }

    static let h264SequenceParameterSet = hex("67 42001f 8c 8d 40 50 1e d0 0f 08 84 6a")
    static let h264PictureParameterSet = hex("68 ce 3c 80 01")

    private static func h264(_ isKeyFrame: Bool, _ random: inout RandomSource) -> [UInt8] {
        var units: [[UInt8]] = []
        if isKeyFrame { units += [self.h264SequenceParameterSet, self.h264PictureParameterSet] }
        if Bool.random(using: &random) { units.append([0x06] + self.bytes(9, &random)) }
        for slice in 0..<Int.random(in: 1...4, using: &random) {
            // first_mb_in_slice, slice_type 7 or 5, pic_parameter_set_id 0.
            let start: [UInt8] = slice == 0 ? [0x88, 0x81] : [0x42, 0x21]
            units.append([isKeyFrame ? 0x65 : 0x41] + start + self.bytes(self.size(&random), &random))
        }
        return units.flatMap { [0, 0, 0, 1] + $0 }
    }

    static let h265ParameterSets = [
        hex("40 01 0c 01 ff ff 01 60"),
        hex(
            "42 01 01 01 60 00 00 03 00 90 00 00 03 00 00 03 00 78 a0 03 c0 80 10 e5 96 66 69 24 ca e0 10 00 00 03 00 10 "
                + "00 00 03 01 e0 80"
        ),
        hex("44 01 c1 72 b4 62 40"),
    ]

    private static func h265(_ isKeyFrame: Bool, _ random: inout RandomSource) -> [UInt8] {
        var units = isKeyFrame ? self.h265ParameterSets : []
        if Bool.random(using: &random) { units.append([0x4E, 0x01] + self.bytes(9, &random)) }
        for slice in 0..<Int.random(in: 1...4, using: &random) {
            let start: [UInt8] = slice == 0 ? [0xAF] : [0x2F]
            units.append([isKeyFrame ? 0x26 : 0x02, 0x01] + start + self.bytes(self.size(&random), &random))
        }
        return units.flatMap { [0, 0, 0, 1] + $0 }
    }

    static func av1SequenceHeader(width: Int, height: Int) -> [UInt8] {
        var writer = BitWriter()
        // Profile, still, reduced, timing, display delay, operating points, idc, level.
        for (value, count) in [(0, 3), (0, 1), (0, 1), (0, 1), (0, 1), (0, 5), (0, 12), (5, 5)] {
            writer.put(value, count)
        }
        writer.put(10, 4)
        writer.put(10, 4)
        writer.put(width - 1, 11)
        writer.put(height - 1, 11)
        writer.put(0x5A5A, 16)
        return writer.bytes
    }

    static func obu(_ header: [UInt8], _ payload: [UInt8]) -> [UInt8] {
        var size: [UInt8] = []
        var rest = payload.count
        while rest > 0x7F {
            size.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        return [header[0] | 2] + header.dropFirst() + size + [UInt8(rest)] + payload
    }

    private static func av1(_ isKeyFrame: Bool, _ random: inout RandomSource) -> [UInt8] {
        var data: [UInt8] = []
        if isKeyFrame { data += self.obu([0x08], self.av1SequenceHeader(width: 640, height: 480)) }
        for index in 0..<Int.random(in: 1...6, using: &random) {
            let payload = [isKeyFrame ? 0x10 : 0x30] + self.bytes(self.size(&random), &random)
            // A frame, then tile groups, or the frame of a higher layer.
            let header: [UInt8] = index == 0 ? [0x30] : index % 2 == 0 ? [0x34, 0x28] : [0x20]
            data += self.obu(header, payload)
        }
        return data
    }
}
