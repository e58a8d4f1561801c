/// Packets to H.265 access units in Annex B form (RFC 7798).
///
/// Takes single NAL units, AP, FU, and either behind a PACI header, which is passed over. Decoding order numbers are not
/// understood: WebRTC does not negotiate them. A picture to begin with gets the parameter sets that it needs and lacks from
/// earlier packets.
public struct H265Depacketizer: RTPDepacketizer {
    private var units: NALUnitDepacketizer<H265Syntax>

    /// A depacketizer of one stream.
    public init(limits: DepacketizerLimits = .defaults) { self.units = NALUnitDepacketizer(limits: limits) }

    /// Takes note of a parameter set that came another way, as `sprop-vps` in SDP. `unit` has its header and no start code.
    public mutating func learnParameterSet(_ unit: RawSpan) {
        unit.withUnsafeBytes { if $0.count >= 2 { self.units.sets.learn($0) } }
    }

    /// What became of the frames so far.
    public var counters: DepacketizerCounters { self.units.assembly.counters }

    /// What one packet says of itself; `nil` for payloads that are broken or refused.
    public static func descriptor(of payload: RawSpan, marker: Bool) -> RTPPayloadDescriptor? {
        payload.withUnsafeBytes { bytes in
            guard let (header, body) = Self.unwrap(bytes) else { return nil }
            return NALUnitDepacketizer<H265Syntax>.descriptor(header, body, marker: marker)
        }
    }

    /// Header and rest of a payload, without a PACI header; `nil` if it is cut short.
    private static func unwrap(_ payload: UnsafeRawBufferPointer) -> (NALHeader, UnsafeRawBufferPointer)? {
        guard payload.count >= 2 else { return nil }
        let header = H265Syntax.header(of: payload)
        var reader = PayloadReader(payload, at: 2)
        guard H265Syntax.type(header) == H265Syntax.contentInformationType else { return (header, reader.rest()) }
        // A (1 bit), cType (6), PHSsize (5), F0…2 (3), Y (1); then the extension (RFC 7798 section 4.4.4).
        let fields = reader.uint16()
        reader.skip(Int(fields >> 4 & 0x1F))
        let type = UInt8(fields >> 9 & 0x3F)
        guard !reader.isExhausted, reader.remaining > 0, type != H265Syntax.contentInformationType else { return nil }
        var inner = H265Syntax.header(header, as: type)
        inner.first = inner.first & 0x7F | UInt8(fields >> 15) << 7
        return (inner, reader.rest())
    }

    /// Begins a frame.
    public mutating func begin(timestamp: UInt32, isStartKnown: Bool) {
        self.units.begin(timestamp: timestamp, isStartKnown: isStartKnown)
    }

    /// Takes in the frame's next packet.
    public mutating func append(_ payload: RawSpan, sequenceNumber: UInt16, marker: Bool) {
        payload.withUnsafeBytes { bytes in
            guard !bytes.isEmpty else { return self.units.refuse(.emptyPayload) }
            guard let (header, body) = Self.unwrap(bytes) else { return self.units.refuse(.malformedHeader) }
            let type = H265Syntax.type(header)
            guard H265Syntax.isPlain(type) || type == H265Syntax.aggregateType || type == H265Syntax.fragmentType
            else { return self.units.refuse(.unsupportedPacket) }
            let descriptor = NALUnitDepacketizer<H265Syntax>.descriptor(header, body, marker: marker)
            if descriptor == nil && type == H265Syntax.aggregateType { return self.units.refuse(.invalidAggregate) }
            guard self.units.admit(descriptor, sequenceNumber: sequenceNumber) else { return }
            self.units.append(header, body)
        }
    }

    /// Ends the frame and gives it, or says why there is none.
    public mutating func finish() -> Result<EncodedFrame, DepacketizationError> { self.units.finish() }
}
