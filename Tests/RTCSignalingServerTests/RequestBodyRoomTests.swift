import NIOCore
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
