import RTCSCTP
import Testing
import WebRTC

@Suite("Many connections on one port", .serialized)
struct ManyConnectionsTests {
    @Test("a thousand connections are opened, used and closed without a leak", .timeLimit(.minutes(5)))
    func thousand() async throws {
        let associationsBefore = SCTPRuntime.activeAssociations
        var configuration = WebRTCEndpoint.Configuration()
        configuration.addressPolicy.addresses = ["127.0.0.1"]
        let policy = configuration.addressPolicy
        let endpoint = try await WebRTCEndpoint.bind(configuration)
        let clients = LiveObjects()
        let servers = LiveObjects()
        let total = 1_000
        let atOnce = 50
        for _ in 0..<(total / atOnce) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<atOnce {
                    group.addTask {
                        try await Self.echoOnce(endpoint, policy, clients, servers)
                    }
                }
                try await group.waitForAll()
            }
        }
        let connections = await endpoint.connectionCount()
        #expect(connections == 0)
        await endpoint.close()
        // What the last connections left on their event loops ends in its own time.
        let settled = await Eventually.holds {
            await clients.count + servers.count == 0 && SCTPRuntime.activeAssociations <= associationsBefore
        }
        let left = await (clients.count, servers.count, SCTPRuntime.activeAssociations - associationsBefore)
        #expect(settled, "\(left.0) clients, \(left.1) servers and \(left.2) associations live on")
    }

    private static func echoOnce(
        _ endpoint: WebRTCEndpoint,
        _ policy: RTCAddressPolicy,
        _ clients: LiveObjects,
        _ servers: LiveObjects
    ) async throws {
        let server = try endpoint.makePeerConnection()
        let client = try RTCPeerConnection(addressPolicy: policy)
        await servers.watch(server)
        await clients.watch(client)
        let channel = try await client.createDataChannel("echo")
        try await client.setLocalDescription()
        try await server.setRemoteDescription(client.gatheredDescription())
        try await server.setLocalDescription()
        try await client.setRemoteDescription(server.gatheredDescription())
        let echo = Task {
            for await case .dataChannel(let incoming) in server.events {
                for try await message in incoming.messages { try await incoming.send(message) }
            }
        }
        try await channel.waitUntilOpen()
        try await channel.send("ping")
        for try await message in channel.messages {
            #expect(message == .text("ping"))
            break
        }
        await client.close()
        await server.close()
        echo.cancel()
        _ = await echo.result
    }
}

/// Counts which of the watched objects live still.
private actor LiveObjects {
    private struct Reference {
        weak var object: RTCPeerConnection?
    }

    private var references: [Reference] = []

    func watch(_ object: RTCPeerConnection) { self.references.append(Reference(object: object)) }

    var count: Int { self.references.count { $0.object != nil } }
}
