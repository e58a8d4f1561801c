import CFuzzer
import FuzzInput
import NIOCore
import RTCBase
import RTCICE

/// Multicast DNS answers, and queries for any name.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let bytes = input.rest()
    for answer in MDNSMessage.answers(in: bytes.span.bytes) {
        require(answer.name.utf8.count <= 3 * 255, "a name that is too long")
        _ = MDNSMessage.query(for: answer.name)
    }
    if let query = MDNSMessage.query(for: String(decoding: bytes, as: UTF8.self)) {
        require(MDNSMessage.answers(in: query.readableBytesSpan).isEmpty, "a query that answers")
    }
    return 0
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzMDNS_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
