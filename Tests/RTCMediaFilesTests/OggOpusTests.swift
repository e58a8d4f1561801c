import NIOCore
import RTCRTP
import Testing

@testable import RTCMediaFiles

@Suite("Ogg files with Opus")
struct OggOpusTests {
    private func written(_ timestamps: [UInt32], gap: Duration = .seconds(600)) throws -> (ByteBuffer, Int) {
        let output = FileOutput()
        let writer = try OggOpusWriter(output, serialNumber: 1, maximumGap: gap)
        for timestamp in timestamps { try writer.write(Samples.opus(), timestamp: timestamp) }
        try writer.close()
        return (output.bytes, writer.droppedPacketCount)
    }

    private func pages(_ bytes: ByteBuffer) throws -> [OggPage] {
        var reader = OggPageReader(FileInput(bytes: bytes))
        var pages: [OggPage] = []
        while let page = try reader.next() { pages.append(page) }
        #expect(reader.skippedByteCount == 0)
        return pages
    }

    @Test("What was written is read, with headers, times and durations")
    func roundTrip() throws {
        let reader = try OggOpusReader(FileInput(bytes: Samples.ogg(packets: 120)))
        #expect(reader.head == OpusHead() && reader.head.preSkip == 312)
        #expect(reader.tags.vendor == "swift-webrtc" && reader.tags.comments == ["TITLE=sample"])
        let frames = try reader.allFrames()
        #expect(frames.map(\.frame.timestamp) == (0..<120).map { UInt32(960 * $0) })
        #expect(frames.allSatisfy { $0.duration == .milliseconds(20) && $0.frame.isKeyFrame })
        #expect(frames[3].frame.payload == Samples.opus(3) && frames[119].time == .milliseconds(2380))
        try reader.rewind()
        #expect(try reader.allFrames() == frames && reader.lostPacketCount == 0)
    }

    @Test("A page holds a second at most, and the last one says that it is the last")
    func pageDuration() throws {
        let pages = try self.pages(Samples.ogg(packets: 120))
        #expect(pages.map(\.granulePosition) == [0, 0, 48_000, 96_000, 115_200])
        #expect(pages.map(\.flags) == [.first, [], [], [], .last])
        #expect(pages.map(\.sequenceNumber) == [0, 1, 2, 3, 4] && pages.allSatisfy { $0.serialNumber == 7 })
        #expect(pages[4].completedPacketCount == 20)
    }

    @Test("Without its last page the file has all but the last second")
    func crash() throws {
        let output = FileOutput()
        let writer = try OggOpusWriter(output)
        for index in 0..<120 { try writer.write(Samples.opus(), timestamp: UInt32(960 * index)) }
        #expect(try OggOpusReader(FileInput(bytes: output.bytes)).allFrames().count == 100)
    }

    @Test("Timestamps wrap around and begin anywhere")
    func wrap() throws {
        let start = UInt32.max - 1000
        let (bytes, dropped) = try self.written((0..<5).map { start &+ 960 * UInt32($0) })
        let frames = try OggOpusReader(FileInput(bytes: bytes)).allFrames()
        #expect(frames.map(\.frame.timestamp) == [0, 960, 1920, 2880, 3840] && dropped == 0)
    }

    @Test("Lost packets are replaced by packets that are concealed, and sound keeps its place")
    func gap() throws {
        let (bytes, _) = try self.written([0, 960, 960 * 12 + 360, 960 * 13 + 360])
        let frames = try OggOpusReader(FileInput(bytes: bytes)).allFrames()
        let sound = frames.filter { $0.frame.payload.readableBytes > 2 }
        #expect(sound.map(\.frame.timestamp) == [0, 960, 11_880, 12_840])
        // 207.5 ms: 120, 80, 5 and 2.5 ms.
        let fillers = frames.filter { $0.frame.payload.readableBytes <= 2 }
        #expect(
            fillers.map { $0.duration } == [
                .milliseconds(120), .milliseconds(80), .milliseconds(5), .microseconds(2500),
            ]
        )
        #expect(fillers[0].frame.payload.array == [31 << 3 | 3, 6] && fillers[2].frame.payload.array == [29 << 3])
    }

    @Test("What is less than the shortest packet is made good later", arguments: [0, 7, 15, 31])
    func gapRemainder(configuration: UInt8) {
        var filler = OpusGapFiller(samples: 5 * 5760 + 2880 + 700, after: configuration << 3 | 4)
        var sum = 0
        while let packet = filler.next() {
            sum += packet.duration
            #expect(OpusPacket(packet.payload.readableBytesSpan)?.duration == packet.duration)
            #expect(OpusPacket(packet.payload.readableBytesSpan)?.isStereo == true)
        }
        #expect(sum == 5 * 5760 + 2880 + 600)
    }

    @Test("Late and repeated packets are dropped, and a jump is a new beginning")
    func jumps() throws {
        let (bytes, dropped) = try self.written([0, 960, 960, 0, 4_000_000, 4_000_960], gap: .seconds(10))
        let frames = try OggOpusReader(FileInput(bytes: bytes)).allFrames()
        #expect(dropped == 2 && frames.map(\.frame.timestamp) == [0, 960, 1920, 2880])
        let (back, _) = try self.written([4_000_000, 0, 960], gap: .seconds(10))
        #expect(try OggOpusReader(FileInput(bytes: back)).allFrames().map(\.frame.timestamp) == [0, 960, 1920])
    }

    @Test("A damaged page is passed over, and times go on behind it")
    func damage() throws {
        var bytes = try Samples.ogg(packets: 150).array
        let starts = bytes.indices.filter { bytes[$0...].starts(with: Array("OggS".utf8)) }
        bytes[starts[3] + 500] ^= 1
        let reader = try OggOpusReader(FileInput(bytes))
        let frames = try reader.allFrames()
        #expect(frames.count == 100 && reader.skippedByteCount == Int64(starts[4] - starts[3]))
        #expect(frames[49].time == .milliseconds(980) && frames[50].time == .seconds(2))
    }

    @Test("Packets go on over the borders of pages, and are lost with the page of their middle")
    func continued() throws {
        let packet = Samples.opus(9, size: 700)
        func page(
            _ sequence: UInt32,
            _ flags: OggPage.Flags,
            _ granule: UInt64?,
            _ segments: [UInt8],
            _ bytes: [UInt8]
        ) -> [UInt8] {
            var buffer = ByteBuffer()
            OggPage(
                flags: flags,
                granulePosition: granule,
                serialNumber: 1,
                sequenceNumber: sequence,
                segments: segments,
                payload: ByteBuffer(bytes: bytes)
            ).append(to: &buffer)
            return buffer.array
        }
        let head = OpusHead().bytes.array
        let tags = OpusTags(vendor: "").bytes.array
        let all = packet.array
        let parts = [
            page(0, .first, 0, [UInt8(head.count)], head), page(1, [], 0, [UInt8(tags.count)], tags),
            page(2, [], nil, [255], Array(all[..<255])), page(3, .continued, nil, [255], Array(all[255..<510])),
            page(4, [.continued, .last], 1200, [190, 3], Array(all[510...]) + [31 << 3, 1, 2]),
        ]
        let reader = try OggOpusReader(FileInput(parts.flatMap { $0 }))
        let frames = try reader.allFrames()
        #expect(frames.map(\.frame.payload) == [packet, ByteBuffer(bytes: [31 << 3, 1, 2])])
        // The end of the stream cuts the last packet short.
        #expect(frames.map { $0.duration } == [.milliseconds(20), .milliseconds(5)])
        let broken = try OggOpusReader(FileInput((parts[..<3] + parts[4...]).flatMap { $0 }))
        #expect(try broken.allFrames().map(\.frame.payload.readableBytes) == [3] && broken.lostPacketCount == 1)
    }

    @Test("A stream that begins in the middle of a broadcast begins at zero")
    func laterStart() throws {
        var reader = OggPageReader(FileInput(bytes: try Samples.ogg(packets: 120)))
        var bytes = ByteBuffer()
        var index = 0
        while var page = try reader.next() {
            if index >= 2 { page.granulePosition? += 5_000_000 }
            page.append(to: &bytes)
            index += 1
        }
        let frames = try OggOpusReader(FileInput(bytes: bytes)).allFrames()
        #expect(frames.map(\.frame.timestamp) == (0..<120).map { UInt32(960 * $0) })
        #expect(frames.last?.duration == .milliseconds(20))
    }

    @Test("A chain of streams is refused in words, and one multiplexed with others is read")
    func chains() throws {
        let one = try Samples.ogg()
        let reader = try OggOpusReader(FileInput(one.array + one.array))
        #expect(try (0..<4).compactMap { _ in try reader.nextFrame() }.count == 4)
        #expect(try reader.nextFrame() == nil)
        let pages = try self.pages(one)
        var chained = ByteBuffer()
        for page in pages[..<2] + pages[..<2] { page.append(to: &chained) }
        let other = try OggOpusReader(FileInput(bytes: chained))
        #expect { try other.nextFrame() } throws: { ($0 as? MediaFileError)?.code == .unsupported }
        var mixed = ByteBuffer()
        for page in pages {
            var stranger = page
            stranger.serialNumber = 99
            stranger.payload = ByteBuffer(repeating: 0, count: page.payload.readableBytes)
            stranger.append(to: &mixed)
            page.append(to: &mixed)
        }
        #expect(try OggOpusReader(FileInput(bytes: mixed)).allFrames().count == 4)
    }

    @Test("Headers of other things are refused")
    func headers() throws {
        #expect(OpusHead(ByteBuffer(string: "OpusHead")) == nil)
        var head = OpusHead(channelCount: 1).bytes
        #expect(OpusHead(head)?.channelCount == 1)
        head.setInteger(UInt8(16), at: 8)
        #expect(OpusHead(head) == nil)
        #expect(OpusTags(ByteBuffer(bytes: Array("OpusTags".utf8) + [255, 255, 255, 255])) == nil)
        #expect(OpusTags(ByteBuffer(bytes: Array("OpusTags".utf8) + [0, 0, 0, 0, 255, 255, 255, 255])) == nil)
        #expect(throws: MediaFileError.self) { try OggOpusReader(FileInput([])) }
        #expect(throws: MediaFileError.self) { try OggOpusReader(FileInput(Array("OggS and more".utf8))) }
        let writer = try OggOpusWriter(FileOutput())
        #expect(throws: MediaFileError.self) { try writer.write(ByteBuffer(), timestamp: 0) }
        #expect(throws: MediaFileError.self) {
            try OggOpusWriter(FileOutput(), tags: OpusTags(vendor: String(repeating: "x", count: 70_000)))
        }
    }
}
