import CFuzzer
import FuzzInput
import RTCBase
import RTCSTUN

/// The RFC 5769 password, so that the vectors among the seeds pass.
nonisolated(unsafe) private let key = STUNIntegrityKey(shortTermPassword: "VOkJxbRl1RmTxUk/WvJxBt")

/// STUN messages: nothing traps and nothing reads outside, for whole messages and for what only looks like one.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let bytes = input.rest()
    let datagram = bytes.span.bytes
    _ = STUNMessage.isSTUN(datagram)
    _ = STUNMessage.transactionID(of: datagram)
    _ = STUNUsername.localUfrag(ofBindingRequest: datagram)
    guard let message = STUNMessage(datagram) else { return 0 }
    require(STUNMessage.isSTUN(datagram), "a message that is not one")
    _ = (message.username(in: datagram), message.realm(in: datagram), message.nonce(in: datagram))
    _ = (message.software(in: datagram), message.errorReason(in: datagram))
    _ = message.hasValidIntegrity(in: datagram, key: key)
    _ = message.unknownComprehensionRequired(in: datagram)
    _ = message.unknownAttributes(in: datagram)
    return 0
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzSTUN_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
