import CFuzzer
import FuzzInput
import NIOCore

@testable import RTCSignaling

/// Sessions over plain requests with any query, header and body; streams of events and heads of responses as clients read them.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    switch input.byte() & 3 {
    case 0: readStream(input.byte(), input.rest())
    case 1: readHeads(input.byte(), input.rest())
    default:
        var bench = PollingBench()
        bench.run(&input)
    }
    return 0
}

/// Wherever a stream is cut: the events are the same, and none is larger than allowed.
private func readStream(_ choice: UInt8, _ bytes: [UInt8]) {
    let limit = choice & 128 == 0 ? 4_096 : 64
    var whole = EventStreamReader(limit: limit)
    var cut = EventStreamReader(limit: limit)
    let events = try? whole.receive(ByteBuffer(bytes: bytes))
    var pieces: [StreamEvent]? = []
    let size = Int(choice & 15) + 1
    for start in stride(from: 0, to: bytes.count, by: size) {
        let piece = ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)])
        guard let more = try? cut.receive(piece) else {
            pieces = nil
            break
        }
        pieces? += more
    }
    require(events == pieces, "other events where the stream is cut")
    for event in events ?? [] {
        // What is no UTF-8 becomes longer.
        require(event.data.utf8.count + event.name.utf8.count <= 3 * limit + 8, "an event larger than allowed")
    }
}

private func readHeads(_ choice: UInt8, _ bytes: [UInt8]) {
    var whole = ResponseHeadReader()
    var cut = ResponseHeadReader()
    whole.append(ByteBuffer(bytes: bytes))
    var last = ResponseHeadReader.Element.needsMore
    let size = Int(choice & 15) + 1
    for start in stride(from: 0, to: bytes.count, by: size) where last == .needsMore {
        cut.append(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
        last = cut.next()
    }
    require(whole.next() == last, "another head where it is cut")
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzPolling_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
