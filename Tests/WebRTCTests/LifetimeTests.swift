import Testing

@testable import WebRTC

@Suite("Lifetime", .serialized)
struct LifetimeTests {
    @Test("a closed connection is freed though nobody read its events", .timeLimit(.minutes(2)))
    func unreadEvents() async throws {
        weak var offerer: PeerShared?
        weak var answerer: PeerShared?
        try await self.exchange { near, far in
            offerer = near.shared
            answerer = far.shared
        }
        #expect(await Eventually.holds { offerer == nil && answerer == nil })
    }

    @Test("a connection that its endpoint closed is freed, and so is the endpoint", .timeLimit(.minutes(2)))
    func endpoint() async throws {
        weak var connection: PeerShared?
        weak var endpoint: WebRTCEndpoint?
        try await self.serve { served, by in
            connection = served.shared
            endpoint = by
        }
        #expect(await Eventually.holds { connection == nil && endpoint == nil })
    }

    /// Connects a client to an endpoint, which then ends with the connection open.
    private func serve(_ look: (RTCPeerConnection, WebRTCEndpoint) -> Void) async throws {
        var configuration = WebRTCEndpoint.Configuration()
        configuration.addressPolicy.addresses = ["127.0.0.1"]
        let endpoint = try await WebRTCEndpoint.bind(configuration)
        let server = try endpoint.makePeerConnection()
        look(server, endpoint)
        let client = try RTCPeerConnection(addressPolicy: configuration.addressPolicy)
        let channel = try await client.createDataChannel("unread")
        try await client.setLocalDescription()
        try await server.setRemoteDescription(client.gatheredDescription())
        try await server.setLocalDescription()
        try await client.setRemoteDescription(server.gatheredDescription())
        try await channel.waitUntilOpen()
        await endpoint.close()
        await client.close()
    }

    /// Opens a channel, so that the other side has an event with a channel in it, and closes both connections.
    private func exchange(_ look: (RTCPeerConnection, RTCPeerConnection) -> Void) async throws {
        var policy = RTCAddressPolicy()
        policy.addresses = ["127.0.0.1"]
        let near = try RTCPeerConnection(addressPolicy: policy)
        let far = try RTCPeerConnection(addressPolicy: policy)
        look(near, far)
        let channel = try await near.createDataChannel("unread")
        try await near.setLocalDescription()
        try await far.setRemoteDescription(near.gatheredDescription())
        try await far.setLocalDescription()
        try await near.setRemoteDescription(far.gatheredDescription())
        try await channel.waitUntilOpen()
        await near.close()
        await far.close()
    }
}
