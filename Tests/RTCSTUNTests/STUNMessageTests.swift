import NIOCore
import RTCBase
import RTCSTUN
import Testing

@Suite struct STUNMessageTests {
    @Test("The sample request of RFC 5769 is read whole")
    func sampleRequest() throws {
        let bytes = Vectors.request
        let message = try #require(STUNMessage(bytes))
        #expect(message.messageClass == .request)
        #expect(message.method == .binding)
        #expect(message.transactionID == STUNTransactionID(high: 0xb7e7_a701_bc34_d686, low: 0xfa87_dfae))
        #expect(message.software(in: bytes) == "STUN test client")
        #expect(message.username(in: bytes) == "evtj:h6vY")
        #expect(message.priority == 0x6e00_01ff)
        #expect(message.iceControlled == 0x932f_f9b1_5126_3b36)
        #expect(message.iceControlling == nil)
        #expect(!message.useCandidate)
        #expect(message.hasFingerprint)
        let key = STUNIntegrityKey(shortTermPassword: Vectors.password)
        #expect(message.hasValidIntegrity(in: bytes, key: key))
        #expect(
            !message.hasValidIntegrity(in: bytes, key: STUNIntegrityKey(shortTermPassword: "another"))
        )
        #expect(STUNUsername.localUfrag(ofBindingRequest: bytes) == "evtj")
    }

    @Test("The sample responses of RFC 5769 carry their addresses")
    func sampleResponses() throws {
        let key = STUNIntegrityKey(shortTermPassword: Vectors.password)
        for (bytes, ip) in [
            (Vectors.ipv4Response, "192.0.2.1"), (Vectors.ipv6Response, "2001:db8:1234:5678:11:2233:4455:6677"),
        ] {
            let message = try #require(STUNMessage(bytes))
            #expect(message.messageClass == .successResponse)
            #expect(message.mappedAddress == TransportAddress(ip: ip, port: 32853))
            #expect(message.hasValidIntegrity(in: bytes, key: key))
            #expect(STUNUsername.localUfrag(ofBindingRequest: bytes) == nil)
        }
    }

    @Test("The sample request with long-term credentials of RFC 5769 authenticates")
    func longTermRequest() throws {
        let bytes = Vectors.longTermRequest
        let message = try #require(STUNMessage(bytes))
        #expect(message.realm(in: bytes) == "example.org")
        #expect(message.nonce(in: bytes) == "f//499k954d6OL34oL9FSTvy64sA")
        let username = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}"
        #expect(message.username(in: bytes) == username)
        let key = STUNIntegrityKey(username: username, realm: "example.org", password: "TheMatrIX")
        #expect(message.hasValidIntegrity(in: bytes, key: key))
        #expect(!message.hasFingerprint)
    }

    @Test("What the builder writes is read back")
    func roundTrip() throws {
        var random = RandomSource.seeded(7)
        let id = STUNTransactionID.random(using: &random)
        let key = STUNIntegrityKey(shortTermPassword: "pass")
        let v4 = try #require(TransportAddress(ip: "203.0.113.9", port: 65535))
        let v6 = try #require(TransportAddress(ip: "2001:db8::7", port: 1))
        for address in [v4, v6] {
            var builder = STUNMessageBuilder(.errorResponse, .binding, id)
            builder.append(.username, text: "local:remote")
            builder.append(.priority, integer: UInt32(77))
            builder.append(.iceControlling, integer: UInt64(99))
            builder.append(.useCandidate)
            builder.append(.xorMappedAddress, address: address)
            builder.append(.alternateServer, address: address)
            builder.append(.realm, text: "r")
            builder.append(.nonce, text: "no")
            builder.appendErrorCode(487, reason: "Role Conflict")
            builder.appendUnknownAttributes([STUNAttributeType(rawValue: 0x7777)])
            builder.appendIntegrity(key)
            builder.appendIntegritySHA256(key)
            builder.appendFingerprint()
            let buffer = builder.finish()
            let span = buffer.bytes
            let message = try #require(STUNMessage(span))
            #expect(message.messageClass == .errorResponse)
            #expect(message.transactionID == id)
            #expect(message.username(in: span) == "local:remote")
            #expect(message.priority == 77)
            #expect(message.iceControlling == 99)
            #expect(message.useCandidate)
            #expect(message.mappedAddress == address)
            #expect(message.alternateServer == address)
            #expect(message.realm(in: span) == "r")
            #expect(message.nonce(in: span) == "no")
            #expect(message.errorCode == 487)
            #expect(message.errorReason(in: span) == "Role Conflict")
            #expect(message.unknownAttributes(in: span) == [STUNAttributeType(rawValue: 0x7777)])
            #expect(message.hasValidIntegrity(in: span, key: key))
            #expect(message.hasFingerprint)
        }
    }

    @Test("Every method and class survives the interleaving of their bits")
    func types() throws {
        for method in UInt16(0)...0xFFF {
            let id = STUNTransactionID(high: 1, low: 2)
            for messageClass in [STUNClass.request, .indication, .successResponse, .errorResponse] {
                var builder = STUNMessageBuilder(messageClass, STUNMethod(rawValue: method), id)
                let message = STUNMessage(builder.finish().bytes)
                #expect(message?.messageClass == messageClass && message?.method.rawValue == method)
            }
        }
    }

    @Test("Attributes behind MESSAGE-INTEGRITY count for nothing")
    func afterIntegrity() throws {
        let key = STUNIntegrityKey(shortTermPassword: "pass")
        var builder = STUNMessageBuilder(.request, .binding, STUNTransactionID(high: 1, low: 2))
        builder.append(.username, text: "a:b")
        builder.appendIntegrity(key)
        builder.append(.useCandidate)
        builder.append(.priority, integer: UInt32(1))
        builder.append(STUNAttributeType(rawValue: 0x7001), text: "x")
        builder.appendFingerprint()
        let buffer = builder.finish()
        let message = try #require(STUNMessage(buffer.bytes))
        #expect(message.hasValidIntegrity(in: buffer.bytes, key: key))
        #expect(!message.useCandidate)
        #expect(message.priority == nil)
        #expect(message.unknownComprehensionRequiredCount == 0)
    }

    @Test("Unknown attributes that must be understood are reported, the others ignored")
    func unknownAttributes() throws {
        var builder = STUNMessageBuilder(.request, .binding, STUNTransactionID(high: 1, low: 2))
        builder.append(STUNAttributeType(rawValue: 0xC057), integer: UInt32(3))
        builder.append(STUNAttributeType(rawValue: 0x7001), text: "x")
        builder.append(STUNAttributeType(rawValue: 0x0033))
        let buffer = builder.finish()
        let message = try #require(STUNMessage(buffer.bytes))
        #expect(message.unknownComprehensionRequiredCount == 2)
        #expect(
            message.unknownComprehensionRequired(in: buffer.bytes).map(\.rawValue) == [0x7001, 0x0033]
        )
    }

    @Test("Of two attributes of a type the first counts")
    func firstCounts() throws {
        var builder = STUNMessageBuilder(.request, .binding, STUNTransactionID(high: 1, low: 2))
        builder.append(.username, text: "first:x")
        builder.append(.username, text: "second:x")
        builder.append(.priority, integer: UInt32(1))
        builder.append(.priority, integer: UInt32(2))
        let buffer = builder.finish()
        let message = try #require(STUNMessage(buffer.bytes))
        #expect(message.username(in: buffer.bytes) == "first:x")
        #expect(message.priority == 1)
        #expect(STUNUsername.localUfrag(ofBindingRequest: buffer.bytes) == "first")
    }
}
