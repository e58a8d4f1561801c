import CFuzzer
import FuzzInput
import RTCSDP

/// Descriptions and fragments: nothing traps; what was accepted is written and read again as the same.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let text = String(decoding: input.rest(), as: UTF8.self)
    if let session = try? SDPSession(parsing: text) { check(session) }
    if let fragment = try? SDPFragment(parsing: text) {
        _ = fragment.groups
        for index in -1...fragment.media.count { _ = (fragment.iceUfrag(of: index), fragment.icePwd(of: index)) }
        for media in fragment.media { views(of: media) }
        _ = try? SDPFragment(parsing: fragment.description)
    }
    return 0
}

private func check(_ session: SDPSession) {
    let written = session.description
    do {
        let again = try SDPSession(parsing: written)
        require(again.description == written, "the second writing differs from the first")
        require(again.media.count == session.media.count, "sections were lost")
    } catch {
        fatalError("what was written cannot be read: \(error)")
    }
    _ = (session.groups, session.bundleGroups, session.iceLite, session.origin, session.name, session.lines.count)
    _ = (session.connection, session.bandwidths, session.lineEnding)
    for index in -1...session.media.count {
        _ = (session.iceUfrag(of: index), session.icePwd(of: index), session.iceOptions(of: index))
        _ = (session.fingerprints(of: index), session.setup(of: index), session.tlsID(of: index))
        _ = (session.direction(of: index), session.extmaps(of: index), session.connection(of: index))
        _ = session.extmapAllowMixed(of: index)
    }
    for media in session.media { views(of: media) }
    rewrite(session)
}

/// Everything the typed views can say is written back; the result must be readable.
private func rewrite(_ session: SDPSession) {
    var session = session
    for index in session.media.indices {
        session.media[index].candidates = session.media[index].candidates
        session.media[index].rtpmaps = session.media[index].rtpmaps
        session.media[index].fmtps = session.media[index].fmtps
        session.media[index].rids = session.media[index].rids
        session.media[index].simulcast = session.media[index].simulcast
        session.media[index].ssrcs = session.media[index].ssrcs
        session.media[index].mid = session.media[index].mid
        session.media[index].sctpPort = session.media[index].sctpPort
    }
    _ = try? SDPSession(parsing: session.description)
}

private func views(of media: SDPMedia) {
    _ = (media.mid, media.bundleOnly, media.candidates, media.sctpPort, media.maxMessageSize, media.sctpmap)
    _ = (media.dataChannelPort, media.rtcpMux, media.rtcpMuxOnly, media.rtcpRsize, media.rtcp, media.isRejected)
    _ = (media.msids, media.rtpmaps, media.fmtps, media.rtcpFeedback, media.ssrcs, media.ssrcGroups)
    _ = (media.rids, media.simulcast, media.ptime, media.maxptime, media.connection, media.bandwidths)
    for format in media.formats { _ = media.fmtp(of: format) }
    _ = (media.rtpmap(of: 0), media.description)
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzSDP_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
