import NIOCore
import RTCBase
import RTCCore
import RTCSCTP
import RTCTestKit
import Testing

@Suite("Two sessions in virtual time", .serialized)
struct ConnectionTests {
    @Test("connect and exchange a message", arguments: [UInt64(1), 2, 3])
    func exchange(seed: UInt64) throws {
        let pair = try PeerPair(seed: seed)
        let (handle, _) = try pair.left.session.createDataChannel(
            DataChannelParameters(label: "chat"),
            id: nil,
            now: pair.now
        )
        try pair.negotiate()
        #expect(
            pair.run(for: .seconds(5)) { pair.left.session.connectionState == .connected },
            "seed \(seed): \(pair.left.session.iceConnectionState) \(pair.left.events)"
        )
        let opened = pair.run(for: .seconds(5)) {
            pair.left.events.contains { if case .dataChannelOpen(handle) = $0 { return true } else { return false } }
        }
        #expect(opened, "seed \(seed)")
        try pair.left.session.send(ByteBuffer(string: "hello"), kind: .text, on: handle, now: pair.now)
        var received: [String] = []
        _ = pair.run(for: .seconds(5)) {
            received = pair.right.events.flatMap { event -> [String] in
                guard case .dataChannelMessages(_, let messages) = event else { return [] }
                return messages.map { String(buffer: $0.bytes) }
            }
            return !received.isEmpty
        }
        #expect(received == ["hello"], "seed \(seed)")
    }
}
