/// Packets to H.264 access units in Annex B form (RFC 6184).
///
/// Takes single NAL units, STAP-A and FU-A; STAP-B, MTAP and FU-B, of the interleaved mode, are refused. An IDR picture
/// gets the parameter sets that it needs and lacks from earlier packets.
public struct H264Depacketizer: RTPDepacketizer {
    private var units: NALUnitDepacketizer<H264Syntax>

    /// A depacketizer of one stream.
    public init(limits: DepacketizerLimits = .defaults) { self.units = NALUnitDepacketizer(limits: limits) }

    /// Takes note of a parameter set that came another way, as `sprop-parameter-sets` in SDP. `unit` has its header and no
    /// start code.
    public mutating func learnParameterSet(_ unit: RawSpan) {
        unit.withUnsafeBytes { if !$0.isEmpty { self.units.sets.learn($0) } }
    }

    /// What became of the frames so far.
    public var counters: DepacketizerCounters { self.units.assembly.counters }

    /// What one packet says of itself; `nil` for payloads that are broken or refused.
    public static func descriptor(of payload: RawSpan, marker: Bool) -> RTPPayloadDescriptor? {
        payload.withUnsafeBytes { Self.descriptor(of: $0, marker: marker) }
    }

    private static func descriptor(of payload: UnsafeRawBufferPointer, marker: Bool) -> RTPPayloadDescriptor? {
        guard let first = payload.first else { return nil }
        let body = UnsafeRawBufferPointer(rebasing: payload[1...])
        return NALUnitDepacketizer<H264Syntax>.descriptor(NALHeader(first: first), body, marker: marker)
    }

    /// Begins a frame.
    public mutating func begin(timestamp: UInt32, isStartKnown: Bool) {
        self.units.begin(timestamp: timestamp, isStartKnown: isStartKnown)
    }

    /// Takes in the frame's next packet.
    public mutating func append(_ payload: RawSpan, sequenceNumber: UInt16, marker: Bool) {
        payload.withUnsafeBytes { bytes in
            guard let first = bytes.first else { return self.units.refuse(.emptyPayload) }
            let header = NALHeader(first: first)
            let type = H264Syntax.type(header)
            guard H264Syntax.isPlain(type) || type == H264Syntax.aggregateType || type == H264Syntax.fragmentType
            else { return self.units.refuse(.unsupportedPacket) }
            let descriptor = Self.descriptor(of: bytes, marker: marker)
            if descriptor == nil && type == H264Syntax.aggregateType { return self.units.refuse(.invalidAggregate) }
            guard self.units.admit(descriptor, sequenceNumber: sequenceNumber) else { return }
            self.units.append(header, UnsafeRawBufferPointer(rebasing: bytes[1...]))
        }
    }

    /// Ends the frame and gives it, or says why there is none.
    public mutating func finish() -> Result<EncodedFrame, DepacketizationError> { self.units.finish() }
}
