import NIOCore
import RTCBase
import RTCSCTP
import Testing

extension SCTPTests {
    @Suite("Opening channels", .serialized)
    struct OpeningTests {
        @Test("two associations come up and exchange messages both ways")
        func exchange() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            #expect(pair.client.opened[near] == StreamID(rawValue: 0))
            try pair.client.send("hello", on: near)
            try pair.server.send("and back", on: far)
            pair.pump()
            #expect(pair.server.texts() == ["hello"])
            #expect(pair.client.texts() == ["and back"])
        }
    }
}
