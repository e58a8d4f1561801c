import NIOCore
import RTCBase
import RTCSTUN
import Testing

@Suite struct BrokenSTUNTests {
    static let header = "00010000 2112a442 00000000 00000000 00000001"

    @Test(
        "Broken messages are no messages",
        arguments: [
            ("nothing", ""),
            ("a header cut short", "00010000 2112a442 00000000 00000000 000000"),
            ("a first bit set", "80010000 2112a442 00000000 00000000 00000001"),
            ("a second bit set", "40010000 2112a442 00000000 00000000 00000001"),
            ("another cookie", "00010000 2112a443 00000000 00000000 00000001"),
            ("a length beyond the datagram", "00010004 2112a442 00000000 00000000 00000001"),
            ("bytes beyond the length", "00010000 2112a442 00000000 00000000 00000001 00000000"),
            ("a length not of four", "00010002 2112a442 00000000 00000000 00000001 0000"),
            ("an attribute longer than the message", "00010004 2112a442 00000000 00000000 00000001 80220001"),
            ("a short PRIORITY", "00010008 2112a442 00000000 00000000 00000001 00240002 00000000"),
            ("a USE-CANDIDATE with a value", "00010008 2112a442 00000000 00000000 00000001 00250004 00000000"),
            ("a short tie-breaker", "00010008 2112a442 00000000 00000000 00000001 802a0004 00000000"),
            ("a short MESSAGE-INTEGRITY", "00010008 2112a442 00000000 00000000 00000001 00080004 00000000"),
            ("an empty MESSAGE-INTEGRITY", "00010004 2112a442 00000000 00000000 00000001 00080000"),
            ("an empty MESSAGE-INTEGRITY-SHA256", "00010004 2112a442 00000000 00000000 00000001 001c0000"),
            ("an address of no family", "0101000c 2112a442 00000000 00000000 00000001 00200008 00031111 22222222"),
            ("an IPv6 address of IPv4 size", "0101000c 2112a442 00000000 00000000 00000001 00200008 00021111 22222222"),
            ("a short address", "01010008 2112a442 00000000 00000000 00000001 00200004 00011111"),
            ("an error code of class 7", "01110008 2112a442 00000000 00000000 00000001 00090004 00000700"),
            ("an error code of number 100", "01110008 2112a442 00000000 00000000 00000001 00090004 00000464"),
            ("a short error code", "01110008 2112a442 00000000 00000000 00000001 00090002 00000000"),
            ("a wrong FINGERPRINT", "00010008 2112a442 00000000 00000000 00000001 80280004 00000000"),
            ("a short FINGERPRINT", "00010008 2112a442 00000000 00000000 00000001 80280002 00000000"),
        ]
    )
    func broken(name: String, hex: String) {
        let bytes = Vectors.bytes(hex)
        #expect(STUNMessage(bytes) == nil, "\(name)")
        #expect(STUNUsername.localUfrag(ofBindingRequest: bytes) == nil)
    }

    @Test("Something behind FINGERPRINT breaks a message")
    func behindFingerprint() {
        var builder = STUNMessageBuilder(.request, .binding, STUNTransactionID(high: 1, low: 2))
        builder.appendFingerprint()
        #expect(STUNMessage(builder.finish().bytes) != nil)
        builder.append(.useCandidate)
        #expect(STUNMessage(builder.finish().bytes) == nil)
    }

    @Test("No changed bit of an authenticated message goes unnoticed")
    func forgeries() {
        let key = STUNIntegrityKey(shortTermPassword: Vectors.password)
        // All but the FINGERPRINT, so that the integrity code alone must notice.
        var original = Array(Vectors.request.dropLast(8))
        original[3] -= 8
        #expect(STUNMessage(original)?.hasValidIntegrity(in: original, key: key) == true)
        for bit in 0..<original.count * 8 {
            var forged = original
            forged[bit / 8] ^= 1 << (bit % 8)
            let message = STUNMessage(forged)
            #expect(message?.hasValidIntegrity(in: forged, key: key) != true, "bit \(bit)")
        }
    }

    @Test("A message without integrity never passes for one with it")
    func missingIntegrity() throws {
        var builder = STUNMessageBuilder(.request, .binding, STUNTransactionID(high: 1, low: 2))
        builder.append(.username, text: "a:b")
        let buffer = builder.finish()
        let message = try #require(STUNMessage(buffer.bytes))
        #expect(!message.hasIntegrity)
        let key = STUNIntegrityKey(shortTermPassword: "")
        #expect(!message.hasValidIntegrity(in: buffer.bytes, key: key))
    }

    @Test("A broken SHA-256 code is not made good by a right SHA-1 code")
    func noDowngrade() throws {
        let key = STUNIntegrityKey(shortTermPassword: "pass")
        var builder = STUNMessageBuilder(.request, .binding, STUNTransactionID(high: 1, low: 2))
        builder.append(.username, text: "a:b")
        builder.appendIntegrity(key)
        builder.append(.messageIntegritySHA256, bytes: [UInt8](repeating: 1, count: 32))
        let buffer = builder.finish()
        let message = try #require(STUNMessage(buffer.bytes))
        #expect(!message.hasValidIntegrity(in: buffer.bytes, key: key))
    }

    @Test("Hostile bytes never trap", arguments: 0..<8)
    func fuzz(seed: Int) {
        var random = RandomSource.seeded(UInt64(seed))
        let key = STUNIntegrityKey(shortTermPassword: Vectors.password)
        let corpus = [Vectors.request, Vectors.ipv4Response, Vectors.ipv6Response, Vectors.longTermRequest]
        for _ in 0..<2_000 {
            var bytes = corpus[Int(random.next() % 4)]
            for _ in 0..<Int(random.next() % 6) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            switch random.next() % 4 {
            case 0: bytes = Array(bytes.prefix(Int(random.next() % UInt64(bytes.count))))
            case 1: bytes += random.bytes(count: Int(random.next() % 40))
            case 2:
                // A length that fits takes the walk further.
                let length = UInt16(truncatingIfNeeded: bytes.count - 20) & ~3
                bytes = Array(bytes.prefix(20 + Int(length)))
                bytes[2] = UInt8(length >> 8)
                bytes[3] = UInt8(length & 0xFF)
            default: break
            }
            let span = bytes
            if let message = STUNMessage(span) {
                _ = message.hasValidIntegrity(in: span, key: key)
                _ = message.unknownComprehensionRequired(in: span)
                _ = message.unknownAttributes(in: span)
                _ = message.username(in: span)
                _ = message.errorReason(in: span)
                // Reading from another datagram is wrong, not deadly.
                let other = Array(bytes.prefix(8))
                _ = message.username(in: other)
                _ = message.hasValidIntegrity(in: other, key: key)
            }
            _ = STUNUsername.localUfrag(ofBindingRequest: span)
        }
    }
}
