import Testing

@testable import RTCSRTP

/// The vectors give session keys, so the engines are made with them and not with a master key.
@Suite("RFC 7714: vectors")
struct RFC7714VectorTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let profile: SRTPProfile
        let key: String
        let rtp: String
        let rtcp: String
        let authenticatedRTCP: String
        var testDescription: String { "\(self.profile)" }
    }

    static let salt = hex("51756964 2070726f 2071756f")
    static let rtp = hex(
        "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573"
    )
    static let rtcp = hex(
        "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef"
    )
    static let vectors = [
        Vector(
            profile: .aeadAES128GCM,
            key: "000102030405060708090a0b0c0d0e0f",
            rtp: """
                8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b 36de3adf
                8833899d 7f27beb1 6a9152cf 765ee439 0cce
                """,
            rtcp: """
                81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 86303ded
                0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4
                """,
            authenticatedRTCP: """
                81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef
                deadbeef 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4
                """
        ),
        Vector(
            profile: .aeadAES256GCM,
            key: "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            rtp: """
                8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f 1ba63799
                b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13
                """,
            rtcp: """
                81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658 c61de047
                6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4
                """,
            authenticatedRTCP: """
                81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef
                deadbeef 91db4afb feee5a97 8fab4393 ed2615fe 000005d4
                """
        ),
    ]

    private func sender(_ vector: Vector) throws -> SRTPSender {
        let engine = TransformSendingEngine(
            rtp: try self.transform(vector, seals: true),
            rtcp: try self.transform(vector, seals: true),
            configuration: SRTPConfiguration()
        )
        engine.streams.begin(0x4D61_7273, newest: nil, nextRTCP: 0x5D4)
        return SRTPSender(profile: vector.profile, engine: engine)
    }

    private func receiver(_ vector: Vector) throws -> SRTPReceiver {
        SRTPReceiver(
            profile: vector.profile,
            engine: TransformReceivingEngine(
                rtp: try self.transform(vector, seals: false),
                rtcp: try self.transform(vector, seals: false),
                profile: vector.profile,
                configuration: SRTPConfiguration()
            )
        )
    }

    private func transform(_ vector: Vector, seals: Bool) throws -> GCMTransform {
        let keys = SessionKeys(cipherKey: hex(vector.key), authenticationKey: [], salt: Self.salt)
        return try GCMTransform(keys, tagLength: 16, seals: seals)
    }

    @Test("RTP is encrypted and tagged, verified and decrypted as in section 16", arguments: vectors)
    func rtp(vector: Vector) throws {
        #expect(try self.sender(vector).rtp(Self.rtp) == hex(vector.rtp))
        #expect(try self.receiver(vector).rtp(hex(vector.rtp)) == .success(Self.rtp))
    }

    @Test("RTCP is encrypted and tagged, verified and decrypted as in section 17", arguments: vectors)
    func rtcp(vector: Vector) throws {
        #expect(try self.sender(vector).rtcp(Self.rtcp) == hex(vector.rtcp))
        #expect(try self.receiver(vector).rtcp(hex(vector.rtcp)) == .success(Self.rtcp))
    }

    @Test("RTCP that is only tagged is verified as in section 17", arguments: vectors)
    func authenticatedRTCP(vector: Vector) throws {
        let packet = hex(vector.authenticatedRTCP)
        #expect(try self.receiver(vector).rtcp(packet) == .success(Self.rtcp))
        for position in packet.indices {
            var forged = packet
            forged[position] ^= 1
            #expect(try self.receiver(vector).rtcp(forged).isFailure, "byte \(position)")
        }
    }
}

extension Result {
    /// Whether this is a failure.
    var isFailure: Bool {
        if case .failure = self { return true }
        return false
    }
}
