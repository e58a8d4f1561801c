import NIOCore
import RTCBase
import Testing

@testable import RTCSCTP

/// Two engines with a delay between them, over a link that a test can cut.
private final class EngineLink {
    let left: NativeAssociation
    let right: NativeAssociation
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var isCut = false
    private let delay: TimeAmount
    private var underWay: CircularBuffer<(due: NIODeadline, toLeft: Bool, bytes: [UInt8])> = []
    private(set) var messages: [SCTPIncomingMessage] = []
    private(set) var isLost = false

    init(delay: TimeAmount = .milliseconds(10), configuration: SCTPConfiguration = .init(), isCut: Bool = false) {
        self.delay = delay
        self.isCut = isCut
        self.left = NativeAssociation(configuration: configuration, random: .seeded(1))
        self.right = NativeAssociation(configuration: configuration, random: .seeded(2))
        for engine in [self.left, self.right] {
            engine.now = self.now
            _ = engine.start(remotePort: 5000, outgoingStreams: 256, maximumIncomingStreams: 256)
        }
        self.run(for: .seconds(1))
        #expect(isCut || self.left.phase == .established && self.right.phase == .established)
    }

    /// Tells both engines of the path, as their owners do.
    func resume(isAnother: Bool) {
        for engine in [self.left, self.right] {
            engine.now = self.now
            engine.pathResumed(isAnother: isAnother)
            engine.handleTimeout()
        }
    }

    func dropUnderWay() { self.underWay.removeAll() }

    func send(_ count: Int, on stream: UInt16, _ reliability: SCTPReliability = .reliable) {
        self.left.now = self.now
        self.left.send(count, on: stream, reliability)
    }

    private func exchange() {
        for engine in [self.left, self.right] {
            engine.now = self.now
            engine.drainPackets { packet in
                guard !self.isCut else { return }
                self.underWay.append((self.now + self.delay, engine === self.right, Array(packet)))
            }
            while engine.takeReadable() {
                switch engine.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0)) {
                case .message(let message): self.messages.append(message)
                case .notification(.lost): self.isLost = true
                default: break
                }
            }
        }
    }

    @discardableResult
    func run(for limit: TimeAmount, until condition: () -> Bool = { false }) -> Bool {
        let end = self.now + limit
        self.exchange()
        while !condition() {
            let next = [self.underWay.first?.due, self.left.nextTimeout, self.right.nextTimeout]
                .compactMap { $0 }.min()
            guard let next, next <= end else {
                self.now = end
                return false
            }
            self.now = max(self.now, next)
            while let first = self.underWay.first, first.due <= self.now {
                self.underWay.removeFirst()
                if self.isCut { continue }
                let engine = first.toLeft ? self.left : self.right
                engine.now = self.now
                first.bytes.withUnsafeBytes { engine.receive($0) }
            }
            for engine in [self.left, self.right] {
                engine.now = self.now
                engine.handleTimeout()
            }
            self.exchange()
        }
        return true
    }
}

@Suite("SCTP engine: recovery")
struct EngineRecoveryTests {
    @Test("a full flow goes on soon after the path was gone for two seconds")
    func outage() {
        let link = EngineLink(delay: .milliseconds(20))
        for _ in 0..<128 { link.send(64_000, on: 1) }
        #expect(link.run(for: .seconds(1), until: { link.left.outstanding.bytesInFlight > 1_000_000 }))
        link.isCut = true
        link.run(for: .seconds(2))
        link.isCut = false
        let begin = link.now
        #expect(link.run(for: .seconds(60), until: { link.messages.count == 128 }))
        #expect(link.now - begin < .seconds(5))
    }

    @Test("a host whose timers are always late still sends again, and gives up in the end")
    func lateTimers() {
        let peer = ScriptedPeer()
        peer.comeUp()
        peer.send(100)
        var sent = 0
        for step in 0..<2_000 where peer.engine.phase != .ended {
            sent += peer.drain().filter { $0.type == ChunkType.data }.count
            if step == 100 { #expect(sent >= 4) }
            peer.advance(.milliseconds(97))
        }
        #expect(peer.engine.phase == .ended)
    }

    @Test("an idle association outlives a path that is gone for twenty seconds")
    func idleOutage() {
        let link = EngineLink()
        link.run(for: .seconds(29))
        link.isCut = true
        link.run(for: .seconds(20))
        link.isCut = false
        #expect(!link.isLost)
        link.send(10, on: 1)
        #expect(link.run(for: .seconds(20), until: { link.messages.count == 1 }))
        link.isCut = true
        #expect(link.run(for: .seconds(600), until: { link.isLost }))
    }

    @Test(
        "what was sent while the path was gone arrives within two round trips of its return, also when another path returns",
        arguments: [false, true]
    )
    func resumed(isAnother: Bool) {
        let link = EngineLink(delay: .milliseconds(50))
        link.isCut = true
        link.send(10, on: 1)
        link.run(for: .seconds(10))
        link.isCut = false
        let begin = link.now
        link.resume(isAnother: isAnother)
        #expect(link.run(for: .seconds(30), until: { link.messages.count == 1 }))
        #expect(link.now - begin <= .milliseconds(200))
        #expect(link.left.errorCount == 0)
    }

    @Test(
        "a full flow that another path takes over is at full speed again soon, whether the old one has ended or not",
        arguments: [true, false]
    )
    func anotherPath(isLost: Bool) {
        let link = EngineLink(delay: .milliseconds(20))
        for _ in 0..<128 { link.send(64_000, on: 1) }
        #expect(link.run(for: .seconds(1), until: { link.left.outstanding.bytesInFlight > 1_000_000 }))
        if isLost { link.dropUnderWay() }
        let begin = link.now
        link.resume(isAnother: true)
        #expect(link.left.congestion.window == 20 * SCTPConfiguration().packetSize)
        #expect(link.run(for: .seconds(60), until: { link.messages.count == 128 }))
        #expect(link.now - begin < .seconds(2))
    }

    @Test("an association that is being made, a reset and a heartbeat do not wait for their time-outs either")
    func resumedRequests() throws {
        let link = EngineLink(delay: .milliseconds(50))
        link.isCut = true
        #expect(link.left.resetOutgoingStreams([1]))
        link.run(for: .seconds(8))
        link.isCut = false
        let begin = link.now
        link.resume(isAnother: true)
        #expect(link.run(for: .seconds(30), until: { link.left.reconfiguration.current == nil }))
        #expect(link.now - begin <= .milliseconds(200))
        let young = EngineLink(delay: .milliseconds(50), isCut: true)
        young.run(for: .seconds(5))
        young.isCut = false
        let start = young.now
        young.resume(isAnother: true)
        #expect(young.run(for: .seconds(30), until: { young.left.phase == .established }))
        #expect(young.now - start <= .milliseconds(400))
    }

    @Test("the last packet of the first flight is asked for before the time-out")
    func tail() {
        let peer = ScriptedPeer()
        peer.comeUp()
        peer.send(100)
        _ = peer.drain()
        peer.advance(.milliseconds(20))
        peer.say([ScriptedPeer.sack(peer.engineTSN)])
        for _ in 0..<4 { peer.send(1_000) }
        #expect(peer.drain().filter { $0.type == ChunkType.data }.count == 4)
        peer.advance(.milliseconds(60))
        let probe = peer.drain().filter { $0.type == ChunkType.data }
        #expect(probe.map { $0.uint32(at: 0) } == [peer.engineTSN &+ 4])
        #expect(probe.first.map { $0.flags & DataFlags.immediate.rawValue != 0 } == true)
    }

    @Test("what must not be sent again is not sent again, not even to provoke an answer")
    func neverAgain() {
        let peer = ScriptedPeer()
        peer.comeUp()
        var numbers: [UInt32] = []
        // With a round-trip time known the probe comes before the time-out.
        for _ in 0..<4 { peer.send(1_000, .retransmissions(0)) }
        numbers += peer.drain().filter { $0.type == ChunkType.data }.map { $0.uint32(at: 0) }
        peer.advance(.milliseconds(20))
        peer.say([ScriptedPeer.sack(peer.engineTSN)])
        for _ in 0..<300 {
            numbers += peer.drain().filter { $0.type == ChunkType.data }.map { $0.uint32(at: 0) }
            peer.advance(.milliseconds(10))
        }
        #expect(numbers.count == 4)
        #expect(Set(numbers).count == 4)
    }

    @Test("telling the peer of what was given up does not go to and fro with its answers")
    func skipStorm() {
        let peer = ScriptedPeer()
        peer.comeUp()
        peer.send(100)
        _ = peer.drain()
        peer.advance(.milliseconds(20))
        peer.say([ScriptedPeer.sack(peer.engineTSN)])
        for _ in 0..<10 { peer.send(1_000, .retransmissions(0)) }
        _ = peer.drain()
        peer.advance(.milliseconds(20))
        var told = 0
        for last in 3..<10 as Range<UInt16> {
            // The first two are lost, and given up.
            peer.say([ScriptedPeer.sack(peer.engineTSN, blocks: [(3, last)])])
            told += peer.drain().filter { $0.type == ChunkType.forwardTSN }.count
        }
        for _ in 0..<20 {
            peer.say([ScriptedPeer.sack(peer.engineTSN, blocks: [(3, 9)])])
            told += peer.drain().filter { $0.type == ChunkType.forwardTSN }.count
        }
        #expect(told == 1)
        // It may have been lost.
        peer.advance(.milliseconds(40))
        peer.say([ScriptedPeer.sack(peer.engineTSN, blocks: [(3, 9)])])
        #expect(peer.drain().contains { $0.type == ChunkType.forwardTSN })
    }

    @Test("messages given up on more streams than one packet can name block none of them")
    func manyStreamsGivenUp() {
        let link = EngineLink()
        link.send(20_000, on: 5_000)
        for _ in 0..<20 {
            link.send(20_000, on: 5_000)
            link.run(for: .milliseconds(100))
        }
        let before = link.messages.count
        link.isCut = true
        for stream in 0..<600 as Range<UInt16> { link.send(20, on: stream, .retransmissions(0)) }
        link.run(for: .seconds(1))
        #expect(link.left.outstanding.count + link.left.queue.count == 600)
        link.isCut = false
        link.run(for: .seconds(10))
        for stream in 0..<600 as Range<UInt16> { link.send(21, on: stream) }
        link.run(for: .seconds(10))
        #expect(link.messages.dropFirst(before).count { $0.bytes.readableBytes == 21 } == 600)
        #expect(link.left.outstanding.isEmpty)
    }

    @Test("no more chunks are under way than the peer can keep track of", arguments: [true, false])
    func reach(isUsrsctp: Bool) {
        let peer = ScriptedPeer()
        peer.comeUp(cookie: Array((isUsrsctp ? "KAME-BSD" : "someone else").utf8), receiveWindow: 64 << 20)
        var acknowledged: UInt32 = 0
        var most = 0
        for _ in 0..<14 {
            for _ in 0..<8_000 { peer.send(1, isOrdered: false) }
            let count = UInt32(peer.drain().count { $0.type == ChunkType.data })
            most = max(most, peer.engine.outstanding.count)
            acknowledged += count
            peer.advance(.milliseconds(10))
            peer.say([ScriptedPeer.sack(peer.engineTSN &+ acknowledged &- 1, window: 64 << 20)])
        }
        #expect(most <= (isUsrsctp ? 4_096 : 65_535))
        #expect(most > 3_000)
    }
}
