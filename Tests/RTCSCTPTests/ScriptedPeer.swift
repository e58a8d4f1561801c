import NIOCore
import RTCBase
import Testing

@testable import RTCSCTP

/// A peer that says whatever a test wants, to an engine whose answers the test sees chunk by chunk.
final class ScriptedPeer {
    /// A chunk that the engine sent.
    struct Sent {
        var type: UInt8
        var flags: UInt8
        var value: [UInt8]

        func uint16(at offset: Int) -> UInt16 { UInt16(self.value[offset]) << 8 | UInt16(self.value[offset + 1]) }
        func uint32(at offset: Int) -> UInt32 {
            UInt32(self.uint16(at: offset)) << 16 | UInt32(self.uint16(at: offset + 2))
        }
    }

    static let initialTSN: UInt32 = 1_000

    let engine: NativeAssociation
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var engineTag: UInt32 = 0
    /// The number that the engine gave its first chunk.
    private(set) var engineTSN: UInt32 = 0

    init(configuration: SCTPConfiguration = .init(), seed: UInt64 = 1) {
        self.engine = NativeAssociation(configuration: configuration, random: .seeded(seed))
        self.engine.now = self.now
        _ = self.engine.start(remotePort: 5000, outgoingStreams: 256, maximumIncomingStreams: 256)
        for chunk in self.drain() where chunk.type == ChunkType.initiation {
            self.engineTag = chunk.uint32(at: 0)
            self.engineTSN = chunk.uint32(at: 12)
        }
    }

    /// Answers the engine's INIT.
    func answerInit(cookie: [UInt8] = [1, 2, 3, 4], receiveWindow: UInt32 = 1 << 20) {
        var answer = Initiation(
            tag: 77,
            receiveWindow: receiveWindow,
            outgoingStreams: 65_535,
            maximumIncomingStreams: 65_535,
            initialTSN: Self.initialTSN
        )
        answer.cookie = cookie
        self.say([Self.chunk(ChunkType.initiationAck, answer.chunk(ChunkType.initiationAck).value)])
    }

    func comeUp(cookie: [UInt8] = [1, 2, 3, 4], receiveWindow: UInt32 = 1 << 20) {
        self.answerInit(cookie: cookie, receiveWindow: receiveWindow)
        self.say([Self.chunk(ChunkType.cookieAck, [])])
        _ = self.drain()
        #expect(self.engine.phase == .established)
    }

    func say(_ chunks: [[UInt8]]) {
        var packet: [UInt8] = []
        packet.append(bigEndian: UInt16(5000))
        packet.append(bigEndian: UInt16(5000))
        packet.append(bigEndian: self.engineTag)
        packet.append(bigEndian: UInt32(0))
        for chunk in chunks { packet += chunk }
        self.deliver(packet)
    }

    func deliver(_ packet: [UInt8]) {
        self.engine.now = self.now
        packet.withUnsafeBytes { self.engine.receive($0) }
    }

    /// What the engine has to say.
    func drain() -> [Sent] {
        self.engine.now = self.now
        var chunks: [Sent] = []
        self.engine.drainPackets { packet in
            var reader = ChunkReader(packet: packet)
            while let chunk = reader.nextChunk() {
                chunks.append(Sent(type: chunk.type, flags: chunk.flags, value: Array(chunk.value)))
            }
        }
        return chunks
    }

    func advance(_ time: TimeAmount) {
        self.now = self.now + time
        self.engine.now = self.now
        self.engine.handleTimeout()
    }

    func send(_ count: Int, on stream: UInt16 = 0, isOrdered: Bool = true, _ reliability: SCTPReliability = .reliable) {
        self.engine.now = self.now
        self.engine.send(count, on: stream, isOrdered: isOrdered, reliability)
    }

    func read() -> SCTPReadResult {
        self.engine.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    func readMessages() -> [SCTPIncomingMessage] {
        var messages: [SCTPIncomingMessage] = []
        while true {
            switch self.read() {
            case .message(let message): messages.append(message)
            case .notification, .data: continue
            case .nothing: return messages
            }
        }
    }

    // MARK: Chunks

    static func chunk(_ type: UInt8, _ value: [UInt8], flags: UInt8 = 0) -> [UInt8] {
        var bytes = [type, flags]
        bytes.append(bigEndian: UInt16(value.count + 4))
        bytes += value
        while bytes.count & 3 != 0 { bytes.append(0) }
        return bytes
    }

    /// A DATA chunk; a whole message unless `flags` say otherwise.
    static func data(
        _ offset: Int,
        stream: UInt16 = 0,
        sequence: Int = 0,
        flags: DataFlags = [.beginning, .end],
        size: Int = 1
    ) -> [UInt8] {
        var value: [UInt8] = []
        value.append(bigEndian: self.initialTSN &+ UInt32(truncatingIfNeeded: offset))
        value.append(bigEndian: stream)
        value.append(bigEndian: UInt16(truncatingIfNeeded: sequence))
        value.append(bigEndian: PayloadProtocol.binary)
        value += [UInt8](repeating: UInt8(truncatingIfNeeded: offset), count: size)
        return self.chunk(ChunkType.data, value, flags: flags.rawValue)
    }

    static func sack(_ cumulative: UInt32, window: UInt32 = 1 << 20, blocks: [(UInt16, UInt16)] = []) -> [UInt8] {
        var value: [UInt8] = []
        value.append(bigEndian: cumulative)
        value.append(bigEndian: window)
        value.append(bigEndian: UInt16(blocks.count))
        value.append(bigEndian: UInt16(0))
        for (first, last) in blocks {
            value.append(bigEndian: first)
            value.append(bigEndian: last)
        }
        return self.chunk(ChunkType.sack, value)
    }
}

extension NativeAssociation {
    func send(_ count: Int, on stream: UInt16, isOrdered: Bool = true, _ reliability: SCTPReliability = .reliable) {
        [UInt8](repeating: 7, count: count).withUnsafeBytes { bytes in
            _ = self.send(
                SCTPOutgoing(
                    bytes: bytes,
                    buffer: nil,
                    stream: stream,
                    payloadProtocol: PayloadProtocol.binary,
                    isOrdered: isOrdered,
                    reliability: reliability,
                    messageSize: count
                )
            )
        }
    }
}
