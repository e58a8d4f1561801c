import NIOCore
import NIOPosix
import RTCBase
import RTCCore
import RTCICE
import Synchronization
import Testing

@testable import WebRTC

@Suite("Networks", .serialized)
struct NetworkTests {
    /// Exchanges complete descriptions and waits for the channel.
    private func connect(_ offerer: RTCPeerConnection, _ answerer: RTCPeerConnection) async throws -> RTCDataChannel {
        let channel = try await offerer.createDataChannel("data")
        try await offerer.setLocalDescription()
        try await answerer.setRemoteDescription(try await offerer.gatheredDescription())
        try await answerer.setLocalDescription()
        try await offerer.setRemoteDescription(try await answerer.gatheredDescription())
        try await channel.waitUntilOpen()
        return channel
    }

    private func echo(_ connection: RTCPeerConnection) -> Task<Void, any Error> {
        Task {
            for await case .dataChannel(let channel) in connection.events {
                for try await message in channel.messages { try await channel.send(message) }
            }
        }
    }

    private func roundTrip(_ channel: RTCDataChannel, _ text: String) async throws {
        try await channel.send(text)
        for try await message in channel.messages {
            #expect(message == .text(text))
            return
        }
    }

    @Test(
        "an endpoint takes peers over TCP on its one port, whichever event loop they belong to",
        .timeLimit(.minutes(1))
    )
    func tcpEndpoint() async throws {
        var configuration = WebRTCEndpoint.Configuration()
        configuration.addressPolicy.addresses = ["127.0.0.1"]
        configuration.addressPolicy.tcp = .passive
        let endpoint = try await WebRTCEndpoint.bind(configuration)
        var policy = RTCAddressPolicy()
        policy.addresses = ["127.0.0.1"]
        policy.tcp = .active
        policy.usesUDP = false
        var open: [(RTCPeerConnection, RTCDataChannel, Task<Void, any Error>)] = []
        for _ in 0..<8 {
            let client = try RTCPeerConnection(addressPolicy: policy)
            let server = try endpoint.makePeerConnection()
            let echoing = self.echo(server)
            open.append((client, try await self.connect(client, server), echoing))
        }
        for (number, (client, channel, _)) in open.enumerated() {
            try await self.roundTrip(channel, "message \(number)")
            let pair = client.sctp?.transport.iceTransport.getSelectedCandidatePair()
            #expect(pair?.local.protocol == .tcp)
            #expect(pair?.remote.port == endpoint.port)
        }
        for (client, _, echoing) in open {
            await client.close()
            echoing.cancel()
        }
        await endpoint.close()
    }

    @Test("sockets stay within the range of ports", .timeLimit(.minutes(1)))
    func portRange() async throws {
        var policy = RTCAddressPolicy()
        policy.addresses = ["127.0.0.1"]
        policy.portRange = 41_000...41_020
        policy.tcp = .passive
        let connections = try (0..<4).map { _ in try RTCPeerConnection(addressPolicy: policy) }
        for connection in connections {
            _ = try await connection.createDataChannel("data")
            try await connection.setLocalDescription()
            let sdp = try await connection.gatheredDescription().sdp
            let ports = sdp.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("a=candidate:") }
                .compactMap { Int($0.split(separator: " ")[5]) }
            #expect(ports.count == 2)
            #expect(ports.allSatisfy { (41_000...41_020).contains($0) }, "\(ports)")
        }
        for connection in connections { await connection.close() }
    }

    @Test("rules rewrite what is announced of an interface")
    func rewriteRules() {
        NetworkInterface.substitute.withLock {
            $0 = [
                NetworkInterface(name: "eth0", address: TransportAddress(ipv4: 0x0A00_0001, port: 0)),
                NetworkInterface(name: "eth1", address: TransportAddress(ipv4: 0xC0A8_0101, port: 0)),
                NetworkInterface(name: "docker0", address: TransportAddress(ipv4: 0xAC11_0001, port: 0)),
            ]
        }
        defer { NetworkInterface.substitute.withLock { $0 = nil } }
        var policy = RTCAddressPolicy()
        policy.rewriteRules = [
            RTCAddressRewrite(interface: "eth0", announced: ["203.0.113.9"]),
            RTCAddressRewrite(localAddress: "192.168.1.1", announced: ["203.0.113.10"], keepsLocal: true),
            RTCAddressRewrite(interface: "docker*", announced: []),
        ]
        let bases = policy.localAddresses().map { $0.withPort(5_000) }
        let told = policy.hostAddresses(udp: bases, tcp: []).map { $0.announced.map(\.description) }
        #expect(told == [["203.0.113.9:5000"], ["203.0.113.10:5000", "192.168.1.1:5000"], []])
        policy.includedInterfaces = ["eth*"]
        policy.excludedInterfaces = ["eth1"]
        #expect(policy.localAddresses().map(\.ip) == ["10.0.0.1"])
        policy.rewriteRules = [RTCAddressRewrite(announced: ["nowhere"])]
        #expect(throws: RTCError.self) { try policy.validate() }
    }

    @Test("rules hide the local address of active TCP candidates too")
    func rewrittenActive() {
        var policy = RTCAddressPolicy()
        policy.tcp = .active
        policy.announcedAddresses = ["203.0.113.9"]
        let hosts = policy.hostAddresses(udp: [TransportAddress(ipv4: 0x0A00_0001, port: 5_000)], tcp: [])
        #expect(hosts.map { $0.announced.map(\.description) }.allSatisfy { !$0.joined().contains("10.0.0.1") })
        #expect(hosts.last?.announced.map(\.ip) == ["203.0.113.9"])
        #expect(hosts.last?.base.ip == "10.0.0.1")
    }

    @Test("only addresses of families that this host has are asked, and loopback stays while it is there")
    func families() {
        func interface(_ address: TransportAddress) -> NetworkInterface {
            NetworkInterface(name: "eth0", address: address)
        }
        let loopback = TransportAddress(ipv4: 0x7F00_0001, port: 0)
        let server4 = TransportAddress(ipv4: 0xCB00_7101, port: 3478)
        let server6 = TransportAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1, port: 3478)
        let own4 = TransportAddress(ipv4: 0x0A00_0001, port: 0)
        let linkLocal = TransportAddress(ipv6High: 0xFE80_0000_0000_0000, low: 1, port: 0)
        NetworkInterface.substitute.withLock { $0 = [interface(loopback), interface(own4), interface(linkLocal)] }
        defer { NetworkInterface.substitute.withLock { $0 = nil } }
        var policy = RTCAddressPolicy()
        #expect(policy.reachable([server6, server4]) == [server4])
        #expect(!policy.localAddresses().contains(loopback))
        #expect(policy.keeps(loopback.withPort(5_000), wanted: policy.localAddresses()))
        #expect(!policy.keeps(TransportAddress(ipv4: 0x0A00_0002, port: 1), wanted: policy.localAddresses()))
        let own6 = TransportAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 9, port: 0)
        NetworkInterface.substitute.withLock { $0 = [interface(own4), interface(own6)] }
        #expect(policy.reachable([server6, server4]) == [server6, server4])
        policy.includesIPv6 = false
        #expect(policy.reachable([server6, server4]) == [server4])
    }

    @Test("while the system tells no interfaces, those last seen stay")
    func failedLook() {
        let before = NetworkInterface.current()
        #expect(!before.isEmpty)
        #expect(NetworkInterface.current { throw IOError(errnoCode: 24, reason: "getifaddrs") } == before)
    }

    @Test("a connection moves to an address that appears when its own vanishes", .timeLimit(.minutes(1)))
    func roaming() async throws {
        func lo(_ ip: UInt32) -> NetworkInterface {
            NetworkInterface(name: "lo", address: TransportAddress(ipv4: ip, port: 0))
        }
        NetworkInterface.substitute.withLock { $0 = [lo(0x7F00_0001)] }
        defer { NetworkInterface.substitute.withLock { $0 = nil } }
        let client = try RTCPeerConnection()
        var fixed = RTCAddressPolicy()
        fixed.addresses = ["127.0.0.1"]
        let server = try RTCPeerConnection(addressPolicy: fixed)
        let echoing = self.echo(server)
        let channel = try await self.connect(client, server)
        try await self.roundTrip(channel, "before")
        NetworkInterface.substitute.withLock { $0 = [lo(0x7F00_0001), lo(0x7F00_0002)] }
        InterfaceMonitor.shared.look()
        NetworkInterface.substitute.withLock { $0 = [lo(0x7F00_0002)] }
        InterfaceMonitor.shared.look()
        try await self.roundTrip(channel, "after")
        // The peer learnt of the address by checks: the end of candidates had been told. A restart tells it the rest.
        var requests = 0
        for await event in client.events {
            if case .iceCandidate(let candidate?) = event { #expect(candidate.address != "127.0.0.2") }
            if case .negotiationNeeded = event { requests += 1 }
            if requests == 2 { break }
        }
        #expect(server.sctp?.transport.iceTransport.getSelectedCandidatePair()?.remote.address == "127.0.0.2")
        await client.close()
        await server.close()
        echoing.cancel()
    }

    @Test("a server's port where nobody listens is an error at once", .timeLimit(.minutes(1)))
    func deadPort() async throws {
        // The port is kept by a socket that hears one peer only: the kernel tells others that nobody listens, and gives it to nobody.
        let taken = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        try await taken.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 9)).get()
        let port = try #require(taken.localAddress?.port)
        let server = RTCIceServer(urls: ["turn:127.0.0.1:\(port)"], username: "user", credential: "password")
        let client = try RTCPeerConnection(configuration: RTCConfiguration(iceServers: [server]))
        _ = try await client.createDataChannel("data")
        try await client.setLocalDescription()
        for await case .iceCandidateError(let error) in client.events {
            #expect(error.errorCode == 701 && error.errorText.contains("Nobody listens"), "\(error)")
            break
        }
        await client.close()
        try await taken.close()
    }

    @Test("names take the place of addresses, and lead to them", .timeLimit(.minutes(1)))
    func hiddenAddresses() async throws {
        NetworkInterface.substitute.withLock {
            $0 = [NetworkInterface(name: "lo", address: TransportAddress(ipv4: 0x7F00_0001, port: 0))]
        }
        defer { NetworkInterface.substitute.withLock { $0 = nil } }
        var policy = RTCAddressPolicy()
        policy.hidesAddresses = true
        let client = try RTCPeerConnection(addressPolicy: policy)
        let server = try RTCPeerConnection(addressPolicy: policy)
        let echoing = self.echo(server)
        let channel = try await self.connect(client, server)
        try await self.roundTrip(channel, "hidden")
        let sdp = try #require(client.localDescription?.sdp)
        let candidate = try #require(sdp.split(whereSeparator: \.isNewline).first { $0.hasPrefix("a=candidate:") })
        #expect(candidate.split(separator: " ")[4].hasSuffix(".local"))
        #expect(!sdp.contains("127.0.0.1 ") || sdp.contains("o=- "))
        await client.close()
        await server.close()
        echoing.cancel()
    }

    @Test("a diagnosis tells of both sides in words", .timeLimit(.minutes(1)))
    func diagnosis() async throws {
        var policy = RTCAddressPolicy()
        policy.addresses = ["127.0.0.1"]
        let client = try RTCPeerConnection(addressPolicy: policy)
        _ = try await client.createDataChannel("data")
        try await client.setLocalDescription()
        _ = try await client.gatheredDescription()
        let alone = try #require(await client.diagnose())
        #expect(alone.problems == [.noRemoteDescription])
        #expect(alone.localCandidates.count == 1)
        let server = try RTCPeerConnection(addressPolicy: policy)
        let echoing = self.echo(server)
        try await server.setRemoteDescription(try await client.gatheredDescription())
        try await server.setLocalDescription()
        try await client.setRemoteDescription(try await server.gatheredDescription())
        for await case .connectionStateChange(.connected) in client.events { break }
        let connected = try #require(await client.diagnose())
        #expect(connected.problems.isEmpty)
        #expect(connected.pairs.contains { $0.isSelected && $0.state == "succeeded" })
        #expect(connected.description.contains("host udp 127.0.0.1"))
        await client.close()
        await server.close()
        echoing.cancel()
        #expect(await client.diagnose() == nil)
    }
}
