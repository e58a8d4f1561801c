import RTCCrypto
import Testing

@Suite struct CryptoTests {
    @Test(
        "Digests are those of the standards' examples",
        arguments: [
            (HashAlgorithm.md5, "900150983cd24fb0d6963f7d28e17f72"),
            (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                .sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"
            ),
            (
                .sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                    + "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ]
    )
    func digests(algorithm: HashAlgorithm, expected: String) {
        let digest = algorithm.digest(of: Array("abc".utf8))
        #expect(hex(digest) == expected)
        #expect(digest.count == algorithm.digestSize)
    }

    @Test(
        "HMACs are those of RFC 2202 and RFC 4231",
        arguments: [
            (HashAlgorithm.sha1, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
            (.sha256, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
        ]
    )
    func hmacVectors(algorithm: HashAlgorithm, expected: String) throws {
        let key = try #require(HMACKey(algorithm, key: Array("Jefe".utf8)))
        let text = Array("what do ya want for nothing?".utf8)
        #expect(hex(key.code(of: text)) == expected)
        let head = Array(text.prefix(7))
        let tail = Array(text.dropFirst(7))
        #expect(hex(key.code(of: head, then: tail)) == expected)
    }

    @Test("A key serves many messages, and each gets its own code")
    func keyIsReusable() throws {
        let key = try #require(HMACKey(.sha1, key: Array("secret".utf8)))
        let first = key.code(of: [1, 2, 3])
        let second = key.code(of: [1, 2, 4])
        #expect(first != second)
        #expect(key.code(of: [1, 2, 3]) == first)
        #expect(key.isValid(first, of: [1, 2, 3]))
        #expect(!key.isValid(second, of: [1, 2, 3]))
        #expect(key.isValid(Array(first.prefix(10)), of: [1, 2, 3]))
        #expect(!key.isValid(Array(first.prefix(9)), of: [1, 2, 3]))
        #expect(!key.isValid((first + [0]), of: [1, 2, 3]))
    }

    @Test("An empty key and an empty message are allowed")
    func emptyKey() throws {
        let none: [UInt8] = []
        let key = try #require(HMACKey(.sha1, key: none))
        #expect(hex(key.code(of: none)) == "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d")
    }

    @Test("Constant-time comparison tells equal from unequal")
    func constantTime() {
        let none: [UInt8] = []
        #expect(ConstantTime.equals([1, 2, 3], [1, 2, 3]))
        #expect(!ConstantTime.equals([1, 2, 3], [1, 2, 4]))
        #expect(!ConstantTime.equals([1, 2, 3], [1, 2]))
        #expect(ConstantTime.equals(none, none))
    }

    private func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
