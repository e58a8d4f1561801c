import NIOCore
import RTCBase
import RTCRTP

/// The sending half of one transceiver: one stream for each of its encodings.
final class MediaSender {
    let id: TransceiverID
    let kind: MediaKind
    private(set) var section: NegotiatedMedia.Section
    private(set) var streams: [SendStream] = []
    private(set) var headerExtensions = HeaderExtensionMap()
    private(set) var feedback: NegotiatedMedia.RTCPFeedback = []
    /// What was found for the formats of packets that are forwarded.
    private var outgoing: [ObjectIdentifier: OutgoingFormat] = [:]
    var wasActive = false
    /// Tones that are played or wait; made when some are inserted first.
    var tones: TelephoneEventSender?

    /// How packets of one incoming format go out.
    final class OutgoingFormat {
        /// Kept, so that its identifier names nothing else.
        let incoming: RTPStreamFormat
        let codec: NegotiatedMedia.Codec
        let remap: HeaderExtensionRemap

        init(incoming: RTPStreamFormat, codec: NegotiatedMedia.Codec, remap: HeaderExtensionRemap) {
            self.incoming = incoming
            self.codec = codec
            self.remap = remap
        }
    }

    init(_ section: NegotiatedMedia.Section, random: inout RandomSource) {
        self.id = section.transceiver
        self.kind = section.kind
        self.section = section
        self.update(section, random: &random)
    }

    var isActive: Bool { self.section.send.isActive }

    func update(_ section: NegotiatedMedia.Section, random: inout RandomSource) {
        let known = self.streams
        self.section = section
        let extensions = section.send.headerExtensions.map
        let isProtectionStale = extensions != self.headerExtensions || section.send.formats.flexFEC == nil
        self.headerExtensions = extensions
        self.outgoing = [:]
        self.feedback = section.send.formats.codecs.reduce(into: []) { $0.formUnion($1.feedback) }
        self.streams = section.send.encodings.map { encoding in
            let stream = known.first { $0.ssrc == encoding.ssrc } ?? SendStream(encoding, section.kind, random: &random)
            stream.encoding = encoding
            if isProtectionStale { stream.protection.reset() }
            return stream
        }
    }

    /// The codec to send frames of a codec as; `nil` if the peer takes none such.
    func codec(for codec: RTCRtpCodec) -> NegotiatedMedia.Codec? {
        let codecs = self.section.send.formats.codecs
        // A decoder of another profile or level may do; what cannot be right is another codec.
        return codecs.first { CodecMatching.areSame($0.codec, codec) }
            ?? codecs.first { CodecMatching.matches($0.codec, codec) }
            ?? codecs.first { $0.codec.isNamed(codec.name) && $0.codec.clockRate == codec.clockRate }
    }

    /// Telephone events or comfort noise with a codec's clock rate; `nil` for other formats, and where the peer takes none.
    private func accompaniment(_ codec: RTCRtpCodec) -> NegotiatedMedia.Codec? {
        let formats = self.section.send.formats
        let types = codec.isNamed("CN") ? formats.comfortNoise : formats.telephoneEvents
        return types[codec.clockRate].map { type in
            NegotiatedMedia.Codec(payloadType: type, codec: codec, rtx: nil, feedback: [])
        }
    }

    /// How packets of a format are to go out; `nil` if the peer takes no such codec.
    func outgoing(_ format: RTPStreamFormat) -> OutgoingFormat? {
        if let known = self.outgoing[ObjectIdentifier(format)] { return known }
        guard let codec = format.isAccompaniment ? self.accompaniment(format.codec) : self.codec(for: format.codec)
        else { return nil }
        let made = OutgoingFormat(
            incoming: format,
            codec: codec,
            remap: HeaderExtensionRemap(
                from: format.headerExtensions,
                to: self.headerExtensions,
                keeping: Self.forwardedExtensions
            )
        )
        if self.outgoing.count >= Self.maximumFormats { self.outgoing = [:] }
        self.outgoing[ObjectIdentifier(format)] = made
        return made
    }

    /// The largest payload in bytes: less where repair packets are made, which are larger than what they repair.
    var maximumPayloadSize: Int {
        guard self.section.send.formats.flexFEC != nil else { return MediaSession.maximumPayloadSize }
        return MediaSession.maximumPayloadSize - FlexFECSender.overhead(form: .draft03) - 48
    }

    /// What speaks of the media and not of the path it took.
    static let forwardedExtensions: [HeaderExtensionKind] = [
        .audioLevel, .mixerAudioLevel, .videoOrientation, .playoutDelay, .absoluteCaptureTime, .dependencyDescriptor,
        .videoLayersAllocation,
    ]
    private static let maximumFormats = 64
}
