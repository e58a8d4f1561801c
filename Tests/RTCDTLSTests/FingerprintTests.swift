import NIOCore
import RTCBase
import RTCDTLS
import Testing

@Suite("DTLS fingerprints")
struct FingerprintTests {
    private static let wrong = DTLSFingerprint(algorithm: .sha256, bytes: [UInt8](repeating: 7, count: 32))

    @Test("every algorithm identifies the peer", arguments: DTLSFingerprint.Algorithm.allCases)
    func algorithms(algorithm: DTLSFingerprint.Algorithm) throws {
        let wire = try Wire(
            clientKnows: [Samples.otherECDSA.fingerprint(algorithm)],
            serverKnows: [Samples.ecdsa.fingerprint(algorithm)]
        )
        wire.connect()
        #expect(wire.areConnected)
    }

    @Test("one right fingerprint among wrong ones of its algorithm is enough")
    func oneOfMany() throws {
        let wrong = try #require(Self.wrong)
        let wire = try Wire(clientKnows: [wrong, Samples.otherECDSA.fingerprint(), wrong])
        wire.connect()
        #expect(wire.areConnected)
    }

    @Test("a right fingerprint does not save a wrong one of a stronger algorithm")
    func strongestDecides() throws {
        let wrong = try #require(DTLSFingerprint(algorithm: .sha512, bytes: [UInt8](repeating: 7, count: 64)))
        let wire = try Wire(clientKnows: [Samples.otherECDSA.fingerprint(), wrong])
        wire.connect()
        #expect(wire.client.failure?.code == .fingerprintMismatch)
    }

    @Test("a client refuses the wrong server with bad_certificate, and no byte passes")
    func clientRefuses() throws {
        let wire = try Wire(clientKnows: [try #require(Self.wrong)])
        wire.connect()
        #expect(wire.client.state == .failed)
        #expect(wire.client.failure?.code == .fingerprintMismatch)
        #expect(wire.client.failure?.sentAlert == 42)
        #expect(wire.client.sessionInfo == nil)
        #expect(wire.states(.client) == [.connecting, .failed])
        // The alert is not encrypted yet, so the server gives it a second.
        #expect(wire.server.state == .connecting)
        let due = try #require(wire.server.nextTimeout)
        #expect(due <= wire.now + DTLSConnection.unauthenticatedAlertDelay)
        wire.now = wire.now + DTLSConnection.unauthenticatedAlertDelay
        wire.server.handleTimeout(now: wire.now)
        wire.settle()
        #expect(wire.server.failure?.code == .alertReceived)
        #expect(wire.server.failure?.receivedAlert == 42)
        #expect(wire.received == [[], []])
    }

    @Test("a server refuses the wrong client with bad_certificate, and no byte passes")
    func serverRefuses() throws {
        let wire = try Wire(serverKnows: [try #require(Self.wrong)])
        wire.connect()
        #expect(wire.server.failure?.code == .fingerprintMismatch)
        #expect(wire.server.failure?.sentAlert == 42)
        wire.now = wire.now + DTLSConnection.unauthenticatedAlertDelay
        wire.client.handleTimeout(now: wire.now)
        #expect(wire.client.failure?.receivedAlert == 42)
        #expect(throws: DTLSError.self) { try wire.send([1], from: .client) }
        #expect(throws: DTLSError.self) { try wire.send([1], from: .server) }
        #expect(wire.received == [[], []])
    }

    @Test("with no fingerprint at all nobody is accepted")
    func emptySet() throws {
        let wire = try Wire(clientKnows: .some(.some([])))
        wire.connect()
        #expect(wire.client.failure?.code == .fingerprintMismatch)
    }

    @Test("a server that learns the fingerprint late connects then, and not before")
    func lateServer() throws {
        let wire = try Wire(serverKnows: .some(nil))
        wire.connect()
        #expect(wire.server.state == .connecting)
        #expect(wire.client.state == .connecting)
        wire.server.setRemoteFingerprints([Samples.ecdsa.fingerprint()], now: wire.now)
        wire.settle()
        #expect(wire.areConnected)
        try wire.send([9], from: .client)
        wire.settle()
        #expect(wire.received[Wire.Side.server.rawValue] == [[9]])
    }

    @Test("a client that learns the fingerprint late connects then, and not before")
    func lateClient() throws {
        let wire = try Wire(clientKnows: .some(nil))
        wire.connect()
        #expect(wire.server.state == .connecting)
        #expect(wire.client.state == .connecting)
        wire.client.setRemoteFingerprints([Samples.otherECDSA.fingerprint()], now: wire.now)
        wire.settle()
        #expect(wire.areConnected)
    }

    @Test("wrong fingerprints that come late are refused with bad_certificate", arguments: Wire.Side.allCases)
    func lateAndWrong(side: Wire.Side) throws {
        let wrong = try #require(Self.wrong)
        let wire = try side == .client ? Wire(clientKnows: .some(nil)) : Wire(serverKnows: .some(nil))
        wire.connect()
        wire.connection(side).setRemoteFingerprints([wrong], now: wire.now)
        wire.settle()
        #expect(wire.connection(side).failure?.code == .fingerprintMismatch)
        #expect(wire.connection(side).failure?.sentAlert == 42)
        #expect(wire.received == [[], []])
    }

    @Test("a waiting handshake neither spins nor times out", arguments: Wire.Side.allCases)
    func waiting(side: Wire.Side) throws {
        let wire = try side == .client ? Wire(clientKnows: .some(nil)) : Wire(serverKnows: .some(nil))
        wire.connect()
        #expect(wire.connection(side).nextTimeout == nil)
        wire.now = wire.now + .hours(1)
        wire.connection(side).handleTimeout(now: wire.now)
        #expect(wire.connection(side).state == .connecting)
        let right = side == .client ? Samples.otherECDSA.fingerprint() : Samples.ecdsa.fingerprint()
        wire.connection(side).setRemoteFingerprints([right], now: wire.now)
        wire.settle()
        #expect(wire.areConnected)
    }

    @Test("changing fingerprints after the handshake changes nothing, but they can be compared")
    func afterwards() throws {
        let wrong = try #require(Self.wrong)
        let wire = try Wire()
        #expect(!wire.client.peerCertificateMatches([Samples.otherECDSA.fingerprint()]))
        wire.connect()
        wire.client.setRemoteFingerprints([wrong], now: wire.now)
        #expect(wire.client.state == .connected)
        #expect(wire.client.peerCertificateMatches([Samples.otherECDSA.fingerprint(.sha384)]))
        #expect(!wire.client.peerCertificateMatches([wrong]))
        #expect(!wire.client.peerCertificateMatches([]))
    }

    @Test("a fingerprint reads its own text, in either case")
    func text() throws {
        for fingerprint in Samples.ecdsa.fingerprints {
            let name = fingerprint.algorithm.rawValue
            #expect(DTLSFingerprint(algorithmName: name, value: fingerprint.value) == fingerprint)
            #expect(
                DTLSFingerprint(algorithmName: name.uppercased(), value: fingerprint.value.lowercased()) == fingerprint
            )
            #expect(fingerprint.description == "\(name) \(fingerprint.value)")
        }
    }

    @Test(
        "broken and weak fingerprints are refused",
        arguments: [
            ("sha-1", "4A:AD:B9:B1:3F:82:18:3B:54:02:12:DF:3E:5D:49:6B:19:E5:7C:AB"),
            ("sha-224", String(repeating: "00:", count: 27) + "00"),
            ("md5", String(repeating: "00:", count: 15) + "00"),
            ("sha-256", ""),
            ("sha-256", String(repeating: "00:", count: 30) + "00"),
            ("sha-256", String(repeating: "00:", count: 32) + "00"),
            ("sha-256", String(repeating: "00:", count: 31) + "+0"),
            ("sha-256", String(repeating: "00:", count: 31) + "0g"),
            ("sha-256", String(repeating: "00-", count: 31) + "00"),
            ("sha-256", String(repeating: "000", count: 31) + "00"),
            ("sha-384", String(repeating: "00:", count: 31) + "00"),
        ]
    )
    func broken(name: String, value: String) {
        #expect(DTLSFingerprint(algorithmName: name, value: value) == nil)
    }
}
