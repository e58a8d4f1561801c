import WebRTC

@main
struct TwoPeers {
    static func main() async throws {
        let alice = try RTCPeerConnection()
        let bob = try RTCPeerConnection()
        let channel = try await alice.createDataChannel("chat")
        try await alice.setLocalDescription()
        try await bob.setRemoteDescription(alice.gatheredDescription())
        try await bob.setLocalDescription()
        try await alice.setRemoteDescription(bob.gatheredDescription())
        try await channel.waitUntilOpen()
        try await channel.send("Hello, Bob")
        channel.close()
        for await case .dataChannel(let incoming) in bob.events {
            for try await message in incoming.messages { print(message.text ?? "bytes") }
            break
        }
        await alice.close()
        await bob.close()
    }
}
