package import RTCRTP

/// What the descriptions settled for media: all that the media plane needs to know of SDP.
///
/// A session makes a new value after each description that settles something (a provisional or final answer, a rollback), and when a
/// transceiver is stopped. Values compare, so that whoever takes them can leave alone what did not change; sections are told apart by
/// ``Section/transceiver``, which never names another one later.
package struct NegotiatedMedia: Sendable, Hashable {
    /// The media sections that have a transceiver and are not rejected, in the order of the descriptions.
    package var sections: [Section] = []
    /// The canonical name of this endpoint, for SDES; the same in all sections and for the whole session (RFC 8834 section 4.9).
    package var cname = ""

    /// Nothing negotiated.
    package init() {}

    /// The section of a transceiver.
    package subscript(transceiver: TransceiverID) -> Section? {
        self.sections.first { $0.transceiver == transceiver }
    }
}

extension NegotiatedMedia {
    /// One media section: one sender and one receiver.
    package struct Section: Sendable, Hashable {
        /// The section's identification, as the `mid` header extension carries it.
        package var mid: String
        /// The transceiver behind it.
        package var transceiver: TransceiverID
        /// What it carries.
        package var kind: MediaKind
        /// What is sent, whether or not it may be now.
        package var send: Sending
        /// What is received, whether or not it may be now.
        package var receive: Receiving
        /// Whether RTCP packets may stand alone (RFC 5506).
        package var isReducedSizeRTCP: Bool
        /// Whether one- and two-byte header extensions may be mixed in a stream (RFC 8285 section 4.1.2).
        package var allowsMixedHeaderExtensions: Bool
    }

    /// The sending half of a section. Payload types and header extension numbers are those that the peer named.
    package struct Sending: Sendable, Hashable {
        /// Whether media may be sent now: the negotiated direction says so.
        package var isActive: Bool
        /// What may be sent, in the order of the peer's preference.
        package var formats: Formats
        /// The numbers of the header extensions that may be sent.
        package var headerExtensions: HeaderExtensions
        /// Whether sound is to go out with what went before it (RFC 2198): the application or the peer puts `red` first.
        package var prefersRedundancy: Bool
        /// The encodings, in order: one, or several for simulcast.
        package var encodings: [Encoding]
    }

    /// The receiving half of a section. Payload types and header extension numbers are those that this side named.
    package struct Receiving: Sendable, Hashable {
        /// Whether media is to be taken now: the negotiated direction says so.
        package var isActive: Bool
        /// What may come, in the order of this side's preference.
        package var formats: Formats
        /// The numbers of the header extensions that may come.
        package var headerExtensions: HeaderExtensions
        /// The streams that the peer announced with `ssrc` lines, in order. Often none.
        package var sources: [Source]
        /// The encodings that the peer sends in simulcast, in order. Empty without simulcast.
        package var rids: [String]
    }

    /// One encoding that is sent.
    package struct Encoding: Sendable, Hashable {
        /// The encoding's identifier, as the `rtp-stream-id` header extension carries it; `nil` for a single encoding without one.
        package var rid: String?
        /// The stream it is sent as.
        package var ssrc: SSRC
        /// The stream of its retransmissions (RFC 4588), used if ``Codec/rtx`` is negotiated.
        package var rtxSSRC: SSRC
        /// The stream of its forward error correction, used if ``Formats/flexFEC`` is negotiated.
        package var fecSSRC: SSRC
        /// Whether the peer wants it now: it named it in its answer and did not ask for it to begin paused (RFC 8853).
        package var isWanted: Bool
        /// What the sender's parameters say of it.
        package var parameters: RTCRtpEncodingParameters
    }

    /// A stream that the peer announced.
    package struct Source: Sendable, Hashable {
        /// The stream.
        package var ssrc: SSRC
        /// Its retransmissions, from an `ssrc-group` `FID`.
        package var rtxSSRC: SSRC?
        /// Its forward error correction, from an `ssrc-group` `FEC-FR`.
        package var fecSSRC: SSRC?
        /// The peer's canonical name.
        package var cname: String?
    }

    /// The payload types in one direction.
    package struct Formats: Sendable, Hashable {
        /// The codecs of media proper, in order of preference. The first is the one to send.
        package var codecs: [Codec] = []
        /// Redundant audio (RFC 2198).
        package var red: [Redundancy] = []
        /// Forward error correction by the draft that browsers speak, `flexfec-03`.
        package var flexFEC: PayloadType?
        /// Telephone events (RFC 4733) by their clock rate in Hz.
        package var telephoneEvents: [UInt32: PayloadType] = [:]
        /// Comfort noise (RFC 3389) by its clock rate in Hz.
        package var comfortNoise: [UInt32: PayloadType] = [:]

        /// The codec with a payload type.
        package func codec(_ payloadType: PayloadType) -> Codec? {
            self.codecs.first { $0.payloadType == payloadType }
        }

        /// The codec whose retransmissions have a payload type.
        package func codec(retransmittedAs payloadType: PayloadType) -> Codec? {
            self.codecs.first { $0.rtx == payloadType }
        }
    }

    /// A codec of media proper.
    package struct Codec: Sendable, Hashable {
        /// Its payload type.
        package var payloadType: PayloadType
        /// The codec and its parameters, as the receiver of the media described them.
        package var codec: RTCRtpCodec
        /// The payload type of its retransmissions (RFC 4588).
        package var rtx: PayloadType?
        /// The feedback that both sides agreed on.
        package var feedback: RTCPFeedback
    }

    /// Redundant audio: a format that carries others.
    package struct Redundancy: Sendable, Hashable {
        /// Its payload type.
        package var payloadType: PayloadType
        /// The payload types it carries, the primary one first.
        package var carries: [PayloadType]
    }

    /// Kinds of RTCP feedback (RFC 4585 section 4.2 and others).
    package struct RTCPFeedback: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }

        /// Generic NACK: what is lost is asked for again.
        package static let nack = RTCPFeedback(rawValue: 1)
        /// Picture loss indication.
        package static let pictureLoss = RTCPFeedback(rawValue: 2)
        /// Full intra request (RFC 5104 section 4.3.1).
        package static let fullIntra = RTCPFeedback(rawValue: 4)
        /// The receiver's estimate of the bandwidth, `goog-remb`.
        package static let receiverEstimate = RTCPFeedback(rawValue: 8)
        /// Arrival times of all packets of a transport, `transport-cc`.
        package static let transportWide = RTCPFeedback(rawValue: 16)
        /// Congestion control feedback (RFC 8888), `ack ccfb`.
        package static let congestionControl = RTCPFeedback(rawValue: 32)
    }

    /// The numbers of header extensions in one direction: 1 to 14 fit one-byte headers.
    package struct HeaderExtensions: Sendable, Hashable {
        private var ids: [HeaderExtensionKind: UInt8] = [:]

        /// None.
        package init() {}

        /// The number of an extension, `nil` if it was not negotiated.
        package subscript(kind: HeaderExtensionKind) -> UInt8? {
            get { self.ids[kind] }
            set { self.ids[kind] = newValue }
        }

        /// All of them, by number.
        package var all: [(kind: HeaderExtensionKind, id: UInt8)] {
            self.ids.map { (kind: $0.key, id: $0.value) }.sorted { $0.id < $1.id }
        }
    }
}
