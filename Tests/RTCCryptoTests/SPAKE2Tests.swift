import Testing

@testable import RTCCrypto

@Suite struct SPAKE2Tests {
    struct Vector: Sendable {
        var a: String
        var b: String
        var w: String
        var x: String
        var y: String
        var pA: String
        var pB: String
        var key: String
        var cA: String
        var cB: String
    }

    @Test("Exchanges are those of RFC 9382 appendix B", arguments: Self.appendixB)
    func vectors(vector: Vector) throws {
        var a = try #require(
            SPAKE2(
                .a,
                secret: bytes(vector.w),
                scalar: bytes(vector.x),
                identityA: Array(vector.a.utf8),
                identityB: Array(vector.b.utf8)
            )
        )
        var b = try #require(
            SPAKE2(
                .b,
                secret: bytes(vector.w),
                scalar: bytes(vector.y),
                identityA: Array(vector.a.utf8),
                identityB: Array(vector.b.utf8)
            )
        )
        #expect(hex(a.share) == vector.pA)
        #expect(hex(b.share) == vector.pB)
        let cA = a.receive(b.share) ?? []
        let cB = b.receive(a.share) ?? []
        #expect(hex(cA) == vector.cA)
        #expect(hex(cB) == vector.cB)
        #expect(a.key == nil)
        let areConfirmed = (a.confirm(cB), b.confirm(cA))
        #expect(areConfirmed == (true, true))
        #expect(a.key.map(hex) == vector.key)
        #expect(b.key.map(hex) == vector.key)
    }

    @Test("The same password gives the same key, every time another one")
    func agreement() throws {
        let first = try #require(Self.exchange("7-crossword-guitar", "7-crossword-guitar"))
        let second = try #require(Self.exchange("7-crossword-guitar", "7-crossword-guitar"))
        #expect(first.0 == first.1)
        #expect(first.0 != second.0)
    }

    @Test(
        "Another password, another role's name and other associated data are not confirmed",
        arguments: [
            ("secret", "secreT", "b", [UInt8]()), ("secret", "secret", "c", []), ("secret", "secret", "b", [1]),
        ]
    )
    func disagreement(left: String, right: String, name: String, associated: [UInt8]) throws {
        #expect(Self.exchange(left, right, name: name, associated: associated) == nil)
    }

    @Test("A share that is no point of the curve ends the exchange")
    func invalidShares() throws {
        let valid = try #require(SPAKE2(.b, password: [1], identityA: [], identityB: [])).share
        var offCurve = valid
        offCurve[64] ^= 1
        var compressed = Array(valid.prefix(33))
        compressed[0] = 2 | (valid[64] & 1)
        let hybrid = [6 | (valid[64] & 1)] + valid.dropFirst()
        let beyondField = [4] + [UInt8](repeating: 0xFF, count: 64)
        let shares = [[], [0], offCurve, compressed, hybrid, beyondField, valid + [0], Array(valid.dropLast())]
        for share in shares {
            var exchange = try #require(SPAKE2(.a, password: [1], identityA: [], identityB: []))
            // It is over for good.
            let answers = [exchange.receive(share), exchange.receive(valid)]
            #expect(answers == [nil, nil])
            #expect(exchange.key == nil)
        }
    }

    @Test("A share that makes the secret the point at infinity is refused")
    func infinity() throws {
        // N times w is what B sends with a scalar of zero: nothing is left when A takes it off.
        let w = bytes("2ee57912099d31560b3a44b1184b9b4866e904c49d12ac5042c97dca461b1a5f")
        let zero = [UInt8](repeating: 0, count: 32)
        let b = try #require(SPAKE2(.b, secret: w, scalar: zero, identityA: [], identityB: []))
        let scalar = [UInt8](repeating: 0, count: 31) + [5]
        var a = try #require(SPAKE2(.a, secret: w, scalar: scalar, identityA: [], identityB: []))
        let answer = a.receive(b.share)
        #expect(answer == nil)
    }

    @Test("A share that is sent back is not confirmed")
    func reflection() throws {
        var exchange = try #require(SPAKE2(.a, password: [1], identityA: [1], identityB: [2]))
        if let own = exchange.receive(exchange.share) {
            let isConfirmed = exchange.confirm(own)
            #expect(!isConfirmed)
        }
        #expect(exchange.key == nil)
    }

    @Test("HKDF is that of RFC 5869 appendix A.1")
    func hkdf() {
        let secret = [UInt8](repeating: 0x0B, count: 22)
        let salt = Array(UInt8(0)...12)
        let info = Array(UInt8(0xF0)...0xF9)
        let key = HKDF.key(
            .sha256,
            secret: secret.span.bytes,
            salt: salt.span.bytes,
            info: info.span.bytes,
            count: 42
        )
        let expected =
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
        #expect(key.map(hex) == expected)
        let tooLong = HKDF.key(.sha256, secret: RawSpan(), salt: RawSpan(), info: RawSpan(), count: 8_161)
        #expect(tooLong == nil)
    }

    @Test("What was sealed opens, and nothing else does")
    func cipher() throws {
        let key = (0..<32).map(UInt8.init)
        let (sealing, opening) = (try makeCipher(.sealing, key), try makeCipher(.opening, key))
        let nonce = [UInt8](repeating: 7, count: 12)
        for text in [[], Array("text".utf8)] as [[UInt8]] {
            let sealed = try #require(sealing.seal(text, nonce: nonce, authenticating: [1]))
            #expect(sealed.count == text.count + 16)
            #expect(opening.open(sealed, nonce: nonce, authenticating: [1]) == text)
            #expect(opening.open(sealed, nonce: nonce, authenticating: [2]) == nil)
            #expect(opening.open(sealed, nonce: [UInt8](repeating: 8, count: 12), authenticating: [1]) == nil)
            for index in sealed.indices {
                var altered = sealed
                altered[index] ^= 0x80
                #expect(opening.open(altered, nonce: nonce, authenticating: [1]) == nil)
            }
            #expect(opening.open(Array(sealed.dropLast()), nonce: nonce, authenticating: [1]) == nil)
        }
        // The first test case of AES-256-GCM in the submission to NIST: no text, a key and nonce of zeros.
        let zeros = [UInt8](repeating: 0, count: 32)
        let empty = try makeCipher(.sealing, zeros)
        let tag = empty.seal([], nonce: Array(zeros.prefix(12)))
        #expect(tag.map(hex) == "530f8afbc74536b9a963b4f1c4cb738b")
    }

    /// Both sides' keys; nil if a side did not confirm.
    private static func exchange(
        _ left: String,
        _ right: String,
        name: String = "b",
        associated: [UInt8] = []
    ) -> ([UInt8], [UInt8])? {
        guard var a = SPAKE2(.a, password: Array(left.utf8), identityA: [1], identityB: Array("b".utf8)),
            var b = SPAKE2(
                .b,
                password: Array(right.utf8),
                identityA: [1],
                identityB: Array(name.utf8),
                associated: associated
            ),
            let cA = a.receive(b.share), let cB = b.receive(a.share), a.confirm(cB), b.confirm(cA), let keyA = a.key,
            let keyB = b.key
        else { return nil }
        return (keyA, keyB)
    }

    private static let appendixB = [
        Vector(
            a: "server",
            b: "client",
            w: "2ee57912099d31560b3a44b1184b9b4866e904c49d12ac5042c97dca461b1a5f",
            x: "43dd0fd7215bdcb482879fca3220c6a968e66d70b1356cac18bb26c84a78d729",
            y: "dcb60106f276b02606d8ef0a328c02e4b629f84f89786af5befb0bc75b6e66be",
            pA: "04a56fa807caaa53a4d28dbb9853b9815c61a411118a6fe516a8798434751470"
                + "f9010153ac33d0d5f2047ffdb1a3e42c9b4e6be662766e1eeb4116988ede5f912c",
            pB: "0406557e482bd03097ad0cbaa5df82115460d951e3451962f1eaf4367a420676"
                + "d09857ccbc522686c83d1852abfa8ed6e4a1155cf8f1543ceca528afb591a1e0b7",
            key: "0e0672dc86f8e45565d338b0540abe69",
            cA: "58ad4aa88e0b60d5061eb6b5dd93e80d9c4f00d127c65b3b35b1b5281fee38f0",
            cB: "d3e2e547f1ae04f2dbdbf0fc4b79f8ecff2dff314b5d32fe9fcef2fb26dc459b"
        ),
        Vector(
            a: "",
            b: "client",
            w: "0548d8729f730589e579b0475a582c1608138ddf7054b73b5381c7e883e2efae",
            x: "403abbe3b1b4b9ba17e3032849759d723939a27a27b9d921c500edde18ed654b",
            y: "903023b6598908936ea7c929bd761af6039577a9c3f9581064187c3049d87065",
            pA: "04a897b769e681c62ac1c2357319a3d363f610839c4477720d24cbe32f5fd85f"
                + "44fb92ba966578c1b712be6962498834078262caa5b441ecfa9d4a9485720e918a",
            pB: "04e0f816fd1c35e22065d5556215c097e799390d16661c386e0ecc84593974a6"
                + "1b881a8c82327687d0501862970c64565560cb5671f696048050ca66ca5f8cc7fc",
            key: "642f05c473c2cd79909f9a841e2f30a7",
            cA: "47d29e6666af1b7dd450d571233085d7a9866e4d49d2645e2df975489521232b",
            cB: "3313c5cefc361d27fb16847a91c2a73b766ffa90a4839122a9b70a2f6bd1d6df"
        ),
        Vector(
            a: "server",
            b: "",
            w: "626e0cdc7b14c9db3e52a0b1b3a768c98e37852d5db30febe0497b14eae8c254",
            x: "07adb3db6bc623d3399726bfdbfd3d15a58ea776ab8a308b00392621291f9633",
            y: "b6a4fc8dbb629d4ba51d6f91ed1532cf87adec98f25dd153a75accafafedec16",
            pA: "04f88fb71c99bfffaea370966b7eb99cd4be0ff1a7d335caac4211c4afd855e2"
                + "e15a873b298503ad8ba1d9cbb9a392d2ba309b48bfd7879aefd0f2cea6009763b0",
            pB: "040c269d6be017dccb15182ac6bfcd9e2a14de019dd587eaf4bdfd353f031101"
                + "e7cca177f8eb362a6e83e7d5e729c0732e1b528879c086f39ba0f31a9661bd34db",
            key: "005184ff460da2ce59062c87733c299c",
            cA: "bc9f9bbe99f26d0b2260e6456e05a86196a3307ec6663a18bf6ac825736533b2",
            cB: "c2370e1bf813b086dff0d834e74425a06e6390f48f5411900276dcccc5a297ec"
        ),
        Vector(
            a: "",
            b: "",
            w: "7bf46c454b4c1b25799527d896508afd5fc62ef4ec59db1efb49113063d70cca",
            x: "8cef65df64bb2d0f83540c53632de911b5b24b3eab6cc74a97609fd659e95473",
            y: "d7a66f64074a84652d8d623a92e20c9675c61cb5b4f6a0063e4648a2fdc02d53",
            pA: "04a65b367a3f613cf9f0654b1b28a1e3a8a40387956c8ba6063e8658563890f4"
                + "6ca1ef6a676598889fc28de2950ab8120b79a5ef1ea4c9f44bc98f585634b46d66",
            pB: "04589f13218822710d98d8b2123a079041052d9941b9cf88c6617ddb2fcc0494"
                + "662eea8ba6b64692dc318250030c6af045cb738bc81ba35b043c3dcb46adf6f58d",
            key: "fc6374762ba5cf11f4b2caa08b2cd1b9",
            cA: "dfb4db8d48ae5a675963ea5e6c19d98d4ea028d8e898dad96ea19a80ade95dca",
            cB: "d0f0609d1613138d354f7e95f19fb556bf52d751947241e8c7118df5ef0ae175"
        ),
    ]
}

private func makeCipher(_ direction: AuthenticatedCipher.Direction, _ key: [UInt8]) throws -> AuthenticatedCipher {
    let cipher = AuthenticatedCipher(direction, key: key.span.bytes)
    return try #require(cipher)
}

private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

private func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...($0 + 1)]), radix: 16) }
}
