import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

@Suite struct PolicyTests {
    @Test(
        "Peers that are not on the internet are refused, in every disguise",
        arguments: [
            "127.0.0.1", "127.255.0.1", "0.0.0.0", "0.1.2.3", "10.1.2.3", "172.16.0.1", "172.31.255.255",
            "192.168.1.1", "100.64.0.1", "100.127.255.255", "169.254.169.254", "169.254.0.1", "224.0.0.1",
            "239.1.1.1", "255.255.255.255", "240.0.0.1", "198.18.0.1", "168.63.129.16", "::", "::1", "fe80::1",
            "fec0::1", "ff02::1", "fc00::1", "fd00:ec2::254", "2001:db8::1", "100::1", "::ffff:127.0.0.1",
            "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:192.168.0.1",
            "64:ff9b::169.254.169.254", "64:ff9b::10.0.0.1", "64:ff9b:1::10.0.0.1", "64:ff9b:1:a00:1::",
            "2002:a00:1::1",
            "2002:7f00:1::", "2001:0:a00:1::1", "2001::f5ff:fffe",
        ]
    )
    func refused(_ ip: String) throws {
        let peer = try #require(TransportAddress(ip: ip, port: 50_000))
        #expect(!TURNPeerFilter().allows(peer))
    }

    @Test(
        "Peers on the internet are allowed",
        arguments: ["8.8.8.8", "172.32.0.1", "100.128.0.1", "2600::1", "64:ff9b::808:808"]
    )
    func allowed(_ ip: String) throws {
        let peer = try #require(TransportAddress(ip: ip, port: 50_000))
        #expect(TURNPeerFilter().allows(peer) && !TURNPeerFilter().allows(peer.withPort(0)))
    }

    @Test("What is allowed by name wins, what is denied by name loses, and of this server only relays are reached")
    func rules() throws {
        var filter = TURNPeerFilter(allowed: [try #require(TURNAddressRange("127.0.0.0/8"))])
        #expect(filter.allows(VirtualServer.address("127.0.0.1", 1)))
        filter.denied = [try #require(TURNAddressRange("8.8.0.0/16"))]
        #expect(!filter.allows(VirtualServer.address("8.8.8.8", 1)))
        #expect(!filter.allows(VirtualServer.address("64:ff9b::808:808", 1)))
        filter.ownAddresses = [VirtualServer.address("9.9.9.9", 3478), VirtualServer.address("9.9.9.9", 50_001)]
        filter.ownAddresses.append(VirtualServer.address("9.9.9.10", 0))
        filter.relayAddresses = [VirtualServer.address("9.9.9.9", 0)]
        #expect(!filter.allows(VirtualServer.address("9.9.9.9", 3478)))
        #expect(filter.allows(VirtualServer.address("9.9.9.9", 50_000)))
        #expect(!filter.allows(VirtualServer.address("9.9.9.9", 50_001)), "a listener")
        #expect(!filter.allows(VirtualServer.address("9.9.9.10", 50_000)), "no relay is there")
        #expect(!filter.allows(VirtualServer.address("::ffff:9.9.9.9", 50_000)))
        #expect(!filter.allows(VirtualServer.address("::9.9.9.9", 50_000)))
    }

    @Test("A Send indication does not reach a service of this server through a permission for its relays")
    func ownServices() {
        var configuration = VirtualServer.standard()
        configuration.peerFilter.relayAddresses = [VirtualServer.address("9.9.9.9", 0)]
        let client = VirtualClient(VirtualServer(configuration))
        client.allocate()
        let relay = VirtualServer.address("9.9.9.9", 50_000)
        #expect(client.permit(relay)?.isSuccess == true)
        #expect(client.server.receive(client.sendIndication([1], to: relay), from: client.tuple) != nil)
        let service = client.sendIndication([1], to: relay.withPort(22))
        #expect(client.server.receive(service, from: client.tuple) == nil)
    }

    @Test("Ranges are read in CIDR notation")
    func ranges() {
        #expect(TURNAddressRange("10.0.0.0/33") == nil && TURNAddressRange("x/8") == nil)
        #expect(TURNAddressRange("10.0.0.0/8/8") == nil && TURNAddressRange("::/129") == nil)
        #expect(TURNAddressRange("0.0.0.0/0")?.contains(VirtualServer.address("255.1.1.1", 1)) == true)
        #expect(TURNAddressRange("2600::/68")?.contains(VirtualServer.address("2600::fff:0:0:1", 1)) == true)
        #expect(TURNAddressRange("2600::/68")?.contains(VirtualServer.address("2600::1000:0:0:1", 1)) == false)
        #expect(TURNAddressRange("1.2.3.4")?.description == "1.2.3.4/32")
    }

    @Test("Addresses without credentials get few and short answers")
    func amplification() throws {
        var configuration = VirtualServer.standard()
        configuration.unauthenticatedResponsesPerSecond = 10
        let client = VirtualClient(VirtualServer(configuration))
        var answers = 0
        for _ in 0..<1_000 {
            if let answer = client.send(client.request(.allocate)) {
                answers += 1
                #expect(answer.bytes.count <= 160)
            }
        }
        #expect(answers == 10 && client.server.core.counters.suppressedResponses == 990)
        client.server.advance(seconds: 1)
        #expect(client.allocate()?.isSuccess == true)
    }

    @Test("The owner is asked about unknown users, once for each request, and a bound holds")
    func owner() throws {
        var configuration = VirtualServer.standard()
        configuration.authentication = .credentials(TURNCredentialSources(asksOwner: true))
        configuration.pendingAuthentications = 2
        let server = VirtualServer(configuration)
        let clients = (1...3).map { VirtualClient(server, VirtualServer.client($0)) }
        for client in clients { client.nonce = client.send(client.request(.allocate))?.nonce }
        let requests = clients.map { $0.request(.allocate) { $0.appendRequestedTransport(.udp) } }
        for (client, request) in zip(clients, requests) {
            client.send(request)
            client.send(request)
        }
        #expect(server.questions.map(\.username) == ["alice", "alice"])
        #expect(server.core.counters.authenticationsDropped == 2)
        server.core.authenticated(1, .password(username: "alice", password: "wonder"), now: server.now)
        server.drain()
        #expect(server.core.allocationCount == 1)
        // The key is known now, so the owner is not asked again.
        #expect(clients[0].refresh(600)?.isSuccess == true && server.questions.count == 2)
        server.core.authenticated(2, .unknown, now: server.now)
        server.drain()
        #expect(server.sent.last.flatMap { ReadMessage($0.bytes) }?.code == 401)
        clients[2].send(requests[2])
        server.advance(seconds: 10)
        server.core.authenticated(3, .password(username: "alice", password: "wonder"), now: server.now)
        #expect(server.core.allocationCount == 1)
    }

    @Test("Time-limited credentials are good until they end, under any of the secrets, and count for their user")
    func timeLimited() {
        var configuration = VirtualServer.standard()
        configuration.authentication = .credentials(TURNCredentialSources(sharedSecrets: ["new", "old"]))
        let server = VirtualServer(configuration, limits: .init(allocationsPerUser: 2))
        var answers: [Int?] = []
        for (number, secret, seconds) in [
            (1, "new", 60), (2, "old", 70), (3, "new", 80), (4, "other", 60), (5, "new", 0),
        ] {
            let credential = TURNRESTCredential(
                user: "carol",
                secret: secret,
                expiresAt: server.unixTime + Int64(seconds)
            )
            let client = VirtualClient(
                server,
                VirtualServer.client(UInt16(number)),
                credential.username,
                credential.password
            )
            answers.append(client.allocate()?.code)
        }
        #expect(answers == [nil, nil, 486, 401, 401])
    }

    @Test("Behaviour discovery answers from where it is asked to")
    func behaviourDiscovery() throws {
        var configuration = TURNServerCoreConfiguration()
        let (first, other) = (VirtualServer.serverAddress, VirtualServer.address("198.18.0.2", 3479))
        configuration.otherAddresses = [first: other]
        let client = VirtualClient(VirtualServer(configuration))
        let plain = try #require(client.send(client.request(.binding)))
        #expect(plain.message.mappedAddress == client.tuple.client)
        #expect(plain.attributes.responseOrigin == first && plain.attributes.otherAddress == other)
        for (change, origin) in [
            (STUNChangeRequest.changeIP, other.withPort(3478)), (.changePort, first.withPort(3479)),
            (STUNChangeRequest([.changeIP, .changePort]), other),
        ] {
            let answer = try #require(client.send(client.request(.binding) { $0.appendChangeRequest(change) }))
            #expect(answer.attributes.responseOrigin == origin && client.server.sent.last?.origin == origin)
        }
        client.send(client.request(.binding) { $0.appendResponsePort(9_999) })
        #expect(client.server.sent.last?.client.client == client.tuple.client.withPort(9_999))
        let padded = client.send(client.request(.binding) { $0.appendPadding(size: 1_000) })
        #expect(padded?.attributes.paddingSize == 1_000)
        let both = client.request(.binding) { builder in
            builder.appendPadding(size: 10)
            builder.appendResponsePort(9)
        }
        #expect(client.send(both)?.code == 400)
        #expect(client.send(client.request(.allocate)) == nil, "a STUN server does not relay")
    }

    @Test("An open relay serves everybody, and counts by address")
    func anyone() {
        var configuration = VirtualServer.standard()
        configuration.authentication = .anyone
        let server = VirtualServer(configuration, limits: .init(allocationsPerUser: 1))
        #expect(VirtualClient(server, VirtualServer.client(1)).allocate()?.isSuccess == true)
        #expect(VirtualClient(server, VirtualServer.client(2)).allocate()?.code == 486)
    }
}
