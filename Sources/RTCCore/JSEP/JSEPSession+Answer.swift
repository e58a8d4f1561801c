import RTCBase
import RTCICE
import RTCRTP
import RTCSDP

extension JSEPSession {
    /// Makes the answer to the remote offer (RFC 9429 section 5.3).
    mutating func createAnswer(_ parameters: LocalParameters) throws(RTCError) -> String {
        guard self.signalingState == .haveRemoteOffer || self.signalingState == .haveLocalPranswer,
            let offer = self.pendingRemote
        else {
            throw RTCError(.invalidState, "there is no remote offer to answer in state \(self.signalingState.rawValue)")
        }
        let credentials = self.credentialsForAnswer(to: offer, parameters)
        let content = offer.content
        let carrier = content.transportSection ?? 0
        let transport = SectionTransport(
            credentials: credentials,
            fingerprints: parameters.fingerprints,
            setup: Self.answer(to: content.setup(of: carrier) ?? .actpass, settled: parameters.settledSetup)
        )
        let group = content.groups.first { $0.semantics == SDPGroup.bundle }?.mids
        let allowsMixed = content.media.indices.contains { content.extmapAllowMixed(of: $0) }
        let renominates = content.media.indices.contains { content.iceOptions(of: $0).contains(Self.renomination) }
        var session = self.emptySession(allowsMixedHeaderExtensions: allowsMixed, renominates: renominates)
        var hasTransport = false
        for index in content.media.indices {
            let offered = content.media[index]
            // Without a bundle there is a transport for one section alone.
            let isCarried = group.map { group in offered.mid.map(group.contains) ?? false } ?? !hasTransport
            guard isCarried, !offered.isRejected,
                let answered = self.answeredSection(to: index, of: content, transport, parameters)
            else {
                session.media.append(Self.rejected(offered))
                continue
            }
            hasTransport = true
            session.media.append(answered)
        }
        Self.bundle(
            session.media.compactMap { $0.isRejected ? nil : $0.mid }.filter { group?.contains($0) == true },
            in: &session
        )
        self.addGathered(to: &session, ufrag: credentials.ufrag, isOffer: false, parameters)
        self.offeredCredentials = credentials
        self.lastAnswer = self.finish(session)
        return self.lastAnswer
    }

    private static func answer(to setup: SDPSetup, settled: SDPSetup?) -> SDPSetup {
        switch setup {
        case .actpass, .holdconn: return settled ?? .active
        case .active: return .passive
        case .passive: return .active
        }
    }

    /// The answer to one section, `nil` if it is to be rejected.
    private func answeredSection(
        to index: Int,
        of content: SDPSession,
        _ transport: SectionTransport,
        _ parameters: LocalParameters
    ) -> SDPMedia? {
        let offered = content.media[index]
        if offered.isDataChannelSection {
            guard
                content.media.indices.first(where: {
                    content.media[$0].isDataChannelSection && !content.media[$0].isRejected
                })
                    == index
            else { return nil }
            return Self.dataSection(like: offered, mid: offered.mid, transport, parameters)
        }
        guard offered.isRTPSection,
            let transceiver = self.transceivers.first(where: { $0.stands(for: index, offered) }), !transceiver.isStopped
        else { return nil }
        return self.answeredSection(
            of: transceiver,
            to: offered,
            content.direction(of: index),
            content.extmaps(of: index),
            transport
        )
    }

    private func answeredSection(
        of transceiver: JSEPTransceiver,
        to offered: SDPMedia,
        _ offeredDirection: SDPDirection,
        _ extmaps: [SDPExtmap],
        _ transport: SectionTransport
    ) -> SDPMedia? {
        var formats = self.answeredFormats(of: transceiver, to: offered)
        guard !formats.isEmpty else { return nil }
        var media = SDPMedia(
            kind: offered.kind,
            port: 9,
            proto: offered.proto,
            formats: formats.map { String($0.payloadType) }
        )
        media.connection = .unspecified
        transport.write(to: &media)
        media.mid = offered.mid
        let extensions = Self.answeredExtensions(transceiver.headerExtensions, to: extmaps)
        for answered in extensions { media.attributes.append("extmap", answered.description) }
        let direction = transceiver.wantedDirection.intersection(offeredDirection.reversed)
        media.direction = direction
        self.writeStreams(of: transceiver, to: &media)
        media.rtcpMux = offered.rtcpMux
        media.rtcpRsize = offered.rtcpRsize
        let hasNumbers = extensions.contains { $0.uri == HeaderExtensionKind.transportSequenceNumber.uri }
        Self.chooseArrivalFeedback(among: &formats, hasTransportWideNumbers: hasNumbers)
        SectionFormats.write(formats, to: &media)
        let hasRIDs = extensions.contains { $0.uri == HeaderExtensionKind.rid.uri }
        if direction.receives, hasRIDs { Self.writeReceivedEncodings(of: offered, to: &media) }
        if direction.sends {
            let wanted = hasRIDs ? Set(offered.rids.filter { $0.direction == .recv }.map(\.id)) : []
            self.writeEncodings(of: transceiver, formats, wanted: wanted, to: &media)
        }
        return media
    }

    /// The offered formats that match, in the offer's order unless the transceiver has preferences (RFC 9429 section 5.3.1).
    private func answeredFormats(of transceiver: JSEPTransceiver, to offered: SDPMedia) -> [SectionFormats.Format] {
        let codecs = transceiver.codecs(self.capabilities)
        var matches = SectionFormats(offered).matches(codecs)
        if !transceiver.codecPreferences.isEmpty {
            func rank(_ match: SectionFormats.Match) -> Int {
                codecs.firstIndex { CodecMatching.areSame($0, match.local) } ?? codecs.count
            }
            // Retransmission stays beside what it retransmits.
            let media = matches.filter { $0.remote.retransmits == nil }
            let ordered = media.enumerated().sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }
            matches = ordered.flatMap { entry in
                [entry.element] + matches.filter { $0.remote.retransmits == entry.element.remote.payloadType }
            }
        }
        return matches.map { match in
            var codec = match.local
            codec.channels = match.remote.codec.channels
            if codec.isNamed("rtx") || codec.isNamed("red") {
                codec.sdpFmtpLine = match.remote.codec.sdpFmtpLine
            } else {
                codec.sdpFmtpLine = CodecMatching.answer(match.local, to: match.remote.codec)
            }
            return SectionFormats.Format(
                payloadType: match.remote.payloadType,
                codec: codec,
                feedback: match.feedback
            )
        }
    }

    /// Arrivals are reported in one way: transport-wide where packets carry the numbers for it, else by stream (RFC 8888).
    private static func chooseArrivalFeedback(
        among formats: inout [SectionFormats.Format],
        hasTransportWideNumbers: Bool
    ) {
        let transportWide = "transport-cc"
        let perStream = RTCRtpCodec.congestionControlFeedback
        guard formats.contains(where: { $0.feedback.contains(perStream) }) else { return }
        let isTransportWide = hasTransportWideNumbers && formats.contains { $0.feedback.contains(transportWide) }
        for index in formats.indices {
            formats[index].feedback.removeAll { $0 == (isTransportWide ? perStream : transportWide) }
        }
    }

    /// The offered header extensions that this side has, under the offered numbers (RFC 8285 section 6).
    private static func answeredExtensions(
        _ capabilities: [RTCRtpHeaderExtensionCapability],
        to offered: [SDPExtmap]
    ) -> [SDPExtmap] {
        var seen: Set<String> = []
        return offered.compactMap { extmap in
            guard (1...255).contains(extmap.id), extmap.id != 15,
                let capability = capabilities.first(where: { $0.uri == extmap.uri }),
                let wanted = SDPDirection(rawValue: capability.direction.rawValue), seen.insert(extmap.uri).inserted
            else { return nil }
            let direction = wanted.intersection((extmap.direction ?? .sendrecv).reversed)
            guard direction != .inactive else { return nil }
            return SDPExtmap(id: extmap.id, direction: direction == .sendrecv ? nil : direction, uri: extmap.uri)
        }
    }

    /// The most encodings of one track of the peer; further ones are not taken.
    private static let maximumReceivedEncodings = 16

    /// Takes all encodings that the peer offers to send (RFC 8853 section 5.3.2).
    private static func writeReceivedEncodings(of offered: SDPMedia, to media: inout SDPMedia) {
        let rids = offered.rids.filter { $0.direction == .send }.map(\.id).prefix(Self.maximumReceivedEncodings)
        for rid in rids { media.attributes.append("rid", SDPRID(id: rid, direction: .recv).description) }
        let streams = (offered.simulcast?.send ?? []).compactMap { stream -> SDPSimulcast.Stream? in
            let known = stream.filter { rids.contains($0.rid) }
            return known.isEmpty ? nil : known
        }
        if !streams.isEmpty { media.simulcast = SDPSimulcast(recv: streams) }
    }
}

extension SDPDirection {
    /// What both want.
    func intersection(_ other: SDPDirection) -> SDPDirection {
        SDPDirection(sends: self.sends && other.sends, receives: self.receives && other.receives)
    }
}
