import NIOCore
import RTCBase
import RTCDTLS
import Testing

@Suite("DTLS handshake")
struct HandshakeTests {
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
}
