import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

@Suite struct RelayingTests {
    private static let peer = VirtualServer.peer

    private static func deliver(_ client: VirtualClient, from peer: TransportAddress, _ data: [UInt8]) -> [UInt8]? {
        guard let relay = client.server.relays.keys.first(where: { client.server.relays[$0]?.family == peer.family }),
            let delivery = client.server.core.deliver(relay, from: peer, count: data.count, now: client.server.now)
        else { return nil }
        var head = [UInt8](repeating: 0, count: delivery.headerSize)
        head.withUnsafeMutableBytes { delivery.writeHeader(to: $0, payloadCount: data.count) }
        return head + data + [UInt8](repeating: 0, count: delivery.paddingSize(forPayloadOf: data.count))
    }

    @Test("A Data indication's header is what the builder makes", arguments: ["8.8.8.8", "2600::1:2"], [0, 1, 1_000])
    func dataHeader(ip: String, count: Int) {
        let id = STUNTransactionID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C)
        let peer = VirtualServer.address(ip, 5_000)
        let delivery = TURNDelivery(client: VirtualServer.client(), channel: nil, peer: peer, transactionID: id)
        let data = [UInt8](repeating: 7, count: count)
        var message = [UInt8](repeating: 0, count: delivery.headerSize)
        message.withUnsafeMutableBytes { delivery.writeHeader(to: $0, payloadCount: count) }
        message += data + [UInt8](repeating: 0, count: delivery.paddingSize(forPayloadOf: count))
        var builder = STUNMessageBuilder(.indication, .data, id)
        builder.append(.xorPeerAddress, address: peer)
        builder.append(.data, bytes: data)
        #expect(message == builder.finish().bytes)
    }

    @Test("An allocation has a relayed and a mapped address, and an answer that the client can check")
    func allocation() throws {
        let client = VirtualClient(VirtualServer())
        let challenge = try #require(client.send(client.request(.allocate)))
        #expect(challenge.realm == "example.org" && challenge.passwordAlgorithms == [.sha256, .md5])
        #expect(STUNNonceCookie.features(of: challenge.nonce ?? "") == .passwordAlgorithms)
        let answer = try #require(client.allocate())
        #expect(answer.attributes.relayedAddress?.ip == VirtualServer.relayIP)
        #expect(answer.message.mappedAddress == client.tuple.client)
        #expect(answer.attributes.lifetime == 600)
        #expect(answer.isIntact(client.credential.integrityKey(.md5)))
    }

    @Test("SHA-256 keys and hidden user names are taken, and answered with SHA-256")
    func sha256() throws {
        let client = VirtualClient(VirtualServer())
        client.algorithm = .sha256
        client.sendsUserhash = true
        let answer = try #require(client.allocate())
        #expect(answer.isSuccess && answer.attributes.hasMessageIntegritySHA256)
        #expect(answer.isIntact(client.credential.integrityKey(.sha256)))
        #expect(client.refresh(700)?.attributes.lifetime == 700)
    }

    @Test("A request that was sent twice is answered twice and done once")
    func retransmission() throws {
        let client = VirtualClient(VirtualServer())
        client.nonce = client.send(client.request(.allocate))?.nonce
        let request = client.request(.allocate) { $0.appendRequestedTransport(.udp) }
        let first = try #require(client.send(request))
        #expect(client.send(request)?.bytes == first.bytes)
        #expect(client.server.core.allocationCount == 1 && client.server.relays.count == 1)
        client.server.holdsRelays = true
        let other = VirtualClient(client.server, VirtualServer.client(2))
        other.nonce = other.send(other.request(.allocate))?.nonce
        let held = other.request(.allocate) { $0.appendRequestedTransport(.udp) }
        #expect(other.send(held) == nil && other.send(held) == nil)
        #expect(client.server.core.allocationCount == 2)
        client.server.advance(seconds: 10)
        #expect(client.server.core.allocationCount == 1)
    }

    @Test("Send indications reach permitted peers only, and Data indications bring what those send")
    func indications() throws {
        let client = VirtualClient.allocated()
        let indication = client.sendIndication([1, 2, 3], to: Self.peer)
        #expect(client.server.receive(indication, from: client.tuple) == nil)
        #expect(Self.deliver(client, from: Self.peer, [9]) == nil)
        #expect(client.permit(Self.peer)?.isSuccess == true)
        let forward = try #require(client.server.receive(indication, from: client.tuple))
        #expect(forward.peer == Self.peer && Array(indication[forward.payload]) == [1, 2, 3])
        // Permissions are for an IP address, whatever the port.
        let data = try #require(Self.deliver(client, from: Self.peer.withPort(77), [9, 8, 7, 6, 5]))
        let message = try #require(ReadMessage(data))
        #expect(message.message.method == .data && message.message.messageClass == .indication)
        #expect(message.attributes.peerAddress == Self.peer.withPort(77) && message.data == [9, 8, 7, 6, 5])
        #expect(Self.deliver(client, from: VirtualServer.address("8.8.4.4", 1), [9]) == nil)
        #expect(client.server.core.counters.unpermitted == 3)
    }

    @Test("Data indications carry IPv6 peers too")
    func indicationsIPv6() throws {
        let client = VirtualClient(VirtualServer())
        client.allocate { $0.appendAdditionalAddressFamily(.ipv6) }
        let peer = VirtualServer.address("2600::77", 4_000)
        #expect(client.permit(peer, Self.peer)?.isSuccess == true)
        let data = try #require(Self.deliver(client, from: peer, [1, 2]))
        #expect(ReadMessage(data)?.attributes.peerAddress == peer)
    }

    @Test("Channels carry data both ways, padded over streams")
    func channels() throws {
        for transport in [TURNTransport.udp, .tcp] {
            let client = VirtualClient.allocated(transport)
            #expect(client.bind(0x4000, Self.peer)?.isSuccess == true)
            #expect(client.bind(0x4000, Self.peer)?.isSuccess == true, "binding again refreshes")
            let data = client.channelData([1, 2, 3], on: 0x4000)
            let forward = try #require(client.server.receive(data, from: client.tuple))
            #expect(forward.peer == Self.peer && Array(data[forward.payload]) == [1, 2, 3])
            let back = try #require(Self.deliver(client, from: Self.peer, [5, 6, 7]))
            #expect(back == [0x40, 0, 0, 3, 5, 6, 7] + (transport == .tcp ? [0] : []))
            #expect(client.server.receive(client.channelData([1], on: 0x4001), from: client.tuple) == nil)
        }
    }

    @Test("Permissions last five minutes and channels ten")
    func expiry() {
        let client = VirtualClient.allocated()
        client.server.advance(seconds: 100)
        _ = client.refresh(3_600)
        client.bind(0x4000, Self.peer)
        let data = client.channelData([1], on: 0x4000)
        client.server.advance(seconds: 299)
        #expect(client.server.receive(data, from: client.tuple) != nil)
        client.server.advance(seconds: 2)
        #expect(client.server.receive(data, from: client.tuple) == nil, "the permission is gone")
        client.permit(Self.peer)
        #expect(client.server.receive(data, from: client.tuple) != nil)
        client.server.advance(seconds: 290)
        client.permit(Self.peer)
        client.server.advance(seconds: 20)
        #expect(client.server.receive(data, from: client.tuple) == nil, "the channel is gone")
    }

    @Test("Allocations end when they are not refreshed, released or cut off")
    func lifetimes() {
        let client = VirtualClient.allocated()
        client.server.advance(seconds: 400)
        #expect(client.refresh(1_000)?.attributes.lifetime == 1_000)
        client.server.advance(seconds: 990)
        #expect(client.server.core.allocationCount == 1)
        client.server.advance(seconds: 12)
        #expect(client.server.core.allocationCount == 0 && client.server.relays.isEmpty)
        #expect(client.server.ends == [.expired] && client.server.ledger.allocationCount == 0)
        client.nonce = nil
        client.allocate()
        #expect(client.refresh(99_999)?.attributes.lifetime == 3_600)
        #expect(client.refresh(0)?.attributes.lifetime == 0)
        #expect(client.server.ends == [.expired, .released] && client.refresh(0)?.code == 437)
        let stream = VirtualClient.allocated(.tcp)
        stream.server.core.clientDisconnected(stream.tuple, now: stream.server.now)
        stream.server.drain()
        #expect(stream.server.ends == [.disconnected] && stream.server.relays.isEmpty)
    }

    @Test("A dual-stack allocation has both families, and they are refreshed and released apart")
    func dualStack() throws {
        let client = VirtualClient(VirtualServer())
        let answer = try #require(client.allocate { $0.appendAdditionalAddressFamily(.ipv6) })
        #expect(answer.attributes.relayedAddress?.family == .ipv4)
        #expect(answer.attributes.additionalRelayedAddress?.family == .ipv6)
        let released = client.ask(.refresh) { builder in
            builder.appendLifetime(0)
            builder.appendRequestedAddressFamily(.ipv4)
        }
        #expect(released?.isSuccess == true)
        #expect(client.server.relays.values.map(\.family) == [.ipv6])
        #expect(client.permit(Self.peer)?.code == 443)
        client.server.advance(seconds: 602)
        #expect(client.server.relays.isEmpty && client.server.core.allocationCount == 0)
    }

    @Test("Of two families the one that fails is told with its code")
    func addressErrors() throws {
        let client = VirtualClient(VirtualServer())
        client.server.relayErrors[.ipv6] = .insufficientCapacity
        let answer = try #require(client.allocate { $0.appendAdditionalAddressFamily(.ipv6) })
        #expect(answer.isSuccess)
        #expect(answer.attributes.addressError == .init(family: .ipv6, code: .insufficientCapacity))
        var configuration = VirtualServer.standard()
        configuration.relayFamilies = [.ipv4]
        let narrow = VirtualClient(VirtualServer(configuration))
        let half = try #require(narrow.allocate { $0.appendAdditionalAddressFamily(.ipv6) })
        #expect(half.attributes.addressError == .init(family: .ipv6, code: .addressFamilyNotSupported))
    }

    @Test("A reserved port is given to who has the token, for half a minute")
    func reservations() throws {
        let server = VirtualServer()
        let first = VirtualClient(server, VirtualServer.client(1))
        let answer = try #require(first.allocate { $0.appendEvenPort(reservesNext: true) })
        let token = try #require(answer.attributes.reservationToken)
        let port = try #require(answer.attributes.relayedAddress?.port)
        #expect(port % 2 == 0)
        let second = VirtualClient(server, VirtualServer.client(2))
        let next = second.allocate { $0.append(.reservationToken, integer: token) }
        #expect(next?.attributes.relayedAddress?.port == port + 1)
        let sixth = VirtualClient(server, VirtualServer.client(5))
        let even = sixth.allocate { builder in
            builder.appendEvenPort(reservesNext: true)
            builder.appendRequestedAddressFamily(.ipv6)
        }
        let tokenOfIPv6 = try #require(even?.attributes.reservationToken)
        let seventh = VirtualClient(server, VirtualServer.client(6))
        let odd = seventh.allocate { $0.append(.reservationToken, integer: tokenOfIPv6) }
        #expect(odd?.attributes.relayedAddress?.family == .ipv6)
        #expect(seventh.permit(VirtualServer.address("2600::1", 1))?.isSuccess == true)
        let third = VirtualClient(server, VirtualServer.client(3))
        let late = try #require(third.allocate { $0.appendEvenPort(reservesNext: true) }?.attributes.reservationToken)
        server.advance(seconds: 32)
        let fourth = VirtualClient(server, VirtualServer.client(4))
        #expect(fourth.allocate { $0.append(.reservationToken, integer: late) }?.code == 508)
    }

    @Test("DONT-FRAGMENT is passed on")
    func dontFragment() throws {
        let client = VirtualClient(VirtualServer())
        #expect(client.allocate { $0.append(.dontFragment) }?.isSuccess == true)
        client.permit(Self.peer)
        var builder = STUNMessageBuilder(.indication, .send, client.newID())
        builder.append(.xorPeerAddress, address: Self.peer)
        builder.append(.dontFragment)
        builder.append(.data, bytes: [1])
        #expect(client.server.receive(builder.finish().bytes, from: client.tuple)?.dontFragment == true)
    }

    @Test("ICMP errors about permitted peers are told")
    func icmp() throws {
        let client = VirtualClient.allocated()
        client.permit(Self.peer)
        client.server.sent.removeAll()
        let relay = try #require(client.server.relays.keys.first)
        let icmp = TURNICMP(type: 3, code: 4, data: 1_280)
        client.server.core.receiveICMP(icmp, about: Self.peer, on: relay, now: client.server.now)
        client.server.core.receiveICMP(
            icmp,
            about: VirtualServer.address("8.8.4.4", 1),
            on: relay,
            now: client.server.now
        )
        client.server.drain()
        let told = client.server.sent.compactMap { ReadMessage($0.bytes) }
        #expect(told.count == 1 && told.first?.attributes.icmp == icmp)
        #expect(told.first?.attributes.peerAddress == Self.peer)
    }

    @Test("What exceeds a bandwidth is dropped and counted, by allocation and by user")
    func bandwidth() {
        let client = VirtualClient.allocated(.udp) { $0.bytesPerSecondPerAllocation = 2_000 }
        client.bind(0x4000, Self.peer)
        let data = client.channelData([UInt8](repeating: 0, count: 1_000), on: 0x4000)
        let passed = (0..<5).count { _ in client.server.receive(data, from: client.tuple) != nil }
        #expect(passed == 2 && client.server.core.counters.overBandwidth == 3)
        client.server.advance(seconds: 1)
        #expect(client.server.receive(data, from: client.tuple) != nil)
        let server = VirtualServer(limits: .init(bytesPerSecondPerUser: 1_500))
        let both = [VirtualClient(server, VirtualServer.client(1)), VirtualClient(server, VirtualServer.client(2))]
        for client in both {
            client.allocate()
            client.bind(0x4000, Self.peer)
        }
        #expect(both.count { server.receive(data, from: $0.tuple) != nil } == 1)
    }
}
