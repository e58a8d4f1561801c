import Testing

@testable import RTCSRTP

@Suite("RFC 3711: vectors")
struct RFC3711VectorTests {
    static let master = SRTPMasterKey(
        key: hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
        salt: hex("0EC675AD498AFEEBB6960B3AABE6")
    )

    @Test("Session keys are derived as in appendix B.3")
    func keyDerivation() throws {
        let keys = try SessionKeys(Self.master, .aes128CMSHA1_80, .rtp)
        #expect(keys.cipherKey == hex("C61E7A93744F39EE10734AFE3FF7A087"))
        #expect(keys.salt == hex("30CBBC08863D8C85D49DB34A9AE1"))
        #expect(keys.authenticationKey == hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"))
        let long = try SessionKeys.derive(Self.master, label: 1, count: 94)
        let expected = """
            CEBE321F6FF7716B6FD4AB49AF256A15 6D38BAA48F0A0ACF3C34E2359E6CDBCE E049646C43D9327AD175578EF7227098
            6371C10C9A369AC2F94A8C5FBCDDDC25 6D6E919A48B610EF17C2041E47403576 6B68642C59BBFC2F34DB60DBDFB2
            """
        #expect(long == hex(expected))
    }

    @Test("256-bit keys are derived as in RFC 6188 section 7.2")
    func keyDerivation256() throws {
        let master = SRTPMasterKey(
            key: hex("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6"),
            salt: hex("3b04803de51ee7c96423ab5b78d2")
        )
        #expect(
            try SessionKeys.derive(master, label: 0, count: 32)
                == hex("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4")
        )
        #expect(try SessionKeys.derive(master, label: 2, count: 14) == hex("fa31791685ca444a9e07c6c64e93"))
    }

    @Test("RTP and RTCP have different keys")
    func purposes() throws {
        for profile in SRTPProfile.allCases {
            let master = SRTPMasterKey.fixed(profile)
            let rtp = try SessionKeys(master, profile, .rtp)
            let rtcp = try SessionKeys(master, profile, .rtcp)
            #expect(rtp.cipherKey != rtcp.cipherKey)
            #expect(rtp.salt != rtcp.salt)
            #expect(profile.isAEAD || rtp.authenticationKey != rtcp.authenticationKey)
        }
    }

    @Test("The key stream is that of appendix B.2")
    func keyStream() throws {
        let keys = SessionKeys(
            cipherKey: hex("2B7E151628AED2A6ABF7158809CF4F3C"),
            authenticationKey: [UInt8](repeating: 0, count: 20),
            salt: hex("F0F1F2F3F4F5F6F7F8F9FAFBFCFD")
        )
        let transform = try CounterModeTransform(keys, tagLength: 10, seals: true)
        var packet = [UInt8](repeating: 0, count: 12 + 48 + 10)
        packet.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            let regions = RTPRegions(
                base: base,
                headerLength: 12,
                sourcesEnd: 12,
                isHeaderEncrypted: false,
                payloadLength: 48
            )
            #expect(transform.sealRTP(regions, payload: base + 12, ssrc: 0, index: 0))
        }
        let expected = """
            E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0
            """
        #expect(Array(packet[12..<60]) == hex(expected))
    }

    @Test("A whole packet is the one that libsrtp's own test expects", arguments: SRTPConfiguration.Engine.allCases)
    func packet(engine: SRTPConfiguration.Engine) throws {
        let direction = try Direction(.aes128CMSHA1_80, key: Self.master, .with { $0.engine = engine })
        let packet = hex("800f1234 decafbad cafebabe abababab abababab abababab abababab")
        let expected = hex("800f1234 decafbad cafebabe 4e55dc4c e79978d8 8ca4d215 949d2402 b78d6acc 99ea179b 8dbb")
        #expect(try direction.sender.rtp(packet) == expected)
        #expect(direction.receiver.rtp(expected) == .success(packet))
    }
}
