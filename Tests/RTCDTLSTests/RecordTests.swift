import NIOCore
import RTCBase
import RTCDTLS
import Testing

@Suite("DTLS records")
struct RecordTests {
    @Test("records of every size arrive whole, in both directions")
    func sizes() throws {
        let wire = try Wire()
        wire.connect()
        var random = RandomSource.seeded(3)
        for size in [1, 2, 15, 16, 17, 255, 256, 1_000, 1_163, 1_200, 1_201, 1_399, 1_400] {
            for side in Wire.Side.allCases {
                let record = random.bytes(count: size)
                try wire.send(record, from: side)
                wire.settle()
                #expect(wire.received[side.other.rawValue].last == record)
            }
        }
        #expect(wire.client.counters.recordsSent == 13)
        #expect(wire.client.counters.recordsReceived == 13)
        #expect(wire.client.counters.bytesSent == wire.server.counters.bytesReceived)
        #expect(wire.client.counters.datagramsWithoutData == 0)
    }

    @Test("large records pass where they are allowed")
    func large() throws {
        var configuration = DTLSConfiguration()
        configuration.maximumRecordSize = 16_384
        let wire = try Wire(clientConfiguration: configuration)
        wire.connect()
        let record = RandomSource.bytes(seed: 4, count: 16_384)
        try wire.send(record, from: .client)
        wire.settle()
        #expect(wire.received[Wire.Side.server.rawValue] == [record])
    }

    @Test("a record too large, or empty, is refused and the connection lives on")
    func refusedSizes() throws {
        let wire = try Wire()
        wire.connect()
        for size in [0, 1_401, 16_385, 70_000] {
            #expect {
                try wire.send([UInt8](repeating: 0, count: size), from: .client)
            } throws: {
                ($0 as? DTLSError)?.code == .invalidRecordSize
            }
        }
        try wire.send([1], from: .client)
        wire.settle()
        #expect(wire.received[Wire.Side.server.rawValue] == [[1]])
    }

    @Test("records of equal size share a batch")
    func batches() throws {
        let wire = try Wire()
        wire.connect()
        for _ in 0..<10 { try wire.send([UInt8](repeating: 5, count: 1_200), from: .client) }
        var counts: [Int] = []
        while case .transmit(let batch)? = wire.client.poll() { counts.append(batch.count) }
        #expect(counts == [10])
    }

    @Test("several records of one datagram are all delivered")
    func coalesced() throws {
        let wire = try Wire()
        wire.connect()
        wire.tamper = { _, datagrams in [Array(datagrams.joined())] }
        for value in UInt8(1)...5 { try wire.send([value, value], from: .client) }
        wire.settle()
        #expect(wire.received[Wire.Side.server.rawValue] == (UInt8(1)...5).map { [$0, $0] })
    }

    @Test("records may be lost, reordered and repeated; each arrives at most once")
    func reordered() throws {
        let wire = try Wire()
        wire.connect()
        wire.tamper = { _, datagrams in datagrams.reversed() + datagrams }
        for value in UInt8(1)...10 { try wire.send([value], from: .client) }
        wire.settle()
        #expect(wire.received[Wire.Side.server.rawValue] == (UInt8(1)...10).reversed().map { [$0] })
        #expect(wire.server.counters.datagramsWithoutData == 10)
    }

    @Test("garbage and forgeries leave an established connection alone")
    func garbage() throws {
        let wire = try Wire()
        wire.connect()
        var random = RandomSource.seeded(11)
        try wire.send([UInt8](repeating: 1, count: 100), from: .client)
        var genuine: [UInt8] = []
        wire.tamper = { _, datagrams in
            genuine = datagrams.first ?? []
            return []
        }
        wire.settle()
        wire.tamper = { $1 }
        for round in 0..<500 {
            wire.give(random.bytes(count: 1 + Int(random.next() % 300)), to: .server)
            var forged = genuine
            forged[round % forged.count] ^= UInt8(truncatingIfNeeded: 1 << (random.next() % 8))
            wire.give(forged, to: .server)
            wire.give(Array(genuine.prefix(round % genuine.count)), to: .server)
            for type in UInt8(20)...25 {
                wire.give(
                    Forgery.record(type: type, body: random.bytes(count: 2 + Int(random.next() % 40))),
                    to: .server
                )
            }
            wire.give(Forgery.alert(level: 2, description: 40), to: .server)
            wire.give(Forgery.alert(level: 1, description: 0), to: .server)
        }
        wire.settle()
        #expect(wire.server.state == .connected, "\(String(describing: wire.server.failure))")
        #expect(wire.received == [[], []])
        wire.give(genuine, to: .server)
        #expect(wire.received[Wire.Side.server.rawValue] == [[UInt8](repeating: 1, count: 100)])
        try wire.send([2], from: .client)
        try wire.send([3], from: .server)
        wire.settle()
        #expect(wire.received[Wire.Side.server.rawValue].last == [2])
        #expect(wire.received[Wire.Side.client.rawValue] == [[3]])
    }

    @Test("a record may be sent from within a delivery")
    func reentrant() throws {
        let wire = try Wire()
        wire.connect()
        try wire.send([1, 2, 3], from: .client)
        guard case .transmit(let batch)? = wire.client.poll() else {
            Issue.record("nothing was sent")
            return
        }
        batch.bytes.withUnsafeReadableBytes { bytes in
            wire.server.receive(bytes.bytes, now: wire.now) { record in
                do { try wire.server.send(record) } catch { Issue.record("\(error)") }
            }
        }
        wire.settle()
        #expect(wire.received[Wire.Side.client.rawValue] == [[1, 2, 3]])
    }

    @Test("memory released at rest comes back with the next record, the next repetition or the close")
    func releasedMemory() throws {
        let wire = try Wire()
        wire.connect()
        for value in UInt8(0)..<20 {
            for connection in wire.connections { connection.releaseIdleMemory() }
            try wire.send([UInt8](repeating: value, count: 1_400), from: value % 2 == 0 ? .client : .server)
            for connection in wire.connections { connection.releaseIdleMemory() }
            wire.settle()
        }
        #expect(wire.received.map(\.count) == [10, 10])
        for connection in wire.connections { connection.releaseIdleMemory() }
        wire.client.close(now: wire.now)
        wire.settle()
        #expect(wire.server.state == .closed)
        wire.server.releaseIdleMemory()
    }

    @Test("close tells the peer, and afterwards nothing passes", arguments: Wire.Side.allCases)
    func close(side: Wire.Side) throws {
        let wire = try Wire()
        wire.connect()
        wire.connection(side).close(now: wire.now)
        wire.connection(side).close(now: wire.now)
        wire.settle()
        #expect(wire.states(side) == [.connecting, .connected, .closed])
        #expect(wire.states(side.other) == [.connecting, .connected, .closed])
        let toldPeer = wire.events[side.other.rawValue].contains { if case .closed = $0 { true } else { false } }
        let toldSelf = wire.events[side.rawValue].contains { if case .closed = $0 { true } else { false } }
        #expect(toldPeer && !toldSelf)
        for side in Wire.Side.allCases {
            #expect { try wire.send([1], from: side) } throws: { ($0 as? DTLSError)?.code == .notConnected }
            #expect(throws: DTLSError.self) { try wire.connection(side).exportSRTPKeys() }
            let dropped = wire.connection(side).counters.datagramsDropped
            wire.give([22, 254, 253], to: side)
            #expect(wire.connection(side).counters.datagramsDropped == dropped + 1)
            #expect(wire.connection(side).nextTimeout == nil)
        }
    }

    @Test("closing before or during the handshake is silent")
    func closeEarly() throws {
        let wire = try Wire()
        wire.client.close(now: wire.now)
        wire.client.start(now: wire.now)
        #expect(wire.client.state == .closed)
        wire.server.start(now: wire.now)
        wire.server.close(now: wire.now)
        wire.settle()
        #expect(wire.states(.client) == [.closed])
        #expect(wire.states(.server) == [.connecting, .closed])
    }
}

/// Records that anybody could write.
enum Forgery {
    static func record(type: UInt8, epoch: UInt16 = 0, sequence: UInt32 = 0, body: [UInt8]) -> [UInt8] {
        [type, 0xFE, 0xFD, UInt8(epoch >> 8), UInt8(epoch & 0xFF), 0, 0]
            + (0..<4).map { UInt8(truncatingIfNeeded: sequence >> (24 - 8 * $0)) }
            + [UInt8(body.count >> 8), UInt8(body.count & 0xFF)] + body
    }

    static func alert(level: UInt8, description: UInt8) -> [UInt8] {
        Self.record(type: 21, sequence: 77, body: [level, description])
    }
}

extension RandomSource {
    static func bytes(seed: UInt64, count: Int) -> [UInt8] {
        var random = RandomSource.seeded(seed)
        return random.bytes(count: count)
    }
}
