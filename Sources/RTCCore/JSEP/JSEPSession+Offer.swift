import RTCBase
import RTCICE
import RTCRTP
import RTCSDP

extension JSEPSession {
    /// What stands behind a section of an offer under way.
    private enum SectionSource {
        case data(mid: String)
        /// The transceiver at this place, under this name.
        case transceiver(Int, mid: String)
        case rejected(SDPMedia)

        var isRejected: Bool {
            if case .rejected = self { return true } else { return false }
        }
    }

    /// Makes an offer (RFC 9429 section 5.2).
    mutating func createOffer(iceRestart: Bool, _ parameters: LocalParameters) -> String {
        let credentials = self.credentialsForOffer(iceRestart: iceRestart, parameters)
        let transport = SectionTransport(
            credentials: credentials,
            fingerprints: parameters.fingerprints,
            setup: .actpass
        )
        let sources = self.sectionSources(parameters)
        let negotiated = self.currentLocal?.content.media.count ?? 0
        let carrier = sources.firstIndex { !$0.isRejected }
        var session = self.emptySession(
            allowsMixedHeaderExtensions: true,
            renominates: self.offersRenomination
        )
        for (index, source) in sources.enumerated() {
            var media: SDPMedia
            switch source {
            case .data(let mid):
                media = Self.dataSection(like: nil, mid: mid, transport, parameters)
            case .transceiver(let place, let mid):
                media = self.offeredSection(of: place, mid: mid, at: index, transport)
            case .rejected(let previous):
                session.media.append(Self.rejected(previous))
                continue
            }
            let isNew = index >= negotiated || self.currentLocal?.content.media[index].isRejected == true
            if isNew, index != carrier, parameters.bundlePolicy == .maxBundle {
                media.port = 0
                media.bundleOnly = true
            }
            session.media.append(media)
        }
        Self.bundle(session.media.compactMap { $0.isRejected ? nil : $0.mid }, in: &session)
        self.addGathered(to: &session, ufrag: credentials.ufrag, isOffer: true, parameters)
        self.offeredCredentials = credentials
        self.lastOffer = self.finish(session)
        return self.lastOffer
    }

    /// Which section is for what: those that there are keep their places, what is new takes places that are free, or follows.
    private mutating func sectionSources(_ parameters: LocalParameters) -> [SectionSource] {
        let base = (self.pendingLocal ?? self.currentLocal)?.content ?? self.currentRemote?.content
        var sources: [SectionSource] = []
        for (index, media) in (base?.media ?? []).enumerated() {
            if media.isDataChannelSection, !media.isRejected {
                sources.append(.data(mid: media.mid ?? self.unusedMID()))
            } else if let place = self.transceivers.firstIndex(where: { $0.stands(for: index, media) }),
                !self.transceivers[place].isStopping, let mid = self.transceivers[place].mid
            {
                sources.append(.transceiver(place, mid: mid))
            } else {
                sources.append(.rejected(media))
            }
        }
        for place in self.transceivers.indices
        where self.transceivers[place].sectionIndex == nil && !self.transceivers[place].isStopping {
            let mid = self.proposedMID(self.transceivers[place].proposedMID)
            self.transceivers[place].proposedMID = mid
            self.add(.transceiver(place, mid: mid), to: &sources)
        }
        let hasData = sources.contains { if case .data = $0 { return true } else { return false } }
        if parameters.wantsData, !hasData {
            let mid = self.proposedMID(self.proposedDataMID)
            self.proposedDataMID = mid
            self.add(.data(mid: mid), to: &sources)
        }
        return sources
    }

    /// A section that is rejected in the current descriptions may be used again, for whatever there is (RFC 9429 section 5.2.2).
    private func add(_ source: SectionSource, to sources: inout [SectionSource]) {
        let free = sources.indices.first { index in
            sources[index].isRejected
                && [self.currentLocal, self.currentRemote].contains { description in
                    guard let media = description?.content.media, media.indices.contains(index) else { return false }
                    return media[index].isRejected
                }
        }
        if let free { sources[free] = source } else { sources.append(source) }
    }

    // MARK: Names of sections

    private var usedMIDs: Set<String> {
        let descriptions = [self.currentLocal, self.currentRemote, self.pendingLocal, self.pendingRemote]
        return Set(descriptions.compactMap { $0 }.flatMap { $0.content.media.compactMap(\.mid) })
            .union(self.transceivers.compactMap(\.mid))
    }

    /// A name given before that nobody took meanwhile, or a new one.
    private mutating func proposedMID(_ before: String?) -> String {
        if let before, !self.usedMIDs.contains(before) { return before }
        return self.unusedMID()
    }

    /// A name that no section has or ever had from this side.
    mutating func unusedMID() -> String {
        let used = self.usedMIDs
        while used.contains(String(self.nextMID)) { self.nextMID += 1 }
        defer { self.nextMID += 1 }
        return String(self.nextMID)
    }

    // MARK: A section

    private mutating func offeredSection(
        of place: Int,
        mid: String,
        at index: Int,
        _ transport: SectionTransport
    ) -> SDPMedia {
        let transceiver = self.transceivers[place]
        let formats = self.offeredFormats(of: transceiver, at: index, mid: mid)
        var media = SDPMedia(
            kind: transceiver.kind.rawValue,
            port: 9,
            proto: "UDP/TLS/RTP/SAVPF",
            formats: formats.map { String($0.payloadType) }
        )
        media.connection = .unspecified
        transport.write(to: &media)
        media.mid = mid
        for capability in transceiver.headerExtensions where capability.direction != .stopped {
            guard let number = self.numbers.headerExtensions.number(for: capability.uri, transceiver.kind) else {
                continue
            }
            let direction = SDPDirection(rawValue: capability.direction.rawValue).flatMap {
                $0 == .sendrecv ? nil : $0
            }
            media.attributes.append(
                "extmap",
                SDPExtmap(id: number, direction: direction, uri: capability.uri).description
            )
        }
        media.direction = transceiver.wantedDirection
        self.writeStreams(of: transceiver, to: &media)
        media.rtcpMux = true
        media.rtcpRsize = true
        SectionFormats.write(formats, to: &media)
        if transceiver.wantedDirection.sends {
            self.writeEncodings(of: transceiver, formats, to: &media)
        }
        return media
    }

    /// Whether the peer's description has a format in the section that an offer is made for.
    private func peerNames(_ name: String, at index: Int, mid: String) -> Bool {
        guard let media = self.currentRemote?.content.media, media.indices.contains(index), media[index].mid == mid
        else {
            return false
        }
        return media[index].rtpmaps.contains { $0.encodingName.lowercased() == name }
    }

    /// The codecs to offer. Forward error correction is among them only where the application put it into its preferences, or the peer has
    /// shown that it has it: it costs bandwidth, and few peers know it.
    private func offeredCodecs(of transceiver: JSEPTransceiver, at index: Int, mid: String) -> [RTCRtpCodec] {
        let codecs = transceiver.codecs(self.capabilities)
        guard transceiver.codecPreferences.isEmpty, !self.peerNames("flexfec-03", at: index, mid: mid) else {
            return codecs
        }
        return codecs.filter { !$0.isNamed("flexfec-03") }
    }

    /// The formats of an offer: those of the section before keep their payload types.
    private mutating func offeredFormats(
        of transceiver: JSEPTransceiver,
        at index: Int,
        mid: String
    ) -> [SectionFormats.Format] {
        let codecs = self.offeredCodecs(of: transceiver, at: index, mid: mid)
        var previous: SectionFormats?
        if let media = self.currentLocal?.content.media, media.indices.contains(index), media[index].mid == mid {
            previous = SectionFormats(media[index])
        }
        let hasRetransmission = codecs.contains { $0.isNamed("rtx") }
        let numbersBefore = previous?.formats ?? []
        var formats: [SectionFormats.Format] = []
        // What redundancy carries may stand behind it.
        var redundancy: (codec: RTCRtpCodec, place: Int)?
        for codec in codecs where !codec.isNamed("rtx") {
            if codec.isNamed("red") {
                redundancy = redundancy ?? (codec, formats.count)
                continue
            }
            guard let number = self.number(for: codec, numbersBefore, besides: formats) else { continue }
            formats.append(
                SectionFormats.Format(payloadType: number, codec: codec, feedback: codec.offeredFeedbackTexts)
            )
            guard hasRetransmission, codec.kind == .video, !codec.isAuxiliary else { continue }
            let rtx = RTCRtpCodec(mimeType: "video/rtx", clockRate: codec.clockRate, sdpFmtpLine: "apt=\(number)")
            let rtxBefore = numbersBefore.first { $0.retransmits == number }?.payloadType
            let usual = RTCRtpCodec.usualRetransmissionType(of: number)
            guard let rtxNumber = rtxBefore ?? self.numbers.payloadTypes.number(for: rtx, usual: usual),
                !formats.contains(where: { $0.payloadType == rtxNumber })
            else { continue }
            formats.append(SectionFormats.Format(payloadType: rtxNumber, codec: rtx, feedback: []))
        }
        guard let (named, place) = redundancy, let carried = formats.first(where: { $0.codec.isNamed("opus") }) else {
            return formats
        }
        var codec = named
        codec.sdpFmtpLine = "\(carried.payloadType)/\(carried.payloadType)"
        if let number = self.number(for: codec, numbersBefore, besides: formats) {
            formats.insert(SectionFormats.Format(payloadType: number, codec: codec, feedback: []), at: place)
        }
        return formats
    }

    /// The payload type of a codec: that of before, or a new one; `nil` if there is none left, or it is in use in the section.
    private mutating func number(
        for codec: RTCRtpCodec,
        _ before: [SectionFormats.Format],
        besides formats: [SectionFormats.Format]
    ) -> UInt8? {
        let known = before.first {
            CodecMatching.matches(codec, $0.codec)
                && ($0.carries.isEmpty || $0.codec.sdpFmtpLine == codec.sdpFmtpLine)
        }
        guard
            let number = known?.payloadType
                ?? self.numbers.payloadTypes.number(for: codec, usual: codec.usualPayloadType),
            !formats.contains(where: { $0.payloadType == number })
        else { return nil }
        return number
    }
}

extension RTCRtpCodec {
    /// The feedback that is offered with it, each as `kind` or `kind parameter`.
    var offeredFeedbackTexts: [String] {
        self.offeredFeedback.map { kind, parameter in parameter.map { "\(kind) \($0)" } ?? kind }
    }
}
