import NIOCore
import RTCBase
import RTCSTUN
import RTCTURN
import Testing

@Suite struct FramingTests {
    private static func channelData(_ count: Int, isPadded: Bool) throws -> [UInt8] {
        var buffer = ByteBuffer()
        let channel = try #require(TURNChannelNumber(rawValue: 0x4001))
        let data = [UInt8](repeating: 7, count: count)
        #expect(TURNChannelData.write(data.span.bytes, on: channel, to: &buffer, isPadded: isPadded))
        return buffer.bytes
    }

    private static func read(_ bytes: [UInt8]) -> TURNChannelData? { TURNChannelData(bytes.span.bytes) }

    @Test("ChannelData is padded over streams only, and padding is no data")
    func channelData() throws {
        let bare = try Self.channelData(5, isPadded: false)
        #expect(bare == [0x40, 0x01, 0, 5, 7, 7, 7, 7, 7])
        let padded = try Self.channelData(5, isPadded: true)
        #expect(padded.count == 12)
        #expect(Self.read(padded)?.payloadRange == 4..<9)
        #expect(Self.read(bare)?.channel.rawValue == 0x4001)
        #expect(Self.read(try Self.channelData(0, isPadded: true))?.count == 0)
    }

    @Test("A ChannelData message that lies about its length or channel is none")
    func brokenChannelData() {
        for broken: [UInt8] in [[], [0x40], [0x40, 1, 0], [0x40, 1, 0, 1], [0x3F, 1, 0, 0], [0x80, 0, 0, 0]] {
            #expect(Self.read(broken) == nil)
        }
    }

    @Test("A stream is cut into the same messages however it arrives")
    func stream() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = RandomSource.seeded(seed)
        var sent: [TURNStreamDecoder.Frame] = []
        var stream = ByteBuffer()
        for count in 0..<200 {
            if random.next() % 2 == 0 {
                let size = Int(random.next() % 50)
                stream.writeBytes(try Self.channelData(size, isPadded: true))
                sent.append(.channelData(ByteBuffer(bytes: try Self.channelData(size, isPadded: false))))
            } else {
                var builder = STUNMessageBuilder(.request, .binding, .random(using: &random))
                builder.append(.software, bytes: repeatElement(1, count: count))
                let message = builder.finish()
                stream.writeImmutableBuffer(message)
                sent.append(.stun(message))
            }
        }
        var decoder = TURNStreamDecoder()
        var received: [TURNStreamDecoder.Frame] = []
        while stream.readableBytes > 0 {
            let count = min(stream.readableBytes, Int(random.next() % 40) + 1)
            decoder.append(stream.readSlice(length: count) ?? ByteBuffer())
            while true {
                let frame = decoder.next()
                if frame == .incomplete { break }
                received.append(frame)
            }
        }
        #expect(received == sent, "seed \(seed)")
        #expect(decoder.bufferedBytes == 0)
    }

    @Test("A stream of anything else is given up, and keeps nothing")
    func brokenStreams() {
        for bytes: [UInt8] in [[0x80, 0, 0, 0], [0xFF, 1, 2, 3], [0, 1, 0, 3], [0x40 | 0x80, 0, 0, 1]] {
            var decoder = TURNStreamDecoder()
            decoder.append(ByteBuffer(bytes: bytes))

            #expect(decoder.next() == .broken)
            decoder.append(ByteBuffer(repeating: 0, count: 1_000))
            #expect(decoder.next() == .broken && decoder.bufferedBytes == 0)
        }
        var bounded = TURNStreamDecoder(maximumMessageSize: 1_000)
        bounded.append(ByteBuffer(bytes: [0x40, 0, 0x10, 0]))
        #expect(bounded.next() == .broken)
    }
}
