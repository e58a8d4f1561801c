import Testing

@testable import RTCSRTP

@Suite("Cryptex (RFC 9335)")
struct CryptexTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let clear: String
        let counterMode: String
        let gcm: String
    }

    /// Appendix A. Header and extension, then four words of payload.
    static let vectors = [
        Vector(
            testDescription: "one-byte extension",
            clear: "900f1235 decafbad cafebabe bede0001 51000200",
            counterMode:
                "900f1235 decafbad cafebabe c0de0001 eb923652 51c3e036 f8de27e9 c27ee3e0 b4651d9f bc4218a7 0244522f 34a5",
            gcm: """
                900f1235 decafbad cafebabe c0de0001 39972dc9 572c4d99 e8fc355d e743fb2e 94f9d8ff 54e72f41 93bbc5c7 4ffab0fa
                9fa0fbeb
                """
        ),
        Vector(
            testDescription: "two-byte extension",
            clear: "900f1236 decafbad cafebabe 10000001 05020002",
            counterMode:
                "900f1236 decafbad cafebabe c2de0001 4ed9cc4e 6a712b30 96c5ca77 339d4204 ce0d7739 6cab6958 5fbce381 94a5",
            gcm: """
                900f1236 decafbad cafebabe c2de0001 bb75a4c5 45cd1f41 3bdb7daa 2b1e3263 de313667 c9632490 81b35a65 f5cb6c88
                b394235f
                """
        ),
        Vector(
            testDescription: "one-byte extension and sources",
            clear: "920f1238 decafbad cafebabe 0001e240 0000b26e bede0001 51000200",
            counterMode: """
                920f1238 decafbad cafebabe 8bb6e12b 5cff16dd c0de0001 92838c8c 09e58393 e1de3a9a 74734d67 45671338 c3acf11d
                a2df8423 bee0
                """,
            gcm: """
                920f1238 decafbad cafebabe 63bbccc4 a7f695c4 c0de0001 8ad7c71f ac70a80c 92866b4c 6ba98546 ef913586 e95ffaaf
                fe956885 bb0647a8 bc094ac8
                """
        ),
        Vector(
            testDescription: "two-byte extension and sources",
            clear: "920f1239 decafbad cafebabe 0001e240 0000b26e 10000001 05020002",
            counterMode: """
                920f1239 decafbad cafebabe f70e513e b90b9b25 c2de0001 bbed4848 faa64466 5f3d7f34 125914e9 f4d0ae92 3c6f479b
                95a0f7b5 3133
                """,
            gcm: """
                920f1239 decafbad cafebabe 3680524f 8d312b00 c2de0001 c78d1200 38422bc1 11a7187a 18246f98 0c059cc6 bc9df8b6
                26394eca 344e4b05 d80fea83
                """
        ),
        Vector(
            testDescription: "empty one-byte extension and sources",
            clear: "920f123a decafbad cafebabe 0001e240 0000b26e bede0000",
            counterMode: """
                920f123a decafbad cafebabe 7130b6ab fe2ab0e3 c0de0000 e3d9f64b 25c9e74c b4cf8e43 fb92e378 1c2c0cea b6b3a499
                a14c
                """,
            gcm: """
                920f123a decafbad cafebabe 15b6bb43 37906fff c0de0000 b7b96453 7a2b03ab 7ba5389c e9331712 6b5d974d f30c6884
                dcb651c5 e120c1da
                """
        ),
        Vector(
            testDescription: "empty two-byte extension and sources",
            clear: "920f123b decafbad cafebabe 0001e240 0000b26e 10000000",
            counterMode: """
                920f123b decafbad cafebabe cbf24c12 4330e1c8 c2de0000 599dd45b c9d687b6 03e8b59d 771fd38e 88b170e0 cd31e125
                eabe
                """,
            gcm: """
                920f123b decafbad cafebabe dcb38c9e 48bf95f4 c2de0000 61ee432c f9203170 76613258 d3ce4236 c06ac429 681ad084
                13512dc9 8b5207d8
                """
        ),
    ]

    static let gcmMaster = SRTPMasterKey(
        key: hex("000102030405060708090a0b0c0d0e0f"),
        salt: hex("a0a1a2a3a4a5a6a7a8a9aaab")
    )

    private func direction(
        _ profile: SRTPProfile,
        _ cryptex: SRTPConfiguration.Cryptex = .required
    ) throws -> Direction {
        let key = profile.isAEAD ? Self.gcmMaster : RFC3711VectorTests.master
        return try Direction(profile, key: key, .with { $0.cryptex = cryptex })
    }

    @Test("Packets are those of the appendix, both ways", arguments: vectors)
    func appendix(vector: Vector) throws {
        let clear = hex(vector.clear) + [UInt8](repeating: 0xAB, count: 16)
        for (profile, expected) in [
            (SRTPProfile.aes128CMSHA1_80, vector.counterMode), (.aeadAES128GCM, vector.gcm),
        ] {
            let direction = try self.direction(profile)
            #expect(try direction.sender.rtp(clear) == hex(expected), "\(profile)")
            #expect(direction.receiver.rtp(hex(expected)) == .success(clear), "\(profile)")
        }
    }

    @Test("Sources without an extension get an empty one", arguments: SRTPProfile.allCases)
    func sourcesAlone(profile: SRTPProfile) throws {
        let key = SRTPMasterKey.fixed(profile)
        let configuration = SRTPConfiguration.with { $0.cryptex = .enabled }
        let inPlace = try Direction(profile, key: key, configuration)
        let apart = try Direction(profile, key: key, configuration)
        let header = hex("820f123c decafbad cafebabe 0001e240 0000b26e")
        let payload = (0..<33).map { UInt8($0) }
        let protected = try inPlace.sender.rtp(header + payload)
        #expect(protected.count == header.count + payload.count + inPlace.sender.rtpOverhead)
        #expect(Array(protected[20..<24]) == [0xC0, 0xDE, 0, 0])
        #expect(Array(protected[12..<20]) != Array(header[12..<20]))
        var other = [UInt8](repeating: 0, count: protected.count)
        let length = try header.withUnsafeBytes { header in
            try payload.withUnsafeBytes { payload in
                try other.withUnsafeMutableBytes {
                    try apart.sender.protectRTP(header: header, payload: payload, into: $0)
                }
            }
        }
        #expect(length == protected.count)
        #expect(other == protected)
        let clear = [0x92] + header.dropFirst() + [0xBE, 0xDE, 0, 0] + payload
        #expect(inPlace.receiver.rtp(protected) == .success(clear))
    }

    @Test("A packet with nothing to hide is protected as ever", arguments: SRTPProfile.allCases)
    func nothingToHide(profile: SRTPProfile) throws {
        let hiding = try self.direction(profile.isAEAD ? .aeadAES128GCM : profile)
        let plain = try self.direction(profile.isAEAD ? .aeadAES128GCM : profile, .disabled)
        let packet = rtpPacket(1)
        #expect(try hiding.sender.rtp(packet) == plain.sender.rtp(packet))
        #expect(hiding.receiver.rtp(try plain.sender.rtp(packet)) == .success(packet))
    }

    @Test("Other header extensions are refused and the packet stays as it was")
    func otherExtensions() throws {
        let direction = try self.direction(.aeadAES128GCM)
        for profile in ["1001", "0000", "c0de", "c2de"] {
            let packet = hex("900f1235 decafbad cafebabe \(profile)0001 51000200 abab")
            var bytes = packet + [UInt8](repeating: 0, count: 20)
            _ = bytes.withUnsafeMutableBytes { buffer in
                #expect(throws: SRTPProtectError.headerExtensionNotEncryptable) {
                    try direction.sender.protectRTP(in: buffer, length: packet.count)
                }
            }
            #expect(Array(bytes.prefix(packet.count)) == packet)
        }
        #expect(direction.sender.counters.refused == 4)
    }

    @Test("Who requires Cryptex refuses what shows its header, and who allows it takes both")
    func required() throws {
        let plain = try self.direction(.aes128CMSHA1_80, .disabled)
        let requiring = try self.direction(.aes128CMSHA1_80, .required)
        let allowing = try self.direction(.aes128CMSHA1_80, .enabled)
        let showing = [
            hex("900f0001 decafbad cafebabe bede0001 51000200 abab"), hex("810f0002 decafbad cafebabe 0001e240 abab"),
        ]
        for packet in showing {
            let protected = try plain.sender.rtp(packet)
            #expect(requiring.receiver.rtp(protected) == .failure(.cryptexRequired))
            #expect(allowing.receiver.rtp(protected) == .success(packet))
        }
        #expect(requiring.receiver.counters.cryptexRequired == 2)
        #expect(requiring.receiver.engine.streamCount == 0)
    }

    @Test(
        "Each flipped byte of an encrypted header is noticed",
        arguments: [SRTPProfile.aes128CMSHA1_80, .aeadAES128GCM]
    )
    func forgeries(profile: SRTPProfile) throws {
        let direction = try self.direction(profile)
        let packet = hex("920f1238 decafbad cafebabe 0001e240 0000b26e bede0001 51000200 abababab")
        let protected = try direction.sender.rtp(packet)
        for position in protected.indices {
            var forged = protected
            forged[position] ^= 0x11
            #expect(direction.receiver.rtp(forged).isFailure, "byte \(position)")
        }
        #expect(direction.receiver.rtp(protected) == .success(packet))
    }
}
