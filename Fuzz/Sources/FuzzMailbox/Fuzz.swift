import CFuzzer
import FuzzInput
import RTCSignaling

/// Messages and codes, a mailbox whose clients do anything, and two sides of a pairing with somebody between them.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    switch input.byte() & 3 {
    case 0: texts(String(decoding: input.rest(), as: UTF8.self))
    case 1:
        var carrier = Carrier()
        carrier.run(&input)
    default:
        var bench = MailboxBench()
        bench.run(&input)
    }
    return 0
}

/// What was read is written and read again as the same.
private func texts(_ text: String) {
    if let message = MailboxMessage(text) {
        require(MailboxMessage(message.text) == message, "another message: \(message.text)")
    }
    if let code = try? PairingCode(text) {
        require((try? PairingCode(code.description)) == code, "another code: \(code)")
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzMailbox_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
