import NIOCore
import RTCSignaling
import Testing

@testable import RTCSignalingServer

@Suite struct RequestBodyRoomTests {
    @Test("Bodies beyond the room wait in turn until one before them is done with")
    func waiting() {
        let room = RequestBodyRoom(size: 250)
        var admitted: [Int] = []
        let bodies = (0..<4).map { number in
            RequestBody(room: room, length: nil, maximumSize: 100) { admitted.append(number) }
        }
        #expect(bodies.map(\.isWaiting) == [false, false, true, true])
        // What a body that has come as a whole has no need of is for the next.
        #expect(bodies[0].append(ByteBuffer(repeating: 1, count: 60)))
        #expect(bodies[0].finish().readableBytes == 60)
        #expect(admitted.isEmpty)
        bodies[1].release()
        #expect(admitted == [2] && bodies.map(\.isWaiting) == [false, false, false, true])
        bodies[0].release()
        #expect(admitted == [2, 3])
        // Nothing is given back twice.
        for body in bodies { body.release() }
        var later: [RequestBody] = []
        for _ in 0..<3 { later.append(RequestBody(room: room, length: 200, maximumSize: 100) {}) }
        #expect(later.map(\.isWaiting) == [false, false, true])
    }

    @Test("A body that is there as a whole before there is room waits no longer, nor does one whose stream ended")
    func early() {
        let room = RequestBodyRoom(size: 100)
        var admitted: [Int] = []
        let bodies = (0..<3).map { number in
            RequestBody(room: room, length: 80, maximumSize: 100) { admitted.append(number) }
        }
        #expect(bodies[1].append(ByteBuffer(string: "small")))
        #expect(String(buffer: bodies[1].finish()) == "small")
        bodies[0].release()
        #expect(admitted == [2] && !bodies[2].isWaiting)
    }

    @Test("A negative share is none, and makes no room")
    func negative() {
        let room = RequestBodyRoom(size: 10)
        let bodies = (0..<2).map { _ in RequestBody(room: room, length: -100, maximumSize: 100) {} }
        let whole = RequestBody(room: room, length: 10, maximumSize: 100) {}
        let more = RequestBody(room: room, length: 1, maximumSize: 100) {}
        #expect(bodies.allSatisfy { !$0.isWaiting } && !whole.isWaiting && more.isWaiting)
    }

    @Test(
        "A content-length that is no number of digits is refused, and one that is too large",
        arguments: [
            ("0", nil), ("100", nil), ("00100", nil), ("101", .bodyTooLarge), ("99999999999999999999", .bodyTooLarge),
            ("-1", .malformedLength), ("+1", .malformedLength), ("", .malformedLength), ("1,1", .malformedLength),
            ("1 ", .malformedLength), ("0x1", .malformedLength), ("\u{0661}", .malformedLength),
        ] as [(String, ServerRefusal?)]
    )
    func contentLength(text: String, refusal: ServerRefusal?) {
        var configuration = SignalingServerConfiguration()
        configuration.maximumBodySize = 100
        let limits = RequestLimits(configuration)
        #expect(limits.refusal(target: "/", headSize: 10, contentLength: text) == refusal)
        #expect(ServerRefusal.malformedLength.response.status == 400)
    }

    @Test("A room that is smaller than a body has one after the other")
    func small() {
        let room = RequestBodyRoom(size: 10)
        var admitted = 0
        let first = RequestBody(room: room, length: nil, maximumSize: 100) { admitted += 1 }
        let second = RequestBody(room: room, length: nil, maximumSize: 100) { admitted += 1 }
        #expect(!first.isWaiting && second.isWaiting)
        #expect(first.append(ByteBuffer(repeating: 1, count: 100)) && !first.append(ByteBuffer(repeating: 1, count: 1)))
        first.release()
        #expect(admitted == 1)
    }
}
