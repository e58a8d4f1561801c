import NIOCore
import Testing
import WebRTC

@Suite("Handover to another peer", .serialized)
struct HandoverTests {
    @Test(
        "a second peer that answers a later offer takes the connection over, with and without candidates in its answer",
        .timeLimit(.minutes(1)),
        arguments: [true, false]
    )
    func handover(signalsCandidates: Bool) async throws {
        let caller = try self.makeConnection()
        let first = try self.makeConnection()
        let second = try self.makeConnection()
        let chat = try await caller.createDataChannel("chat")
        try await self.negotiate(caller, first)
        try await chat.waitUntilOpen()

        let taken = try await second.createDataChannel("taken over")
        try await self.negotiate(caller, second, signalsCandidates: signalsCandidates)
        try await taken.waitUntilOpen()
        await chat.waitUntilClosed()
        let incoming = try #require(await self.channel("taken over", of: caller))
        try await incoming.send("hello")
        var messages = taken.messages.makeAsyncIterator()
        #expect(try await messages.next() == .text("hello"))
        for connection in [caller, first, second] { await connection.close() }
    }

    private func makeConnection() throws -> RTCPeerConnection {
        var policy = RTCAddressPolicy()
        policy.addresses = ["127.0.0.1"]
        var configuration = RTCConfiguration()
        // Each peer another one: by its fingerprint the caller knows who answers.
        configuration.certificates = [try RTCCertificate.generate()]
        return try RTCPeerConnection(configuration: configuration, addressPolicy: policy)
    }

    /// Exchanges complete descriptions, the answer's candidates only if asked.
    private func negotiate(
        _ offerer: RTCPeerConnection,
        _ answerer: RTCPeerConnection,
        signalsCandidates: Bool = true
    ) async throws {
        try await offerer.setLocalDescription()
        try await answerer.setRemoteDescription(offerer.gatheredDescription())
        try await answerer.setLocalDescription()
        var answer = try await answerer.gatheredDescription()
        if !signalsCandidates {
            answer.sdp = answer.sdp.split(separator: "\r\n").filter { !$0.hasPrefix("a=candidate:") }
                .map { $0 + "\r\n" }.joined()
        }
        try await offerer.setRemoteDescription(answer)
    }

    private func channel(_ label: String, of connection: RTCPeerConnection) async -> RTCDataChannel? {
        for await event in connection.events {
            if case .dataChannel(let channel) = event, channel.label == label { return channel }
        }
        return nil
    }
}
