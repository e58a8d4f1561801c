public import RTCRTP

/// What the numbers in a stream's packets mean: its codec and its header extensions, as the receiver of the packets named them.
///
/// Packets of one stream share one object; a forwarding sender recognises it and need not look up the codec for each packet.
public final class RTPStreamFormat: Sendable {
    /// The payload type of the packets.
    public let payloadType: PayloadType
    /// The codec.
    public let codec: RTCRtpCodec
    /// The numbers of the header extensions.
    public let headerExtensions: HeaderExtensionMap
    /// How frames are laid into packets; `nil` for what carries no frames of its own, as telephone events.
    public let payloadFormat: PayloadFormat?
    /// Sound or pictures; `nil` if the name of the codec says neither.
    public let kind: MediaKind?
    /// Whether the packets tell of tones (RFC 4733).
    let isTelephoneEvent: Bool
    /// Whether the packets come between those of a stream's codec: tones and comfort noise.
    let isAccompaniment: Bool

    /// A format.
    public init(payloadType: PayloadType, codec: RTCRtpCodec, headerExtensions: HeaderExtensionMap = .init()) {
        self.payloadType = payloadType
        self.codec = codec
        self.headerExtensions = headerExtensions
        self.kind = codec.kind
        self.isTelephoneEvent = codec.isNamed("telephone-event")
        self.isAccompaniment = self.isTelephoneEvent || codec.isNamed("CN")
        self.payloadFormat = PayloadFormat(RTPCodecName(rawValue: codec.name))
    }
}

extension NegotiatedMedia.HeaderExtensions {
    /// The same as packets need them.
    var map: HeaderExtensionMap {
        var map = HeaderExtensionMap()
        for entry in self.all { map[entry.kind] = entry.id }
        return map
    }
}
