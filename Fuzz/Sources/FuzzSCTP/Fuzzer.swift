import CFuzzer
import FuzzInput
import NIOCore
import RTCBase

@testable import RTCSCTP

/// The SCTP engine with a peer that says anything, in any state, while this side sends, reads and resets.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var run = Run(FuzzInput(start, count))
    run.perform()
    return 0
}

private struct Run {
    private static let chunkTypes: [UInt8] = [
        0, 0, 0, 0, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 14, 130, 130, 192, 192,
    ]

    private var input: FuzzInput
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private let engine: NativeAssociation
    /// What the engine said last of each of these, for the peer to answer with.
    private var engineTag: UInt32 = 0
    private var engineTSN: UInt32 = 0
    private var cookie: [UInt8] = []
    private var tsn: UInt32 = 1

    init(_ input: FuzzInput) {
        self.input = input
        var configuration = SCTPConfiguration()
        configuration.receiveBuffer = 16_384
        configuration.maximumMessageSize = 4_096
        self.engine = NativeAssociation(configuration: configuration, random: .seeded(1))
    }

    mutating func perform() {
        self.engine.now = self.now
        _ = self.engine.start(remotePort: 5000, outgoingStreams: 16, maximumIncomingStreams: 16)
        self.drain()
        if self.input.byte() & 3 != 0 { self.comeUp() }
        var steps = 0
        while !self.input.isEmpty, steps < 300 {
            steps += 1
            self.step()
            self.drain()
            self.check()
        }
        self.engine.abort()
        self.drain()
    }

    private mutating func comeUp() {
        var answer = Initiation(
            tag: 77,
            receiveWindow: 65_536,
            outgoingStreams: 65_535,
            maximumIncomingStreams: 65_535,
            initialTSN: self.tsn
        )
        answer.cookie = [1, 2, 3, 4]
        self.deliver([(ChunkType.initiationAck, 0, answer.chunk(ChunkType.initiationAck).value)])
        self.drain()
        self.deliver([(ChunkType.cookieAck, 0, [])])
        self.drain()
    }

    private mutating func step() {
        self.engine.now = self.now
        switch self.input.byte() & 15 {
        case 0: self.deliver(bytes: self.input.run())
        case 1: self.wait()
        case 2: self.send()
        case 3: self.read()
        case 4: _ = self.engine.resetOutgoingStreams([UInt16(self.input.byte() & 7)])
        case 5:
            switch self.input.byte() {
            case 0: self.engine.shutdown()
            case 1: self.engine.pathResumed(isAnother: false)
            case 2: self.engine.pathResumed(isAnother: true)
            default: break
            }
        case 6: self.deliver([(ChunkType.cookieEcho, 0, self.cookie)])
        case 7: self.deliver([(ChunkType.sack, 0, self.sack())])
        case 8, 9, 10: self.deliver([self.data()])
        case 11: self.deliver([self.data(), self.chunk()])
        default: self.deliver([self.chunk()])
        }
    }

    private mutating func wait() {
        self.now = self.now + .milliseconds(Int64(self.input.uint16()))
        self.engine.now = self.now
        self.engine.handleTimeout()
    }

    private mutating func send() {
        let kind = self.input.byte()
        let reliability: SCTPReliability =
            switch kind & 3 {
            case 0: .retransmissions(UInt16(kind >> 6))
            case 1: .lifetime(milliseconds: UInt16(kind))
            default: .reliable
            }
        let bytes = [UInt8](repeating: kind, count: 1 + Int(self.input.uint16() & 0xFFF))
        let stream = UInt16(self.input.byte() & 7)
        bytes.withUnsafeBytes {
            _ = self.engine.send(
                SCTPOutgoing(
                    bytes: $0,
                    buffer: nil,
                    stream: stream,
                    payloadProtocol: 53,
                    isOrdered: kind & 4 == 0,
                    reliability: reliability,
                    messageSize: $0.count
                )
            )
        }
    }

    private func read() {
        while true {
            if case .nothing = self.engine.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0)) { return }
        }
    }

    // MARK: What the peer says

    private typealias Chunk = (type: UInt8, flags: UInt8, value: [UInt8])

    private mutating func chunk() -> Chunk {
        let selector = Int(self.input.byte())
        let type = selector < 200 ? Self.chunkTypes[selector % Self.chunkTypes.count] : self.input.byte()
        return (type, self.input.byte(), self.input.run())
    }

    /// Data near what is expected.
    private mutating func data() -> Chunk {
        let kind = self.input.byte()
        var value: [UInt8] = []
        value.append(bigEndian: self.tsn &+ UInt32(kind >> 4 & 7))
        if kind & 0x80 != 0 { self.tsn &+= 1 }
        value.append(bigEndian: UInt16(self.input.byte() & 7))
        value.append(bigEndian: UInt16(self.input.byte() & 7))
        value.append(bigEndian: UInt32(53))
        value += self.input.run()
        return (ChunkType.data, kind & 0x0F, value)
    }

    private mutating func sack() -> [UInt8] {
        var value: [UInt8] = []
        value.append(bigEndian: self.engineTSN &+ UInt32(self.input.byte() & 63) &- 1)
        value.append(bigEndian: UInt32(self.input.uint16()))
        let blocks = Int(self.input.byte() & 7)
        value.append(bigEndian: UInt16(blocks))
        value.append(bigEndian: UInt16(0))
        for _ in 0..<(2 * blocks) { value.append(bigEndian: UInt16(self.input.byte() & 63)) }
        return value
    }

    private mutating func deliver(_ chunks: [Chunk]) {
        var packet: [UInt8] = []
        packet.append(bigEndian: UInt16(5000))
        packet.append(bigEndian: UInt16(5000))
        packet.append(bigEndian: chunks.first?.type == ChunkType.initiation ? 0 : self.engineTag)
        packet.append(bigEndian: UInt32(0))
        for chunk in chunks {
            packet.append(chunk.type)
            packet.append(chunk.flags)
            packet.append(bigEndian: UInt16(truncatingIfNeeded: chunk.value.count + ChunkReader.headerSize))
            packet += chunk.value
            while packet.count & 3 != 0 { packet.append(0) }
        }
        self.deliver(bytes: packet)
    }

    private func deliver(bytes: [UInt8]) {
        bytes.withUnsafeBytes { self.engine.receive($0) }
    }

    // MARK: What the engine says

    private mutating func drain() {
        var packets = 0
        self.engine.drainPackets { packet in
            packets += 1
            require(packet.count <= self.engine.configuration.maximumPacketSize, "a packet of \(packet.count) bytes")
            var reader = ChunkReader(packet: packet)
            while let chunk = reader.nextChunk() { self.note(chunk) }
        }
        require(packets < 5_000, "\(packets) packets at once")
    }

    private mutating func note(_ chunk: ChunkReader.Chunk) {
        switch chunk.type {
        case ChunkType.initiation:
            self.engineTag = chunk.value.uint32(at: 0)
            self.engineTSN = chunk.value.uint32(at: 12)
        case ChunkType.initiationAck:
            self.cookie = Initiation(chunk.value)?.cookie ?? []
        default: break
        }
    }

    private func check() {
        let engine = self.engine
        require(engine.receiveWindow <= engine.configuration.receiveBuffer, "a window of \(engine.receiveWindow)")
        require(engine.outstanding.bytesInFlight >= 0 && engine.outstanding.lostCount >= 0, "less than nothing")
        guard let next = engine.nextTimeout, next <= self.now else { return }
        engine.handleTimeout()
        engine.drainPackets { _ in }
        require(engine.nextTimeout ?? .distantFuture > self.now, "a timer that is due for ever")
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzSCTP_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
