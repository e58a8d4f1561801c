import NIOCore
import RTCRTP

/// The receiving half of one transceiver: its streams, one or several for simulcast.
final class MediaReceiver {
    let id: TransceiverID
    private(set) var section: NegotiatedMedia.Section
    /// What each payload type means.
    private(set) var formats = [RTPStreamFormat?](repeating: nil, count: 128)
    /// Which payload type each retransmission format repeats.
    private(set) var repeated = [PayloadType?](repeating: nil, count: 128)
    /// What redundant sound carries, by its payload type.
    private(set) var redundant = [RTPStreamFormat?](repeating: nil, count: 128)
    private(set) var feedback: NegotiatedMedia.RTCPFeedback = []
    var streams: [ReceiveStream] = []
    /// Who wants what comes.
    var wants = Wants()
    var isSilent = true
    var fullIntraSequence: UInt8 = 0

    struct Wants: Sendable, Hashable {
        var packets = false
        var frames = false
        var target: TimeAmount?
    }

    init(_ section: NegotiatedMedia.Section) {
        self.id = section.transceiver
        self.section = section
        self.update(section)
    }

    var isActive: Bool { self.section.receive.isActive }

    func update(_ section: NegotiatedMedia.Section) {
        self.section = section
        let map = section.receive.headerExtensions.map
        var formats = [RTPStreamFormat?](repeating: nil, count: 128)
        var repeated = [PayloadType?](repeating: nil, count: 128)
        self.feedback = []
        for codec in section.receive.formats.codecs {
            let number = Int(codec.payloadType.rawValue)
            // Whoever forwards knows a format by its object: what did not change keeps it.
            if let known = self.formats[number], known.codec == codec.codec, known.headerExtensions == map {
                formats[number] = known
            } else {
                formats[number] = RTPStreamFormat(
                    payloadType: codec.payloadType,
                    codec: codec.codec,
                    headerExtensions: map
                )
            }
            if let rtx = codec.rtx { repeated[Int(rtx.rawValue)] = codec.payloadType }
            self.feedback.formUnion(codec.feedback)
        }
        for (clockRate, type) in section.receive.formats.telephoneEvents {
            let codec = RTCRtpCodec(mimeType: "audio/telephone-event", clockRate: clockRate)
            formats[Int(type.rawValue)] = RTPStreamFormat(payloadType: type, codec: codec, headerExtensions: map)
        }
        for (clockRate, type) in section.receive.formats.comfortNoise {
            let codec = RTCRtpCodec(mimeType: "audio/CN", clockRate: clockRate)
            formats[Int(type.rawValue)] = RTPStreamFormat(payloadType: type, codec: codec, headerExtensions: map)
        }
        self.redundant = [RTPStreamFormat?](repeating: nil, count: 128)
        for red in section.receive.formats.red {
            guard let first = red.carries.first else { continue }
            self.redundant[Int(red.payloadType.rawValue)] = formats[Int(first.rawValue)]
        }
        self.formats = formats
        self.repeated = repeated
    }

    func stream(_ ssrc: SSRC) -> ReceiveStream? { self.streams.first { $0.ssrc == ssrc } }

    /// What the demultiplexer is to know of it.
    func demultiplexing(as number: Int) -> RTPDemultiplexer.Section {
        let formats = self.section.receive.formats
        let media = formats.codecs.map(\.payloadType) + Array(formats.telephoneEvents.values)
        var sources: [RTPDemultiplexer.Source] = []
        for source in self.section.receive.sources {
            sources.append(RTPDemultiplexer.Source(ssrc: source.ssrc))
            if let rtx = source.rtxSSRC {
                sources.append(.init(ssrc: rtx, role: .retransmission, protectedSSRC: source.ssrc))
            }
            if let fec = source.fecSSRC {
                sources.append(.init(ssrc: fec, role: .forwardErrorCorrection, protectedSSRC: source.ssrc))
            }
        }
        return RTPDemultiplexer.Section(
            id: number,
            mid: self.section.mid,
            payloadTypes: media + Array(formats.comfortNoise.values) + formats.red.map(\.payloadType),
            retransmissionPayloadTypes: formats.codecs.compactMap(\.rtx),
            repairPayloadTypes: formats.flexFEC.map { [$0] } ?? [],
            encodings: self.section.receive.rids,
            sources: sources
        )
    }

    var nextTimeout: NIODeadline? {
        var earliest: NIODeadline?
        for stream in self.streams { earliest = .earliest(earliest, stream.nextTimeout) }
        return earliest
    }
}
