import NIOCore
import RTCBase
import Testing

@testable import RTCDTLS

/// The records of this package against OpenSSL's.
@Suite("DTLS record layer")
struct RecordLayerTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var suite: String
        var keepsOpenSSL: [Bool]
        var testDescription: String { "\(self.suite), OpenSSL's records: \(self.keepsOpenSSL)" }

        static let aeads = [
            "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
        ]
        static let all: [Case] = (Self.aeads + ["ECDHE-ECDSA-AES128-SHA"]).flatMap { suite in
            [[false, false], [true, false], [false, true], [true, true]].map { Case(suite: suite, keepsOpenSSL: $0) }
        }
    }

    private func wire(_ suite: String, keepsOpenSSL: [Bool] = [false, false]) throws -> Wire {
        let certificates = [Samples.ecdsa, Samples.otherECDSA]
        let connections = try (0..<2).map { index in
            try DTLSConnection(
                context: DTLSContext(certificate: certificates[index], configuration: .init(), ciphers: [suite]),
                role: index == 0 ? .client : .server,
                remoteFingerprints: [certificates[1 - index].fingerprint()]
            )
        }
        for (connection, keeps) in zip(connections, keepsOpenSSL) { connection.keepsOpenSSL = keeps }
        let wire = Wire(client: connections[0], server: connections[1])
        wire.connect()
        return wire
    }

    @Test("records, exported keys and the close are those that OpenSSL makes and reads", arguments: Case.all)
    func compared(_ sample: Case) throws {
        let wire = try self.wire(sample.suite, keepsOpenSSL: sample.keepsOpenSSL)
        #expect(wire.areConnected)
        let isAEAD = !sample.suite.hasSuffix("SHA")
        for side in Wire.Side.allCases {
            let takesOver = isAEAD && !sample.keepsOpenSSL[side.rawValue]
            #expect((wire.connection(side).records != nil) == takesOver)
            #expect((wire.connection(side).ssl == nil) == takesOver)
        }
        #expect(try wire.client.exportSRTPKeys() == wire.server.exportSRTPKeys())
        #expect(
            try wire.client.exportKeyingMaterial(label: "EXPERIMENTAL", length: 100)
                == wire.server.exportKeyingMaterial(label: "EXPERIMENTAL", length: 100)
        )
        var random = RandomSource.seeded(21)
        for size in [1, 15, 16, 17, 1_200, 1_400] {
            for side in Wire.Side.allCases {
                let record = random.bytes(count: size)
                try wire.send(record, from: side)
                wire.settle()
                #expect(wire.received[side.other.rawValue].last == record)
            }
        }
        wire.tamper = { _, datagrams in datagrams.reversed() + datagrams }
        for value in UInt8(1)...10 { try wire.send([value], from: .client) }
        wire.settle()
        #expect(wire.received[Wire.Side.server.rawValue].suffix(10) == (UInt8(1)...10).reversed().map { [$0] }[...])
        wire.tamper = { $1 }
        wire.client.close(now: wire.now)
        wire.settle()
        #expect(wire.server.state == .closed)
        #expect(wire.server.counters.alertsReceived == 1)
    }

    @Test("no byte of a record can be changed, nor its end cut off", arguments: Case.aeads)
    func forgeries(suite: String) throws {
        let wire = try self.wire(suite)
        try wire.send([UInt8](repeating: 9, count: 40), from: .client)
        var genuine: [UInt8] = []
        wire.tamper = { _, datagrams in
            genuine = datagrams.first ?? []
            return []
        }
        wire.settle()
        #expect(genuine.count > 40)
        for index in genuine.indices {
            var forged = genuine
            forged[index] ^= 0x10
            wire.give(forged, to: .server)
            wire.give(Array(genuine.prefix(index)), to: .server)
            var shortened = Array(genuine.prefix(index))
            if index > RecordHeader.size {
                shortened[12] = UInt8(index - RecordHeader.size)
                wire.give(shortened, to: .server)
            }
        }
        #expect(wire.received[Wire.Side.server.rawValue].isEmpty)
        #expect(wire.server.state == .connected)
        wire.give(genuine, to: .server)
        #expect(wire.received[Wire.Side.server.rawValue].count == 1)
    }

    @Test("a server repeats its last flight as long as the client asks, and not after")
    func lastFlight() throws {
        let wire = try self.wire("ECDHE-ECDSA-AES128-GCM-SHA256")
        #expect(!wire.server.box.flight.isEmpty)
        #expect(wire.client.box.flight.isEmpty)
        try wire.send([1], from: .client)
        wire.settle()
        #expect(wire.server.box.flight.isEmpty)
    }

    @Test("encrypted records that overtake the end of the handshake are bounded, and dropped beyond")
    func earlyRecords() throws {
        let wire = try Wire()
        wire.start()
        for _ in 0..<100 {
            wire.give(Forgery.record(type: 23, epoch: 1, body: [UInt8](repeating: 0, count: 64)), to: .server)
        }
        #expect(wire.server.counters.datagramsDropped == 100 - HeldDatagrams.maximumCount)
        wire.settle()
        #expect(wire.areConnected)
        #expect(wire.received[Wire.Side.server.rawValue].isEmpty)
    }
}

@Suite("Replay window")
struct ReplayWindowTests {
    @Test("each number is admitted once, and none that is too old")
    func admission() {
        var window = ReplayWindow()
        #expect(window.admits(0))
        window.note(0)
        #expect(!window.admits(0))
        window.note(200)
        #expect(!window.admits(200))
        #expect(window.admits(199))
        #expect(window.admits(200 - 127))
        #expect(!window.admits(200 - 128))
        window.note(100)
        #expect(!window.admits(100))
        window.note(1 << 48 - 1)
        #expect(!window.admits(200))
    }

    @Test("a shuffled run is admitted whole, and not twice", arguments: UInt64(1)...20)
    func shuffled(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var window = ReplayWindow()
        for block in UInt64(0)..<20 {
            for number in (block * 100..<block * 100 + 100).shuffled(using: &random) {
                #expect(window.admits(number), "seed \(seed)")
                window.note(number)
                #expect(!window.admits(number), "seed \(seed)")
            }
        }
    }
}
