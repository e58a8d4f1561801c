import NIOCore
import RTCBase
import Testing

@testable import RTCSCTP

@Suite("SCTP engine: what a peer can make it do")
struct EngineBoundsTests {
    @Test("data before the handshake is over leaves no timer that is due for ever")
    func earlyData() {
        let peer = ScriptedPeer()
        peer.answerInit()
        _ = peer.drain()
        peer.say([ScriptedPeer.data(0)])
        for _ in 0..<3 {
            peer.advance(.milliseconds(30))
            _ = peer.drain()
            #expect(peer.engine.nextTimeout ?? .distantFuture > peer.now)
        }
    }

    @Test("an answer to a heartbeat with any time in it is harmless", arguments: [0x80, 0xFF, 0x7F, 0x00] as [UInt8])
    func heartbeatAnswer(byte: UInt8) {
        let peer = ScriptedPeer()
        peer.comeUp()
        peer.advance(.seconds(31))
        #expect(peer.drain().contains { $0.type == ChunkType.heartbeat })
        let info: [UInt8] = [0, 1, 0, 12, byte] + [UInt8](repeating: byte == 0x80 ? 0 : byte, count: 7)
        peer.say([ScriptedPeer.chunk(ChunkType.heartbeatAck, info)])
        #expect(peer.engine.phase == .established)
    }

    @Test("giving up many streams at once, over and over, is soon done")
    func skipsFar() {
        let peer = ScriptedPeer()
        peer.comeUp()
        for round in 0..<40 {
            var value: [UInt8] = []
            value.append(bigEndian: ScriptedPeer.initialTSN + UInt32(round))
            for stream in 0..<4_000 as Range<UInt16> {
                value.append(bigEndian: stream)
                value.append(bigEndian: UInt16(truncatingIfNeeded: (round + 1) * 32_767 - 1))
            }
            peer.say([ScriptedPeer.chunk(ChunkType.forwardTSN, value)])
            _ = peer.drain()
        }
        peer.say([ScriptedPeer.data(40, stream: 3_999, sequence: 40 * 32_767)])
        #expect(peer.readMessages().map(\.stream) == [3_999])
    }

    @Test("messages that came before those given up are delivered in their order")
    func skipDelivers() {
        let peer = ScriptedPeer()
        peer.comeUp()
        for (offset, sequence) in [(1, 5), (2, 3), (3, 7), (4, 65_000)] {
            peer.say([ScriptedPeer.data(offset, stream: 1, sequence: sequence, size: sequence % 100 + 1)])
        }
        #expect(peer.readMessages().isEmpty)
        var value: [UInt8] = []
        value.append(bigEndian: ScriptedPeer.initialTSN)
        value.append(bigEndian: UInt16(1))
        value.append(bigEndian: UInt16(6))
        peer.say([ScriptedPeer.chunk(ChunkType.forwardTSN, value)])
        #expect(peer.readMessages().map(\.bytes.readableBytes) == [4, 6, 8])
    }

    @Test("two messages with one number leave the window as it was")
    func doubledSequence() {
        let peer = ScriptedPeer()
        peer.comeUp()
        for (offset, size) in [1, 1_000, 10, 900].enumerated() {
            peer.say([ScriptedPeer.data(offset, stream: 1, sequence: 1, size: size)])
        }
        #expect(peer.engine.receiveWindow < peer.engine.configuration.receiveBuffer)
        peer.say([ScriptedPeer.data(4, stream: 1, sequence: 0)])
        #expect(peer.readMessages().count == 2)
        #expect(peer.engine.receiveWindow == peer.engine.configuration.receiveBuffer)
    }

    @Test("what was announced has room behind a gap too")
    func roomBehindGap() throws {
        var configuration = SCTPConfiguration()
        configuration.receiveBuffer = 20_000
        let peer = ScriptedPeer(configuration: configuration)
        peer.comeUp()
        for offset in 1..<17 { peer.say([ScriptedPeer.data(offset, flags: offset == 16 ? .end : [], size: 1_000)]) }
        let sack = try #require(peer.drain().last { $0.type == ChunkType.sack })
        #expect(sack.uint16(at: 8) == 1)
        #expect(sack.uint16(at: 14) == 17)
        peer.say([ScriptedPeer.data(0, flags: .beginning, size: 1_000)])
        #expect(peer.readMessages().map(\.bytes.readableBytes) == [17_000])
    }

    @Test("a peer that ignores the window fills it once more at most", arguments: [true, false], [1, 1_000])
    func ignoredWindow(leavesGap: Bool, size: Int) {
        var configuration = SCTPConfiguration()
        configuration.receiveBuffer = 20_000
        let peer = ScriptedPeer(configuration: configuration)
        peer.comeUp()
        if leavesGap { peer.say([ScriptedPeer.data(60_000, stream: 9)]) }
        for offset in 0..<20_000 {
            peer.say([ScriptedPeer.data(offset, stream: 1, sequence: offset, size: size)])
            if offset % 100 == 0 { _ = peer.drain() }
        }
        #expect(peer.engine.receiveWindow == 0)
        let messages = peer.readMessages()
        #expect(messages.count > 10)
        #expect(messages.reduce(0) { $0 + $1.bytes.readableBytes + 32 } <= 2 * 20_000)
        #expect(messages.count * 32 <= 2 * 20_000)
    }

    @Test("messages whose turn never comes are bounded by the window")
    func neverInTurn() {
        var configuration = SCTPConfiguration()
        configuration.receiveBuffer = 20_000
        let peer = ScriptedPeer(configuration: configuration)
        peer.comeUp()
        for offset in 0..<5_000 {
            peer.say([ScriptedPeer.data(offset, stream: UInt16(offset % 50), sequence: 1 + offset / 50)])
            if offset % 100 == 0 { _ = peer.drain() }
        }
        #expect(peer.engine.receiveWindow == 0)
        let cumulative = peer.engine.reassembly?.cumulative ?? 0
        #expect(cumulative - Int64(ScriptedPeer.initialTSN) < 2 * 20_000 / 32)
    }

    @Test("a short message in several chunks does not hold on to much more memory than its own")
    func shortInPieces() throws {
        let peer = ScriptedPeer()
        peer.comeUp()
        peer.say([ScriptedPeer.data(0, flags: .beginning, size: 1_000)])
        peer.say([ScriptedPeer.data(1, flags: .end, size: 300)])
        let message = try #require(peer.readMessages().first)
        #expect(message.bytes.readableBytes == 1_300)
        #expect(message.bytes.storageCapacity <= 4_096)
    }

    @Test("resets of streams do not pile up while nobody reads")
    func resetsUnread() {
        let peer = ScriptedPeer()
        peer.comeUp()
        while case .notification = peer.read() {}
        for number in 0..<5_000 as Range<UInt32> {
            var value: [UInt8] = []
            value.append(bigEndian: ScriptedPeer.initialTSN + number)
            value.append(bigEndian: peer.engineTSN &- 1)
            value.append(bigEndian: ScriptedPeer.initialTSN - 1)
            value.append(bigEndian: UInt16(3))
            var parameter: [UInt8] = []
            parameter.appendParameter(ParameterType.outgoingReset, value)
            peer.say([ScriptedPeer.chunk(ChunkType.reconfiguration, parameter)])
            _ = peer.drain()
        }
        var count = 0
        while case .notification = peer.read() { count += 1 }
        #expect(count > 0 && count <= 128)
    }

    @Test("acknowledgements with blocks that overlap count everything once")
    func overlappingBlocks() {
        let peer = ScriptedPeer()
        peer.comeUp()
        for _ in 0..<15 { peer.send(1_000, on: 1) }
        let sent = peer.drain().filter { $0.type == ChunkType.data }
        #expect(sent.count == 15)
        let before = peer.engine.outstanding.bytesInFlight
        peer.say([ScriptedPeer.sack(peer.engineTSN &- 1, blocks: [(2, 5), (3, 9), (2, 2), (65_000, 65_535), (9, 3)])])
        #expect(before - peer.engine.outstanding.bytesInFlight >= 4 * 1_016)
        _ = peer.drain()
        peer.say([ScriptedPeer.sack(peer.engineTSN &+ 14)])
        #expect(peer.engine.outstanding.isEmpty && peer.engine.outstanding.bytesInFlight == 0)
    }

    @Test("packets changed at random do no harm", arguments: UInt64(1)...20)
    func mutated(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        let peer = ScriptedPeer(seed: seed)
        peer.comeUp()
        var offset = 0
        for _ in 0..<1_500 {
            var chunks = Self.samples(offset, engineTSN: peer.engineTSN)
            offset += 1
            let first = Int(random.next() % UInt64(chunks.count))
            for _ in 0..<(1 + random.next() % 6) {
                let index = Int(random.next() % UInt64(chunks[first].count))
                chunks[first][index] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.next() % 4 == 0 { chunks[first].removeLast(Int(random.next() % UInt64(chunks[first].count))) }
            let second = Int(random.next() % UInt64(chunks.count))
            peer.say([chunks[first], chunks[second]])
            if random.next() % 8 == 0 { peer.send(Int(random.next() % 3_000) + 1, on: 1, .retransmissions(1)) }
            if random.next() % 8 == 0 { peer.advance(.milliseconds(Int64(random.next() % 3_000))) }
            if random.next() % 8 == 0 { _ = peer.readMessages() }
            _ = peer.drain()
            let engine = peer.engine
            #expect(engine.receiveWindow <= engine.configuration.receiveBuffer, "seed \(seed)")
            #expect(engine.nextTimeout ?? .distantFuture > peer.now || engine.phase == .ended, "seed \(seed)")
            if engine.phase == .ended { break }
        }
    }

    private static func samples(_ offset: Int, engineTSN: UInt32) -> [[UInt8]] {
        var skip: [UInt8] = []
        skip.append(bigEndian: ScriptedPeer.initialTSN + UInt32(offset))
        skip.append(bigEndian: UInt32(0x0001_0005))
        var reset: [UInt8] = []
        reset.append(bigEndian: ScriptedPeer.initialTSN)
        reset.append(bigEndian: engineTSN)
        reset.append(bigEndian: ScriptedPeer.initialTSN + UInt32(offset))
        reset.append(bigEndian: UInt16(1))
        var parameter: [UInt8] = []
        parameter.appendParameter(ParameterType.outgoingReset, reset)
        return [
            ScriptedPeer.data(offset, stream: 1, sequence: offset, size: 100),
            ScriptedPeer.data(offset, stream: 2, flags: .beginning, size: 60),
            ScriptedPeer.data(offset + 3, stream: 2, flags: [.unordered, .end], size: 60),
            ScriptedPeer.sack(engineTSN, blocks: [(2, 3), (5, 9)]),
            ScriptedPeer.chunk(ChunkType.forwardTSN, skip),
            ScriptedPeer.chunk(ChunkType.reconfiguration, parameter),
            ScriptedPeer.chunk(ChunkType.heartbeat, [0, 1, 0, 8, 1, 2, 3, 4]),
            ScriptedPeer.chunk(ChunkType.heartbeatAck, [0, 1, 0, 12, 1, 2, 3, 4, 5, 6, 7, 8]),
            ScriptedPeer.chunk(ChunkType.error, [0, 3, 0, 8, 1, 2, 3, 4]),
            ScriptedPeer.chunk(ChunkType.cookieEcho, [UInt8](repeating: 1, count: 45)),
            ScriptedPeer.chunk(0xC5, [1, 2, 3]),
        ]
    }
}
