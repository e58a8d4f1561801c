import RTCBase
import RTCICE
import RTCRTP
import RTCSDP

/// The pieces that offers and answers are made of.
extension JSEPSession {
    static let renomination = "renomination"

    func emptySession(allowsMixedHeaderExtensions: Bool, renominates: Bool) -> SDPSession {
        var session = SDPSession(origin: SDPOrigin(sessionID: self.sessionID, sessionVersion: self.sessionVersion))
        if allowsMixedHeaderExtensions { session.extmapAllowMixed = true }
        session.attributes.append("msid-semantic", " WMS")
        if self.isICELite { session.iceLite = true }
        session.attributes.append("ice-options", "trickle ice2" + (renominates ? " " + Self.renomination : ""))
        return session
    }

    /// Raises the version when the content differs from what was created before (RFC 3264 section 8).
    mutating func finish(_ session: SDPSession) -> String {
        var session = session
        if let last = self.lastCreated?.content {
            session.origin.sessionVersion = last.origin.sessionVersion
            if session != last { self.sessionVersion = last.origin.sessionVersion + 1 }
        }
        session.origin.sessionVersion = self.sessionVersion
        let text = session.description
        self.lastCreated = (session, text)
        return text
    }

    static func dataSection(
        like offered: SDPMedia?,
        mid: String?,
        _ transport: SectionTransport,
        _ parameters: LocalParameters
    ) -> SDPMedia {
        let usesOldForm = offered?.sctpmap != nil && offered?.sctpPort == nil
        var media = SDPMedia(
            kind: "application",
            port: 9,
            proto: offered?.proto ?? "UDP/DTLS/SCTP",
            formats: usesOldForm ? ["5000"] : ["webrtc-datachannel"]
        )
        media.connection = .unspecified
        transport.write(to: &media)
        media.mid = mid
        if usesOldForm {
            media.attributes.append("sctpmap", "5000 webrtc-datachannel 1024")
        } else {
            media.sctpPort = 5000
        }
        media.maxMessageSize = UInt64(parameters.maximumMessageSize)
        return media
    }

    static func rejected(_ media: SDPMedia) -> SDPMedia {
        var rejected = SDPMedia(kind: media.kind, port: 0, proto: media.proto, formats: media.formats)
        rejected.connection = .unspecified
        rejected.mid = media.mid
        if media.kind != "application" { rejected.direction = .inactive }
        return rejected
    }

    static func bundle(_ mids: [String], in session: inout SDPSession) {
        guard !mids.isEmpty else { return }
        session.groups = [SDPGroup(semantics: SDPGroup.bundle, mids: mids)]
    }

    /// The streams that a section's track belongs to (RFC 8830).
    func writeStreams(of transceiver: JSEPTransceiver, to media: inout SDPMedia) {
        guard media.direction?.sends == true else { return }
        let streams = transceiver.sender.streams.isEmpty ? ["-"] : transceiver.sender.streams
        media.msids = streams.map { SDPMediaStreamID(stream: $0, track: transceiver.sender.msidTrack) }
    }

    /// The encodings of a section: identifiers for simulcast, else the streams themselves.
    ///
    /// - Parameters:
    ///   - wanted: The identifiers that the peer asked for; `nil` in an offer, where all are named.
    func writeEncodings(
        of transceiver: JSEPTransceiver,
        _ formats: [SectionFormats.Format],
        wanted: Set<String>? = nil,
        to media: inout SDPMedia
    ) {
        let encodings = transceiver.sender.encodings.filter { encoding in
            wanted.map { encoding.parameters.rid.map($0.contains) ?? false } ?? true
        }
        let rids = encodings.compactMap(\.parameters.rid)
        if !rids.isEmpty, rids.count == encodings.count {
            for rid in rids { media.attributes.append("rid", SDPRID(id: rid, direction: .send).description) }
            if rids.count > 1 {
                let streams = encodings.map { encoding in
                    [SDPSimulcast.Encoding(rid: encoding.parameters.rid ?? "", isPaused: !encoding.parameters.active)]
                }
                media.simulcast = SDPSimulcast(send: streams, recv: media.simulcast?.recv ?? [])
            }
            return
        }
        guard let encoding = transceiver.sender.encodings.first else { return }
        var sources = [encoding.ssrc]
        if formats.contains(where: { $0.codec.isNamed("rtx") }) {
            sources.append(encoding.rtxSSRC)
            media.attributes.append("ssrc-group", "FID \(encoding.ssrc) \(encoding.rtxSSRC)")
        }
        // Only where the application or the peer asks for it: some stacks take a stream that belongs to a group which they do not know for
        // another track, and refuse two of those in a section.
        if formats.contains(where: { $0.codec.isNamed("flexfec-03") }) {
            sources.append(encoding.fecSSRC)
            media.attributes.append("ssrc-group", "FEC-FR \(encoding.ssrc) \(encoding.fecSSRC)")
        }
        let stream = transceiver.sender.streams.first ?? "-"
        for source in sources {
            media.attributes.append("ssrc", "\(source) cname:\(self.cname)")
            media.attributes.append("ssrc", "\(source) msid:\(stream) \(transceiver.sender.msidTrack)")
        }
    }

    /// Writes the candidates gathered so far where they belong: to the section that carries the bundle, and in a first offer to all that
    /// may come to carry it, because the peer may reject the first.
    func addGathered(to session: inout SDPSession, ufrag: String, isOffer: Bool, _ parameters: LocalParameters) {
        let gathered = parameters.gatheredCandidates(ufrag)
        let isFirst = isOffer && self.currentLocal?.transportSection == nil
        for index in Self.candidateSections(of: session, firstOfferOf: isFirst ? parameters.bundlePolicy : nil) {
            for candidate in gathered.attributes { session.media[index].attributes.append("candidate", candidate) }
            if gathered.isComplete { session.media[index].endOfCandidates = true }
            if let address = gathered.defaultAddress, session.media[index].port == 9 {
                session.media[index].port = Int(address.port)
                session.media[index].connection = SDPConnection(address)
            }
        }
    }

    /// The sections of a local description that carry candidates.
    ///
    /// - Parameter policy: The bundle policy of an offer that comes before any answer; `nil` for other descriptions.
    static func candidateSections(of session: SDPSession, firstOfferOf policy: RTCBundlePolicy?) -> [Int] {
        guard let carrier = session.transportSection else { return [] }
        var kinds: Set<String> = []
        switch policy {
        case nil, .maxBundle: return [carrier]
        case .balanced:
            return session.media.indices.filter {
                !session.media[$0].isRejected && kinds.insert(session.media[$0].kind).inserted
            }
        case .maxCompat: return session.media.indices.filter { !session.media[$0].isRejected }
        }
    }
}

extension SectionFormats {
    /// Writes the `rtpmap`, `rtcp-fb` and `fmtp` lines of formats, format by format. What is reported for the stream and not for a
    /// format is written once for all of them (RFC 8888 section 6).
    static func write(_ formats: [Format], to media: inout SDPMedia) {
        for format in formats {
            let channels = format.codec.channels.flatMap { $0 > 1 ? $0 : nil }
            let map = SDPRTPMap(
                payloadType: format.payloadType,
                encodingName: format.codec.name,
                clockRate: format.codec.clockRate,
                channels: channels
            )
            media.attributes.append("rtpmap", map.description)
            for feedback in format.feedback where feedback != RTCRtpCodec.congestionControlFeedback {
                media.attributes.append("rtcp-fb", "\(format.payloadType) \(feedback)")
            }
            if let parameters = format.codec.sdpFmtpLine {
                media.attributes.append("fmtp", "\(format.payloadType) \(parameters)")
            }
        }
        if formats.contains(where: { $0.feedback.contains(RTCRtpCodec.congestionControlFeedback) }) {
            media.attributes.append("rtcp-fb", "* \(RTCRtpCodec.congestionControlFeedback)")
        }
    }
}
