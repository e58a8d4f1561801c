import NIOCore
import Testing
import WebRTC

@Suite("Connections over loopback sockets", .serialized)
struct LoopbackTests {
    @Test("a client talks to an endpoint", .timeLimit(.minutes(1)))
    func clientAndEndpoint() async throws {
        var configuration = WebRTCEndpoint.Configuration()
        configuration.addressPolicy.addresses = ["127.0.0.1"]
        let endpoint = try await WebRTCEndpoint.bind(configuration)
        let server = try endpoint.makePeerConnection()
        let client = try RTCPeerConnection(addressPolicy: configuration.addressPolicy)
        let channel = try await client.createDataChannel("chat")
        try await connect(client, server)
        try await channel.waitUntilOpen()
        let echo = Task {
            for await event in server.events {
                guard case .dataChannel(let channel) = event else { continue }
                for try await message in channel.messages { try await channel.send(message) }
            }
        }
        try await channel.send("hello")
        try await channel.send([1, 2, 3])
        var received: [RTCDataChannelMessage] = []
        for try await message in channel.messages {
            received.append(message)
            if received.count == 2 { break }
        }
        #expect(received == [.text("hello"), .binary(ByteBuffer(bytes: [1, 2, 3]))])
        await client.close()
        await endpoint.close()
        echo.cancel()
        #expect(client.connectionState == .closed)
    }

    @Test(
        "a candidate that the kernel will not send to costs nobody their socket",
        .timeLimit(.minutes(1)),
        arguments: [true, false]
    )
    func refusedDestination(onEndpoint: Bool) async throws {
        var configuration = WebRTCEndpoint.Configuration()
        configuration.addressPolicy.addresses = ["127.0.0.1"]
        let endpoint = try await WebRTCEndpoint.bind(configuration)
        let policy = configuration.addressPolicy
        let server = try onEndpoint ? endpoint.makePeerConnection() : RTCPeerConnection(addressPolicy: policy)
        let client = try RTCPeerConnection(addressPolicy: policy)
        let channel = try await client.createDataChannel("chat")
        try await client.setLocalDescription()
        var offer = try await client.gatheredDescription()
        // Sending to a broadcast address is an error that closes sockets which do not expect it.
        let hostile = "a=candidate:9 1 udp 2130706431 127.255.255.255 9 typ host\r\n"
        // Behind the section's other lines.
        offer.sdp += hostile
        try await server.setRemoteDescription(offer)
        try await server.setLocalDescription()
        try await client.setRemoteDescription(try await server.gatheredDescription())
        try await channel.waitUntilOpen()
        let others = try endpoint.makePeerConnection()
        let second = try RTCPeerConnection(addressPolicy: policy)
        let secondChannel = try await second.createDataChannel("chat")
        try await self.connect(second, others)
        try await secondChannel.waitUntilOpen()
        for connection in [client, second] { await connection.close() }
        await server.close()
        await endpoint.close()
    }

    /// Exchanges complete descriptions.
    private func connect(_ offerer: RTCPeerConnection, _ answerer: RTCPeerConnection) async throws {
        try await offerer.setLocalDescription()
        let offer = try await offerer.gatheredDescription()
        try await answerer.setRemoteDescription(offer)
        try await answerer.setLocalDescription()
        let answer = try await answerer.gatheredDescription()
        try await offerer.setRemoteDescription(answer)
    }
}
