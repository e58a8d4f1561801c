import NIOCore
import RTCBase
import RTCSTUN
import RTCTURN
import Testing

@Suite struct AttributeTests {
    private static let id = STUNTransactionID(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c)

    private static func message(
        _ method: STUNMethod = .allocate,
        _ build: (inout STUNMessageBuilder) -> Void
    ) throws -> ReadMessage {
        var builder = STUNMessageBuilder(.request, method, self.id)
        build(&builder)
        return try #require(ReadMessage(builder.finish().bytes))
    }

    @Test("What is written is read again, attribute by attribute")
    func everyAttribute() throws {
        let v4 = try #require(TransportAddress(ip: "192.0.2.7", port: 3478))
        let v6 = try #require(TransportAddress(ip: "2001:db8::7", port: 49152))
        let channel = try #require(TURNChannelNumber(rawValue: 0x4ABC))
        let read = try Self.message { builder in
            builder.appendChannelNumber(channel)
            builder.appendLifetime(1_200)
            builder.append(.xorPeerAddress, address: v4)
            builder.append(.xorPeerAddress, address: v6)
            builder.append(.data, bytes: [1, 2, 3])
            builder.append(.xorRelayedAddress, address: v4)
            builder.append(.xorRelayedAddress, address: v6)
            builder.appendRequestedAddressFamily(.ipv6)
            builder.appendAdditionalAddressFamily(.ipv6)
            builder.appendAddressErrorCode(.init(family: .ipv6, code: .addressFamilyNotSupported))
            builder.appendEvenPort(reservesNext: true)
            builder.appendRequestedTransport(.udp)
            builder.append(.dontFragment)
            builder.append(.reservationToken, integer: UInt64(0x1122_3344_5566_7788))
            builder.appendICMP(TURNICMP(type: 3, code: 4, data: 1_280))
            builder.append(.connectionID, integer: UInt32(0xCAFE))
            builder.appendPasswordAlgorithms([.sha256, .md5])
            builder.appendPasswordAlgorithm(.sha256)
            builder.append(.userhash, bytes: [UInt8](repeating: 9, count: 32))
            builder.append(.alternateDomain, text: "turn.example.org")
            builder.appendChangeRequest([.changeIP, .changePort])
            builder.appendPadding(size: 100)
            builder.appendResponsePort(5_000)
            builder.append(.responseOrigin, address: v4)
            builder.append(.otherAddress, address: v6)
        }
        let attributes = read.attributes
        #expect(attributes.malformed.isEmpty && attributes.unknownRequired.isEmpty)
        #expect(attributes.channelNumber == 0x4ABC && attributes.lifetime == 1_200)
        #expect(attributes.peerAddresses == [v4, v6])
        #expect(read.data == [1, 2, 3])
        #expect(attributes.relayedAddress == v4 && attributes.additionalRelayedAddress == v6)
        #expect(attributes.requestedAddressFamily == 2 && attributes.additionalAddressFamily == 2)
        #expect(attributes.addressError == .init(family: .ipv6, code: .addressFamilyNotSupported))
        #expect(attributes.evenPort == true && attributes.dontFragment)
        #expect(attributes.requestedTransport == TURNRelayTransport.udp.rawValue)
        #expect(attributes.reservationToken == 0x1122_3344_5566_7788)
        #expect(attributes.icmp == TURNICMP(type: 3, code: 4, data: 1_280))
        #expect(attributes.connectionID == 0xCAFE)
        #expect(read.passwordAlgorithms == [.sha256, .md5] && attributes.passwordAlgorithm == .sha256)
        #expect(read.userhash?.count == 32 && read.alternateDomain == "turn.example.org")
        #expect(attributes.changeRequest == [.changeIP, .changePort])
        #expect(attributes.paddingSize == 100 && attributes.responsePort == 5_000)
        #expect(attributes.responseOrigin == v4 && attributes.otherAddress == v6)
    }

    @Test("Attributes behind MESSAGE-INTEGRITY count for nothing")
    func behindIntegrity() throws {
        let read = try Self.message { builder in
            builder.appendLifetime(60)
            builder.appendIntegrity(STUNIntegrityKey(bytes: [1]))
            builder.append(.dontFragment)
            builder.append(STUNAttributeType(rawValue: 0x7777))
        }
        #expect(read.attributes.lifetime == 60 && read.attributes.hasMessageIntegrity)
        #expect(!read.attributes.dontFragment && read.attributes.unknownRequired.isEmpty)
    }

    @Test("Impossible values are listed and count for nothing")
    func malformed() throws {
        let types: [STUNAttributeType] = [
            .channelNumber, .lifetime, .xorPeerAddress, .xorRelayedAddress, .requestedAddressFamily, .evenPort,
            .requestedTransport, .dontFragment, .reservationToken, .icmp, .connectionID, .changeRequest, .userhash,
            .passwordAlgorithm, .responsePort,
        ]
        let read = try Self.message { builder in
            for type in types { builder.append(type, bytes: [1, 2, 3, 4, 5]) }
        }
        #expect(read.attributes.malformed == types)
        #expect(read.attributes.peerAddresses.isEmpty && read.attributes.userhashRange == nil)
    }

    @Test("Unknown attributes that must be understood are told from those that need not be")
    func unknown() throws {
        let read = try Self.message { builder in
            builder.append(STUNAttributeType(rawValue: 0x7777), bytes: [])
            builder.append(STUNAttributeType(rawValue: 0xC001), bytes: [])
            builder.append(.dontFragment)
        }
        #expect(read.attributes.unknownRequired.map(\.rawValue) == [0x7777])
    }

    @Test("A broken list of algorithms is no list, and unknown ones are left out")
    func algorithms() throws {
        #expect(STUNPasswordAlgorithm.list(from: [UInt8]([0, 1, 0]).span.bytes) == nil)
        #expect(STUNPasswordAlgorithm.list(from: [UInt8]([0, 1, 0, 9, 1, 1]).span.bytes) == nil)
        #expect(STUNPasswordAlgorithm.list(from: [UInt8]([0, 9, 0, 2, 7, 7, 0, 0, 0, 1, 0, 0]).span.bytes) == [.md5])
    }

    @Test("Only numbers from 0x4000 to 0x7FFF are channels, and every code has a reason")
    func tables() {
        #expect(TURNChannelNumber(rawValue: 0x3FFF) == nil && TURNChannelNumber(rawValue: 0x8000) == nil)
        #expect(TURNErrorCode.all.allSatisfy { !$0.reason.isEmpty })
        #expect(TURNErrorCode.all.map(\.rawValue) == TURNErrorCode.all.map(\.rawValue).sorted())
    }
}
