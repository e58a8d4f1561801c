import CFuzzer
import FuzzInput
import RTCSDP
import RTCSignaling

@testable import RTCWHIP

/// Fragments and the fields around them: nothing traps, and a description stays one whatever a fragment put into it.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let text = String(decoding: input.rest(), as: UTF8.self)
    if let fragment = try? TrickleFragment(parsing: text) { check(fragment) }
    if let session = try? SDPSession(parsing: text) { check(session) }
    check(field: text)
    return 0
}

private func check(_ fragment: TrickleFragment) {
    guard let session = try? SDPSession(parsing: description) else { fatalError("the description is sound") }
    let restarted = session.restarted(with: fragment)
    do {
        let again = try SDPSession(parsing: restarted.description)
        require(again.media.count == session.media.count, "sections were lost or won")
        if fragment.credentials != nil {
            require(again.trickle?.credentials == fragment.credentials, "the credentials are others")
            require(again.trickle?.candidates.count == fragment.candidates.count, "candidates were lost")
        }
        let written = try TrickleFragment(parsing: session.fragment(with: fragment))
        require(written.candidates == fragment.candidates, "what was written reads otherwise")
    } catch {
        fatalError("what was written cannot be read: \(error)")
    }
}

private func check(_ session: SDPSession) {
    for sends in [true, false] { try? OfferRules.check(session, clientSends: sends) }
    _ = session.withExclusiveRTCPMultiplexing.description
    guard let trickle = session.trickle else { return }
    _ = session.restarted(with: trickle).with(setup: .actpass).description
    _ = session.fragment(with: trickle)
}

private func check(field: String) {
    // What no field can hold is left out.
    let servers = HTTPLink.parse([field]).compactMap(\.server).filter { !HTTPLink.fields(of: [$0]).isEmpty }
    require(HTTPLink.parse(HTTPLink.fields(of: servers)).compactMap(\.server) == servers, "servers read otherwise")
    _ = EntityTagMatch(fields: [field])?.matches(EntityTag(opaque: "a"))
    _ = RetryAfter.parse(field, now: 0)
    if let seconds = HTTPDate.parse(field) { _ = HTTPDate.text(seconds) }
    _ = BearerToken(authorization: field)?.matches("a")
    let url = URLReference("https://a.example/b/c?d").resolving(field)
    _ = (url.text, url.target, url.isHTTP, URLReference(field).resolving("../x").text)
    _ = MediaType.essence(field)
    let paths = ServicePaths("/whip")
    if let request = paths.request(SignalingRequest(method: "POST", target: field)) {
        _ = paths.location(of: "0", request)
    }
}

private let description = [
    "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE 0 1", "m=audio 9 UDP/TLS/RTP/SAVPF 111",
    "a=mid:0",
    "a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901", "a=candidate:1 1 udp 1 192.0.2.1 9 typ host",
    "m=video 9 UDP/TLS/RTP/SAVPF 96", "a=mid:1", "a=ice-ufrag:abcd", "a=ice-pwd:0123456789012345678901", "",
].joined(separator: "\r\n")

/// Where SwiftPM has the program begin.
@_cdecl("FuzzWHIP_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
