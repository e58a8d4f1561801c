import RTCSTUN
import RTCTURN
import Testing

@Suite struct CredentialTests {
    /// RFC 5769 section 2.4.
    static let longTermRequest = hex(
        """
        00010060 2112a442 78ad3433 c6ad72c0 29da412e 00060012 e3839ee3 8388e383 aae38383 e382afe3
        82b90000 0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341 0014000b
        6578616d 706c652e 6f726700 00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666
        """
    )

    /// RFC 8489 appendix B.1 as erratum 6268 has it.
    static let userhashRequest = hex(
        """
        00010090 2112a442 78ad3433 c6ad72c0 29da412e 001e0020 4a3cf38f ef6992bd a952c678 0417da0f
        24819415 569e60b2 05c46e41 407f1704 00150029 6f624d61 744a6f73 32414141 43662f2f 3439396b
        39353464 364f4c33 346f4c39 46535476 79363473 41000000 0014000b 6578616d 706c652e 6f726700
        001d0004 00020000 001c0020 b5c7bf00 5b6c52a2 1c51c5e8 92f81924 136296cb 927c4314 9309278c
        c6518e65
        """
    )

    static let username = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}"

    private static func credential() throws -> STUNLongTermCredential {
        try #require(STUNLongTermCredential(username: self.username, realm: "example.org", password: "TheMatrIX"))
    }

    @Test("The long-term request of RFC 5769 is verified with an MD5 key")
    func longTermVector() throws {
        let request = try #require(ReadMessage(Self.longTermRequest))
        #expect(request.username == Self.username)
        #expect(request.isIntact(try Self.credential().integrityKey(.md5)))
        #expect(!request.isIntact(try Self.credential().integrityKey(.sha256)))
    }

    @Test("The request of RFC 8489 with USERHASH is read and verified with a SHA-256 key")
    func userhashVector() throws {
        let credential = try Self.credential()
        let request = try #require(ReadMessage(Self.userhashRequest))
        #expect(request.userhash == credential.userhash)
        #expect(request.attributes.passwordAlgorithm == .sha256)
        #expect(request.attributes.hasMessageIntegritySHA256)
        #expect(request.isIntact(credential.integrityKey(.sha256)))
        let nonce = try #require(request.nonce)
        #expect(STUNNonceCookie.features(of: nonce) == .usernameAnonymity)
    }

    @Test("The request of RFC 8489 with USERHASH is written byte for byte")
    func userhashVectorWritten() throws {
        let credential = try Self.credential()
        let id = STUNTransactionID(high: 0x78ad_3433_c6ad_72c0, low: 0x29da_412e)
        var builder = STUNMessageBuilder(.request, .binding, id)
        builder.append(.userhash, bytes: credential.userhash)
        builder.append(.nonce, text: "obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")
        builder.append(.realm, text: "example.org")
        builder.appendPasswordAlgorithm(.sha256)
        builder.appendIntegritySHA256(credential.integrityKey(.sha256))
        #expect(builder.finish().bytes == Self.userhashRequest)
    }

    @Test("The nonce cookie announces features, and their absence from the response is noticed")
    func nonceCookie() {
        let cookie = STUNNonceCookie.encode(.passwordAlgorithms)
        #expect(cookie == "obMatJos2AAAB")
        #expect(STUNNonceCookie.features(of: cookie + "rest") == .passwordAlgorithms)
        #expect(STUNNonceCookie.features(of: "obMatJos2AA") == nil)
        #expect(STUNNonceCookie.features(of: "obMatJos2AA=A!") == nil)
        #expect(STUNNonceCookie.features(of: "somethingelse") == nil)
        #expect(STUNNonceCookie.algorithm(nonce: "old", offered: nil) == .md5)
        #expect(STUNNonceCookie.algorithm(nonce: cookie, offered: [.sha256, .md5]) == .sha256)
        #expect(STUNNonceCookie.algorithm(nonce: cookie, offered: nil) == nil)
        #expect(STUNNonceCookie.algorithm(nonce: cookie, offered: []) == nil)
    }

    @Test("OpaqueString leaves ASCII alone, maps spaces and refuses what it forbids")
    func opaqueString() {
        #expect(OpaqueString.prepare("correct horse battery staple") == "correct horse battery staple")
        #expect(OpaqueString.prepare(Self.username) == Self.username)
        #expect(OpaqueString.prepare("a\u{3000}b") == "a b")
        #expect(OpaqueString.prepare("\u{3C3}\u{2126}")?.unicodeScalars.count == 2)
        for refused in ["", "a\u{7}b", "a\u{AD}b", "\u{1100}\u{1161}", "\u{FFFE}", "\u{378}", "a\u{200B}b"] {
            #expect(OpaqueString.prepare(refused) == nil)
        }
        #expect(STUNLongTermCredential(username: "a", realm: "b", password: "\n") == nil)
    }

    @Test("A time-limited credential is what others make of the same secret")
    func restCredential() throws {
        let minted = TURNRESTCredential(user: "alice", secret: "north", expiresAt: 1_700_000_000)
        #expect(minted.username == "1700000000:alice")
        #expect(minted.password == "Cd/49soE35ICqcJF/bCTn8Z4OyE=")
        let recognised = try #require(TURNRESTCredential(username: minted.username, secret: "north"))
        #expect(recognised == minted)
        #expect(!recognised.isExpired(at: 1_699_999_999))
        #expect(recognised.isExpired(at: 1_700_000_000))
        #expect(TURNRESTCredential(username: "1700000000", secret: "north")?.user == "")
        #expect(TURNRESTCredential(username: "alice", secret: "north") == nil)
        // What is printed tells no password.
        var dumped = ""
        dump(minted, to: &dumped)
        #expect(!"\(minted) \(String(reflecting: minted)) \(dumped)".contains(minted.password))
        let credential = try Self.credential()
        dump(credential, to: &dumped)
        #expect(!"\(credential) \(String(reflecting: credential)) \(dumped)".contains(credential.password))
        #expect(TURNRESTCredential(username: ":alice", secret: "north") == nil)
        #expect(TURNRESTCredential(username: "99999999999999999999:alice", secret: "north") == nil)
    }
}
