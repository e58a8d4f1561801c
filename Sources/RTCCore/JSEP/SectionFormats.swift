import RTCRTP
import RTCSDP

/// The payload types of one media section, read once.
struct SectionFormats: Sendable {
    /// A payload type and what stands behind it.
    struct Format: Sendable, Hashable {
        var payloadType: UInt8
        var codec: RTCRtpCodec
        /// The feedback for this payload type, `*` included, each as `kind` or `kind parameter`.
        var feedback: [String]

        /// The payload type whose retransmissions this is (RFC 4588 section 8.6); `nil` for other formats.
        var retransmits: UInt8? {
            guard self.codec.isNamed("rtx") else { return nil }
            return FormatParameters(self.codec.sdpFmtpLine)["apt"].flatMap { UInt8($0) }
        }

        /// The payload types that redundant audio carries: `111/111` (RFC 2198 section 5); empty for other formats.
        var carries: [UInt8] {
            guard self.codec.isNamed("red") else { return [] }
            return (self.codec.sdpFmtpLine ?? "").split(separator: "/").compactMap { UInt8($0) }
        }
    }

    /// In the order of the section's `m=` line. A payload type without `rtpmap` that RFC 3551 does not know is left out.
    let formats: [Format]

    init(_ media: SDPMedia) {
        var maps: [UInt8: SDPRTPMap] = [:]
        for map in media.rtpmaps where maps[map.payloadType] == nil { maps[map.payloadType] = map }
        var parameters: [String: String] = [:]
        for fmtp in media.fmtps where parameters[fmtp.format] == nil { parameters[fmtp.format] = fmtp.text }
        var feedback: [UInt8?: [String]] = [:]
        for line in media.rtcpFeedback {
            let text = line.parameter.map { "\(line.type) \($0)" } ?? line.type
            feedback[line.payloadType, default: []].append(text)
        }
        var seen: Set<UInt8> = []
        self.formats = media.formats.compactMap { text in
            guard let payloadType = UInt8(text), payloadType < 128, seen.insert(payloadType).inserted,
                let map = maps[payloadType] ?? Self.fixed(payloadType)
            else { return nil }
            return Format(
                payloadType: payloadType,
                codec: RTCRtpCodec(
                    mimeType: "\(media.kind)/\(map.encodingName)",
                    clockRate: map.clockRate,
                    channels: map.channels ?? (media.kind == "audio" ? 1 : nil),
                    sdpFmtpLine: parameters[text]
                ),
                feedback: (feedback[payloadType] ?? []) + (feedback[nil] ?? [])
            )
        }
    }

    /// Whether redundant sound stands before the plain one that it carries.
    var prefersRedundancy: Bool {
        guard let redundant = self.formats.firstIndex(where: { $0.codec.isNamed("red") }) else { return false }
        let carried = self.formats[redundant].carries.first
        return self.formats[..<redundant].allSatisfy { $0.payloadType != carried && $0.codec.isAuxiliary }
    }

    /// The format with a payload type.
    subscript(payloadType: UInt8) -> Format? { self.formats.first { $0.payloadType == payloadType } }

    /// The payload types that RFC 3551 section 6 fixed and that are used still.
    private static func fixed(_ payloadType: UInt8) -> SDPRTPMap? {
        let name: String
        switch payloadType {
        case 0: name = "PCMU"
        case 8: name = "PCMA"
        case 9: name = "G722"
        case 13: name = "CN"
        default: return nil
        }
        return SDPRTPMap(payloadType: payloadType, encodingName: name, clockRate: 8_000)
    }
}

// MARK: - What both sides have

extension SectionFormats {
    /// A format of the peer and the capability of ours that it matches.
    struct Match: Sendable {
        var remote: Format
        var local: RTCRtpCodec
    }

    /// The formats that match one of `codecs`, each with the first one that it matches, in this section's order.
    ///
    /// Retransmission and redundancy stay only with what they carry. Empty if nothing but those would be left.
    func matches(_ codecs: [RTCRtpCodec]) -> [Match] {
        let media = self.formats.compactMap { format -> Match? in
            guard !format.codec.isNamed("rtx"), !format.codec.isNamed("red"),
                let local = codecs.first(where: { CodecMatching.matches($0, format.codec) })
            else { return nil }
            return Match(remote: format, local: local)
        }
        guard media.contains(where: { !$0.local.isAuxiliary }) else { return [] }
        let accepted = Set(media.map(\.remote.payloadType))
        return self.formats.compactMap { format in
            if accepted.contains(format.payloadType) {
                return media.first { $0.remote.payloadType == format.payloadType }
            }
            guard let local = codecs.first(where: { CodecMatching.matches($0, format.codec) }) else { return nil }
            if let carried = format.retransmits { return accepted.contains(carried) ? Match(format, local) : nil }
            let carried = format.carries
            guard format.codec.isNamed("red"), !carried.isEmpty, carried.allSatisfy(accepted.contains) else {
                return nil
            }
            return Match(format, local)
        }
    }
}

extension SectionFormats.Match {
    fileprivate init(_ remote: SectionFormats.Format, _ local: RTCRtpCodec) {
        self.init(remote: remote, local: local)
    }

    /// Feedback that both sides name.
    var feedback: [String] {
        let offered = self.local.offeredFeedback.map { kind, parameter in parameter.map { "\(kind) \($0)" } ?? kind }
        return offered.filter(self.remote.feedback.contains)
    }
}
