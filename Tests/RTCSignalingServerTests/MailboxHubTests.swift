import RTCSignaling
import RTCSignalingServer
import Testing

@Suite(.timeLimit(.minutes(1))) struct MailboxHubTests {
    @Test("A client that was refused is heard no more, whatever it sent beforehand")
    func afterRefusal() async throws {
        let hub = MailboxHub()
        let change = { (routes: inout SignalingRoutes, _: inout SignalingServerConfiguration) in
            routes.webSocket("/mailbox") { await hub.serve($0) }
        }
        try await SignalingServerTests.serve(change) { server in
            let nonsense = SignalingServerTests.frame(0x81, "nonsense")
            let allocate = SignalingServerTests.frame(0x81, MailboxMessage.allocate.text)
            var frames: [UInt8] = []
            for _ in 0..<8 { frames += nonsense + allocate }
            let heard = try await RawClient(server).talk([
                ("", SignalingServerTests.get("/mailbox", SignalingServerTests.upgrade) + frames),
                ("malformed", SignalingServerTests.frame(0x88, "")),
            ])
            #expect(heard.contains("malformed"))
            #expect(!heard.contains("allocated"))
            #expect(hub.count == 0)
        }
    }
}
