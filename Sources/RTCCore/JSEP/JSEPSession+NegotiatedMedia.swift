import RTCRTP
import RTCSDP

extension JSEPSession {
    /// What is settled for media now: by the current descriptions, or by a provisional answer.
    ///
    /// While an offer alone is pending, what was settled before holds on.
    var negotiatedMedia: NegotiatedMedia {
        var negotiated = NegotiatedMedia()
        negotiated.cname = self.cname
        let isProvisional = self.signalingState == .haveLocalPranswer || self.signalingState == .haveRemotePranswer
        guard let local = isProvisional ? self.local : self.currentLocal,
            let remote = isProvisional ? self.remote : self.currentRemote
        else { return negotiated }
        let answer = local.type == .offer ? remote : local
        let carried = Set(answer.content.bundledSections)
        negotiated.sections = local.content.media.indices.compactMap { index in
            guard carried.contains(index), remote.content.media.indices.contains(index),
                local.content.media[index].isRTPSection, !local.content.media[index].isRejected,
                !remote.content.media[index].isRejected,
                let transceiver = self.transceivers.first(where: { $0.stands(for: index, local.content.media[index]) }),
                !transceiver.isStopped
            else { return nil }
            return self.section(index, transceiver, local.content, remote.content)
        }
        return negotiated
    }

    private func section(
        _ index: Int,
        _ transceiver: JSEPTransceiver,
        _ local: SDPSession,
        _ remote: SDPSession
    ) -> NegotiatedMedia.Section {
        let localFormats = SectionFormats(local.media[index])
        let remoteFormats = SectionFormats(remote.media[index])
        let direction = transceiver.isStopping ? .inactive : transceiver.currentDirection ?? .inactive
        let extensions = Self.extensions(local.extmaps(of: index), remote.extmaps(of: index))
        return NegotiatedMedia.Section(
            mid: transceiver.mid ?? "",
            transceiver: transceiver.id,
            kind: transceiver.kind,
            send: NegotiatedMedia.Sending(
                isActive: direction.sends,
                formats: NegotiatedMedia.Formats(remoteFormats, with: localFormats),
                headerExtensions: extensions.send,
                prefersRedundancy: transceiver.prefersRedundancy || remoteFormats.prefersRedundancy,
                encodings: Self.encodings(of: transceiver, local.media[index], remote.media[index])
            ),
            receive: NegotiatedMedia.Receiving(
                isActive: direction.receives,
                formats: NegotiatedMedia.Formats(localFormats, with: remoteFormats),
                headerExtensions: extensions.receive,
                sources: NegotiatedMedia.Source.all(in: remote.media[index]),
                rids: Self.receivedRIDs(local.media[index], remote.media[index])
            ),
            isReducedSizeRTCP: local.media[index].rtcpRsize && remote.media[index].rtcpRsize,
            allowsMixedHeaderExtensions: local.extmapAllowMixed(of: index) && remote.extmapAllowMixed(of: index)
        )
    }

    /// The extensions that both name; what is sent has the peer's number, what is received this side's.
    private static func extensions(
        _ local: [SDPExtmap],
        _ remote: [SDPExtmap]
    ) -> (send: NegotiatedMedia.HeaderExtensions, receive: NegotiatedMedia.HeaderExtensions) {
        var send = NegotiatedMedia.HeaderExtensions()
        var receive = NegotiatedMedia.HeaderExtensions()
        for ours in local {
            guard let kind = HeaderExtensionKind(uri: ours.uri),
                let theirs = remote.first(where: { $0.uri == ours.uri }),
                let ourNumber = UInt8(exactly: ours.id), let theirNumber = UInt8(exactly: theirs.id)
            else { continue }
            let ourDirection = ours.direction ?? .sendrecv
            let theirDirection = theirs.direction ?? .sendrecv
            if ourDirection.sends, theirDirection.receives { send[kind] = theirNumber }
            if ourDirection.receives, theirDirection.sends { receive[kind] = ourNumber }
        }
        return (send, receive)
    }

    private static func encodings(
        of transceiver: JSEPTransceiver,
        _ local: SDPMedia,
        _ remote: SDPMedia
    ) -> [NegotiatedMedia.Encoding] {
        let offered = Set(local.rids.filter { $0.direction == .send }.map(\.id))
        let taken = offered.intersection(remote.rids.filter { $0.direction == .recv }.map(\.id))
        let isSimulcast = taken.count > 1
        let encodings = transceiver.sender.encodings
        return (isSimulcast ? encodings : Array(encodings.prefix(1))).map { encoding in
            let rid = encoding.parameters.rid.flatMap { taken.contains($0) ? $0 : nil }
            return NegotiatedMedia.Encoding(
                rid: rid,
                ssrc: SSRC(encoding.ssrc),
                rtxSSRC: SSRC(encoding.rtxSSRC),
                fecSSRC: SSRC(encoding.fecSSRC),
                isWanted: (!isSimulcast || rid != nil) && !encoding.isPausedByPeer,
                parameters: encoding.parameters
            )
        }
    }

    private static func receivedRIDs(_ local: SDPMedia, _ remote: SDPMedia) -> [String] {
        let taken = Set(local.rids.filter { $0.direction == .recv }.map(\.id))
        return remote.rids.filter { $0.direction == .send && taken.contains($0.id) }.map(\.id)
    }
}

extension NegotiatedMedia.Formats {
    /// The formats of one side that the other has too, as the one describes them.
    init(_ own: SectionFormats, with other: SectionFormats) {
        self.init()
        let matches = own.matches(other.formats.map(\.codec))
        var retransmissions: [UInt8: PayloadType] = [:]
        for match in matches {
            guard let carried = match.remote.retransmits else { continue }
            retransmissions[carried] = PayloadType(rawValue: match.remote.payloadType)
        }
        for match in matches {
            let format = match.remote
            guard let payloadType = PayloadType(rawValue: format.payloadType) else { continue }
            switch format.codec.name.lowercased() {
            case "rtx": continue
            case "red":
                let carries = format.carries.compactMap { PayloadType(rawValue: $0) }
                self.red.append(NegotiatedMedia.Redundancy(payloadType: payloadType, carries: carries))
            case "flexfec-03": self.flexFEC = payloadType
            case "telephone-event": self.telephoneEvents[format.codec.clockRate] = payloadType
            case "cn": self.comfortNoise[format.codec.clockRate] = payloadType
            default:
                let counterpart = other.formats.first { CodecMatching.matches($0.codec, format.codec) }
                let feedback = Set(format.feedback).intersection(counterpart?.feedback ?? [])
                self.codecs.append(
                    NegotiatedMedia.Codec(
                        payloadType: payloadType,
                        codec: format.codec,
                        rtx: retransmissions[format.payloadType],
                        feedback: NegotiatedMedia.RTCPFeedback(feedback)
                    )
                )
            }
        }
    }
}

extension NegotiatedMedia.RTCPFeedback {
    /// The feedback that SDP texts name.
    init(_ texts: Set<String>) {
        self = []
        for text in texts {
            switch text {
            case "nack": self.insert(.nack)
            case "nack pli": self.insert(.pictureLoss)
            case "ccm fir": self.insert(.fullIntra)
            case "goog-remb": self.insert(.receiverEstimate)
            case "transport-cc": self.insert(.transportWide)
            case RTCRtpCodec.congestionControlFeedback: self.insert(.congestionControl)
            default: break
            }
        }
    }
}

extension NegotiatedMedia.Source {
    /// The most announced streams of one section; further ones are left out.
    private static let maximumCount = 64

    /// The streams that a section announces, in order, with what belongs to each.
    static func all(in media: SDPMedia) -> [NegotiatedMedia.Source] {
        var retransmissions: [UInt32: UInt32] = [:]
        var corrections: [UInt32: UInt32] = [:]
        for group in media.ssrcGroups where group.ssrcs.count == 2 {
            if group.semantics == "FID" { retransmissions[group.ssrcs[0]] = group.ssrcs[1] }
            if group.semantics == "FEC-FR" { corrections[group.ssrcs[0]] = group.ssrcs[1] }
        }
        let secondary = Set(retransmissions.values).union(corrections.values)
        var seen = secondary
        var order: [UInt32] = []
        var names: [UInt32: String] = [:]
        for line in media.ssrcs {
            if order.count < self.maximumCount, seen.insert(line.ssrc).inserted { order.append(line.ssrc) }
            if line.name == "cname" { names[line.ssrc] = line.value }
        }
        return order.map { ssrc in
            NegotiatedMedia.Source(
                ssrc: SSRC(ssrc),
                rtxSSRC: retransmissions[ssrc].map { SSRC($0) },
                fecSSRC: corrections[ssrc].map { SSRC($0) },
                cname: names[ssrc]
            )
        }
    }
}
