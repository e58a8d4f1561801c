import NIOCore
import RTCBase
import RTCRTP
import Testing

@testable import RTCMediaFiles

/// Nothing that a file can say ends the process, or goes on for ever.
@Suite("Broken files")
struct BrokenFilesTests {
    private static func samples() throws -> [[UInt8]] {
        try [
            Samples.ivf().array, Samples.ogg(packets: 6, size: 300).array, Samples.wav(.muLaw).array,
            Samples.wav(.pcm16).array, Samples.h264().array, Samples.rtpDump().array,
            Samples.annexB([[0x40, 1, 1], [0x26, 1, 0x80], [0x02, 1, 0x80]]).array,
        ]
    }

    /// Reads all that can be read; returns how many frames that was.
    @discardableResult
    private func read(_ bytes: [UInt8]) -> Int {
        var count = 0
        if let reader = try? MediaFile.open(FileInput(bytes)) {
            while let frame = try? reader.nextFrame() {
                count += 1
                #expect(frame.frame.payload.readableBytes > 0 && frame.time >= .zero)
                if count > bytes.count {
                    Issue.record("more frames than bytes")
                    return count
                }
            }
        }
        if let reader = try? WAVReader(FileInput(bytes)) {
            while (try? reader.nextBlock(sampleCount: 7)) != nil { count += 1 }
        }
        if let reader = try? RTPDumpReader(FileInput(bytes)) {
            while (try? reader.nextPacket()) != nil { count += 1 }
        }
        return count
    }

    @Test("Files that end at any byte")
    func truncated() throws {
        for sample in try Self.samples() {
            let whole = self.read(sample)
            #expect(whole > 0)
            for end in 0..<sample.count { #expect(self.read(Array(sample[..<end])) <= whole) }
        }
    }

    @Test("Files with random damage", arguments: 0..<8)
    func damaged(seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        for sample in try Self.samples() {
            for _ in 0..<300 {
                var bytes = sample
                for _ in 0...Int(random.next() % 6) {
                    let place = Int(random.next() % UInt64(bytes.count))
                    bytes[place] =
                        [0, 1, 0x7F, 0x80, 0xFF, UInt8(truncatingIfNeeded: random.next())][Int(random.next() % 6)]
                }
                self.read(bytes)
            }
        }
    }

    @Test("Ogg pages with sound checksums and random contents", arguments: 0..<8)
    func hostilePages(seed: Int) throws {
        var random = RandomSource.seeded(UInt64(seed))
        for _ in 0..<200 {
            var bytes = ByteBuffer()
            var reader = OggPageReader(FileInput(bytes: try Samples.ogg(packets: 60)))
            var index = 0
            while var page = try reader.next() {
                defer { index += 1 }
                if index >= 2 {
                    if random.next() % 3 == 0 { page.granulePosition = random.next() >> (random.next() % 64) }
                    if random.next() % 3 == 0 { page.sequenceNumber &+= UInt32(random.next() % 3) }
                    if random.next() % 3 == 0 { page.flags = OggPage.Flags(rawValue: UInt8(random.next() % 8)) }
                }
                page.append(to: &bytes)
            }
            self.read(bytes.array)
        }
    }
}
