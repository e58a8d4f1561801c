import CFuzzer
import FuzzInput
import RTCBase
import RTCCore
import RTCICE
import RTCSDP

/// Candidates in all three shapes: the SDP attribute, ICE's own and W3C's; and the URLs of servers.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let text = String(decoding: input.rest(), as: UTF8.self)
    if let candidate = ICECandidate(parsing: text) {
        let written = candidate.sdpAttributeValue
        require(
            ICECandidate(parsing: written)?.sdpAttributeValue == written,
            "what was written is read as something else: \(written)"
        )
    }
    if let candidate = try? SDPCandidate(parsing: text) {
        let written = "\(candidate)"
        require((try? SDPCandidate(parsing: written)) != nil, "what was written cannot be read: \(written)")
    }
    let members = RTCIceCandidateInit(candidate: text, sdpMid: "0")
    if let candidate = try? RTCIceCandidate(members) {
        _ = (candidate.address, candidate.port, candidate.type, candidate.relatedAddress, candidate.tcpType)
        _ = candidate.toInit()
    }
    _ = try? RTCIceServer(urls: [text], username: text, credential: text).validate()
    return 0
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzCandidate_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
