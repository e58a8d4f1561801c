import NIOCore
import RTCBase
import RTCDTLS
import Testing

@Suite("DTLS handshake")
struct HandshakeTests {
    @Test("A flight that was lost with its path is sent again on the next one, at once", arguments: 0..<6)
    func lostWithPath(flight: Int) throws {
        let wire = try Wire()
        var sent = 0
        wire.tamper = { _, datagrams in
            defer { sent += 1 }
            return sent == flight ? [] : datagrams
        }
        wire.connect()
        #expect(wire.areConnected || sent <= flight + 2)
        for connection in wire.connections { connection.pathChanged() }
        wire.settle()
        #expect(wire.areConnected)
    }

    @Test("ECDSA and RSA certificates connect in both roles", arguments: [false, true], [false, true])
    func certificateKinds(clientHasRSA: Bool, serverHasRSA: Bool) throws {
        let client = clientHasRSA ? Samples.rsa : Samples.ecdsa
        let server = serverHasRSA ? Samples.otherRSA : Samples.otherECDSA
        let wire = try Wire(client: client, server: server)
        wire.connect()
        try #require(wire.areConnected, "\(wire.events)")
        #expect(wire.states(.client) == [.connecting, .connected])
        #expect(wire.states(.server) == [.connecting, .connected])
        let suite =
            serverHasRSA
            ? "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" : "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
        for side in Wire.Side.allCases {
            let info = try #require(wire.connection(side).sessionInfo)
            #expect(info.version == DTLSLibrary.maximumVersion)
            #expect(info.cipherSuite == suite)
            #expect(info.group == "X25519")
            #expect(info.extendedMasterSecret)
            #expect(info.srtpProfile == .aeadAES128GCM)
            #expect(info.peerCertificates == [side == .client ? server.derBytes : client.derBytes])
            #expect(wire.connection(side).nextTimeout == nil)
        }
        try wire.send([1, 2, 3], from: .client)
        try wire.send([4, 5], from: .server)
        wire.settle()
        #expect(wire.received == [[[4, 5]], [[1, 2, 3]]])
    }

    @Test("lost, repeated and reordered flights are survived", arguments: UInt64(1)...12)
    func loss(seed: UInt64) throws {
        var configuration = DTLSConfiguration()
        configuration.mtu = 400
        configuration.initialRetransmissionTimeout = .milliseconds(20)
        let wire = try Wire(clientConfiguration: configuration, serverConfiguration: configuration)
        var random = RandomSource.seeded(seed)
        wire.tamper = { _, datagrams in
            var result: [[UInt8]] = []
            for datagram in datagrams {
                if random.next() % 5 == 0 { continue }
                result.append(datagram)
                if random.next() % 4 == 0 { result.append(datagram) }
            }
            return result.shuffled(using: &random)
        }
        wire.startInRealTime()
        wire.run { wire.areConnected }
        try #require(wire.areConnected, "seed \(seed)")
        wire.tamper = { $1 }
        wire.settle()
        try wire.send([1], from: .client)
        try wire.send([2], from: .server)
        wire.settle()
        #expect(wire.received == [[[2]], [[1]]], "seed \(seed)")
    }

    @Test("one lost flight costs tens of milliseconds, not a second", arguments: Wire.Side.allCases)
    func quickRetransmission(loser: Wire.Side) throws {
        let wire = try Wire()
        var lost = false
        wire.tamper = { side, datagrams in
            guard side == loser, !lost else { return datagrams }
            lost = true
            return []
        }
        let begin = NIODeadline.now()
        wire.startInRealTime()
        wire.run { wire.areConnected }
        #expect(wire.areConnected)
        #expect(NIODeadline.now() - begin < .milliseconds(700))
        #expect(wire.client.counters.retransmissions + wire.server.counters.retransmissions > 0)
    }

    @Test("a hello of several datagrams is put together, in any order", arguments: [false, true])
    func splitHello(reversed: Bool) throws {
        var configuration = DTLSConfiguration()
        configuration.mtu = 256
        configuration.srtpProfiles = SRTPProtectionProfile.allCases
        let wire = try Wire(clientConfiguration: configuration, serverConfiguration: configuration)
        var largest = 0
        var flights: [Int] = []
        wire.tamper = { _, datagrams in
            largest = max(largest, datagrams.map(\.count).max() ?? 0)
            flights.append(datagrams.count)
            return reversed ? datagrams.reversed() : datagrams
        }
        wire.startInRealTime()
        wire.run { wire.areConnected }
        #expect(wire.areConnected)
        #expect(largest <= 256)
        #expect(flights.contains { $0 > 1 })
    }

    @Test("a hello that is cut into pieces by hand is put together, in any order", arguments: [false, true])
    func cutHello(reversed: Bool) throws {
        let wire = try Wire()
        wire.tamper = { side, datagrams in
            guard side == .client, let hello = datagrams.first, hello[13] == 1 else { return datagrams }
            let pieces = Fragments.cut(hello, into: 3)
            return reversed ? pieces.reversed() : pieces
        }
        wire.connect()
        #expect(wire.areConnected)
    }

    @Test("datagrams that come before the start are held")
    func early() throws {
        let wire = try Wire()
        wire.client.start(now: wire.now)
        wire.settle()
        #expect(wire.server.state == .new)
        wire.server.start(now: wire.now)
        wire.settle()
        #expect(wire.areConnected)
    }

    @Test("no more is held than fits")
    func earlyBound() throws {
        let wire = try Wire()
        for _ in 0..<20 { wire.give([22, 1], to: .server) }
        #expect(wire.server.counters.datagramsDropped == 4)
        let other = try Wire()
        for _ in 0..<5 { other.give([UInt8](repeating: 22, count: 10_000), to: .server) }
        #expect(other.server.counters.datagramsDropped == 2)
        for wire in [wire, other] {
            wire.connect()
            #expect(wire.areConnected)
        }
    }

    @Test("garbage and forgeries during the handshake do not end it", arguments: UInt64(1)...10)
    func garbage(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let wire = try Wire()
        wire.tamper = { _, datagrams in
            var result: [[UInt8]] = []
            for datagram in datagrams {
                result.append(random.bytes(count: 1 + Int(random.next() % 400)))
                result.append(Forgery.alert(level: 2, description: 40))
                result.append(Forgery.alert(level: 1, description: 0))
                for type in UInt8(0)...63 {
                    let body = random.bytes(count: Int(random.next() % 40))
                    result.append(Forgery.record(type: type, sequence: 9, body: body))
                    result.append(Forgery.record(type: type, epoch: 1, sequence: 9, body: body))
                }
                result.append(Forgery.record(type: 20, sequence: 9, body: [1]))
                result.append(Array(datagram.dropLast()))
                // An alert in front of the real records, in one datagram.
                result.append(Forgery.alert(level: 2, description: 40) + datagram)
            }
            return result
        }
        wire.connect()
        #expect(wire.areConnected, "seed \(seed): \(wire.events)")
        #expect(wire.server.counters.unauthenticatedAlerts > 0)
        wire.now = wire.now + .hours(1)
        for connection in wire.connections { connection.handleTimeout(now: wire.now) }
        #expect(wire.areConnected)
    }

    @Test("a peer without an answer is given up after the configured time")
    func timeout() throws {
        var configuration = DTLSConfiguration()
        configuration.handshakeTimeout = .seconds(5)
        let wire = try Wire(clientConfiguration: configuration, serverConfiguration: configuration)
        wire.tamper = { _, _ in [] }
        wire.connect()
        for side in Wire.Side.allCases {
            wire.now = .uptimeNanoseconds(5_999_999_999)
            wire.connection(side).handleTimeout(now: wire.now)
            #expect(wire.connection(side).state == .connecting)
            wire.now = .uptimeNanoseconds(6_000_000_000)
            wire.connection(side).handleTimeout(now: wire.now)
            #expect(wire.connection(side).failure?.code == .handshakeTimeout)
            #expect(wire.connection(side).nextTimeout == nil)
        }
    }

    @Test("peers without a common cipher or version part with an alert")
    func nothingInCommon() throws {
        let wire = try Wire()
        wire.tamper = { side, datagrams in
            // A hello whose cipher suites are unknown: 13 + 12 bytes of headers, version, random, two empty vectors.
            guard side == .client, var hello = datagrams.first, hello[13] == 1 else { return datagrams }
            let length = Int(hello[61]) << 8 | Int(hello[62])
            for index in 63..<(63 + length) { hello[index] = 0xEE }
            return [hello]
        }
        wire.connect()
        #expect(wire.server.failure?.code == .handshakeFailed)
        #expect(wire.server.failure?.sentAlert == 40)
    }

    @Test("the configured SRTP profiles are negotiated by the server's preference, and keys are equal")
    func srtp() throws {
        for profile in SRTPProtectionProfile.allCases {
            var server = DTLSConfiguration()
            server.srtpProfiles = [profile]
            var client = DTLSConfiguration()
            client.srtpProfiles = SRTPProtectionProfile.allCases
            let wire = try Wire(clientConfiguration: client, serverConfiguration: server)
            wire.connect()
            #expect(wire.client.sessionInfo?.srtpProfile == profile)
            #expect(wire.server.sessionInfo?.srtpProfile == profile)
            let keys = try wire.client.exportSRTPKeys()
            #expect(try keys == wire.server.exportSRTPKeys())
            #expect(keys.clientWriteKey.count == profile.keyLength && keys.serverWriteKey.count == profile.keyLength)
            #expect(
                keys.clientWriteSalt.count == profile.saltLength && keys.serverWriteSalt.count == profile.saltLength
            )
            #expect(keys.clientWriteKey != keys.serverWriteKey)
            let exported = try wire.client.exportKeyingMaterial(
                label: "EXTRACTOR-dtls_srtp",
                length: 2 * (profile.keyLength + profile.saltLength)
            )
            #expect(
                exported
                    == keys.clientWriteKey + keys.serverWriteKey + keys.clientWriteSalt + keys.serverWriteSalt
            )
        }
    }

    @Test("without a common SRTP profile the connection serves data only", arguments: [false, true])
    func noSRTP(clientOffers: Bool) throws {
        var with = DTLSConfiguration()
        with.srtpProfiles = [.aeadAES128GCM]
        var without = DTLSConfiguration()
        without.srtpProfiles = clientOffers ? [] : [.aes128CMSHA1_80]
        let wire = try Wire(
            clientConfiguration: clientOffers ? with : without,
            serverConfiguration: clientOffers ? without : with
        )
        wire.connect()
        #expect(wire.areConnected)
        #expect(wire.client.sessionInfo?.srtpProfile == nil)
        #expect { try wire.client.exportSRTPKeys() } throws: { ($0 as? DTLSError)?.code == .exportUnavailable }
        #expect(try wire.client.exportKeyingMaterial(label: "EXPERIMENTAL x", length: 5).count == 5)
        #expect(throws: DTLSError.self) { try wire.client.exportKeyingMaterial(label: "", length: 5) }
        #expect(throws: DTLSError.self) { try wire.client.exportKeyingMaterial(label: "x", length: 0) }
    }

    @Test("a record that overtakes the end of the handshake is not lost or delivered too early")
    func overtaking() throws {
        let wire = try Wire()
        wire.start()
        while wire.server.state != .connected {
            wire.collect()
            let arriving = wire.inFlight
            wire.inFlight = []
            for (side, datagram) in arriving { wire.give(datagram, to: side) }
        }
        try wire.send([8], from: .server)
        wire.collect()
        // The server's last flight and its record share a datagram.
        wire.give(Array(wire.inFlight.map(\.bytes).joined()), to: .client)
        #expect(wire.client.state == .connected)
        #expect(wire.received[Wire.Side.client.rawValue] == [[8]])
    }

    @Test("an answer that was lost is repeated after the handshake")
    func lastFlightLost() throws {
        let wire = try Wire()
        wire.tamper = { [unowned wire] side, datagrams in
            side == .server && wire.server.state == .connected && wire.client.counters.retransmissions == 0
                ? [] : datagrams
        }
        wire.startInRealTime()
        wire.run { wire.areConnected }
        #expect(wire.areConnected)
        #expect(wire.client.counters.retransmissions > 0)
    }

    @Test("the library tells what it can do")
    func library() {
        #expect(DTLSLibrary.version.hasPrefix("OpenSSL"))
        #expect(DTLSLibrary.maximumVersion >= .dtls12)
        #expect(DTLSLibrary.maximumVersion >= .dtls13 || !DTLSLibrary.supportsHybridKeyExchange)
        #expect(DTLSVersion.dtls12 < .dtls13)
        #expect(DTLSVersion.dtls12.description == "DTLS 1.2" && DTLSVersion.dtls12.wireDescription == "FEFD")
    }
}

/// Handshake messages cut into fragments (RFC 6347 section 4.2.3).
enum Fragments {
    static func cut(_ datagram: [UInt8], into count: Int) -> [[UInt8]] {
        let header = Array(datagram[13..<25])
        let body = Array(datagram[25...])
        let size = (body.count + count - 1) / count
        return (0..<count).map { index in
            let piece = Array(body.dropFirst(index * size).prefix(size))
            let offset = index * size
            let message =
                header[..<6] + [UInt8(offset >> 16), UInt8(offset >> 8 & 255), UInt8(offset & 255)]
                + [0, UInt8(piece.count >> 8), UInt8(piece.count & 255)] + piece
            return Forgery.record(type: 22, sequence: UInt32(index * 20), body: Array(message))
        }
    }
}
