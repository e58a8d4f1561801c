import CFuzzer
import FuzzInput

@testable import RTCRooms

/// JSON and the frames in it; a server of rooms whose clients do anything, a client whose server does, and a negotiation whose peer does.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    switch input.byte() & 3 {
    case 0: texts(String(decoding: input.rest(), as: UTF8.self))
    case 1:
        var bench = BrokerBench(asks: input.byte() & 1 == 0)
        bench.run(&input)
    case 2:
        var bench = SessionBench()
        bench.run(&input)
    default:
        var bench = NegotiationBench(isPolite: input.byte() & 1 == 0)
        bench.run(&input)
    }
    return 0
}

/// What was read is written and read again as the same.
private func texts(_ text: String) {
    guard let json = JSONValue(parsing: text) else { return }
    // A control character takes two characters when it comes and six when it goes.
    require(json.text.utf8.count <= 3 * text.utf8.count + 16, "\(text) became \(json.text)")
    // What JSON has no number for becomes null.
    guard json.isFinite else { return }
    require(JSONValue(parsing: json.text) == json, "another value: \(json.text)")
    if let frame = ClientFrame(text) { require(ClientFrame(frame.text) == frame, "another frame: \(frame.text)") }
    if let frame = ServerFrame(text) { require(ServerFrame(frame.text) == frame, "another frame: \(frame.text)") }
    if let message = RoomMessage(json) { require(RoomMessage(message.json) == message, "another message: \(message)") }
    if let message = NegotiationMessage(json) {
        require(NegotiationMessage(message.json) == message, "another message: \(message)")
    }
}

extension JSONValue {
    fileprivate var isFinite: Bool {
        switch self {
        case .double(let double): double.isFinite
        case .array(let elements): elements.allSatisfy(\.isFinite)
        case .object(let members): members.values.allSatisfy(\.isFinite)
        case .null, .bool, .integer, .string: true
        }
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzRooms_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
