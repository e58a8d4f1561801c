internal import NIOCore

/// Packets to AV1 temporal units (AOM's RTP payload format for AV1): OBUs that all have a size field. The temporal delimiter
/// is not sent and not put back.
public struct AV1Depacketizer: RTPDepacketizer {
    private var assembly: FrameAssembly
    /// The unit under way, while it comes in fragments.
    private var fragments = ByteBuffer()
    private var isInUnit = false
    private var hasSequenceHeader = false
    private var isReduced = false
    private var isKeyFrame: Bool?

    /// A depacketizer of one stream.
    public init(limits: DepacketizerLimits = .defaults) { self.assembly = FrameAssembly(limits: limits) }

    /// What became of the frames so far.
    public var counters: DepacketizerCounters { self.assembly.counters }

    /// What one packet says of itself; `nil` for payloads that are broken.
    ///
    /// A key frame shows in the packets with its sequence header.
    public static func descriptor(of payload: RawSpan, marker: Bool) -> RTPPayloadDescriptor? {
        payload.withUnsafeBytes { Self.descriptor(of: $0, marker: marker) }
    }

    private static func descriptor(of payload: UnsafeRawBufferPointer, marker: Bool) -> RTPPayloadDescriptor? {
        var reader = PayloadReader(payload)
        guard payload.count > 1, let header = AV1AggregationHeader(reader.byte()) else { return nil }
        let hasLength = header.elementCount != 1
        if hasLength {
            guard let length = reader.leb128(), length > 0, length <= reader.remaining else { return nil }
        }
        guard !header.continuesElement else {
            return RTPPayloadDescriptor(beginsFrame: false, endsFrame: marker, isKeyFrame: false)
        }
        let first = reader.byte()
        let isSequence = first >> 3 & 0xF == AV1OBU.sequenceHeader
        var descriptor = RTPPayloadDescriptor(
            beginsFrame: header.beginsSequence || isSequence ? true : nil,
            endsFrame: marker,
            isKeyFrame: header.beginsSequence || isSequence
        )
        if first & AV1OBU.extensionFlag != 0 && reader.remaining > 0 {
            let layers = reader.byte()
            descriptor.temporalID = layers >> 5
            descriptor.spatialID = layers >> 3 & 3
        }
        return descriptor
    }

    /// Begins a temporal unit.
    public mutating func begin(timestamp: UInt32, isStartKnown: Bool) {
        self.assembly.begin(timestamp: timestamp, isStartKnown: isStartKnown)
        self.fragments.clear()
        self.isInUnit = false
        self.hasSequenceHeader = false
        self.isReduced = false
        self.isKeyFrame = nil
    }

    /// Takes in the temporal unit's next packet.
    public mutating func append(_ payload: RawSpan, sequenceNumber: UInt16, marker: Bool) {
        payload.withUnsafeBytes { bytes in
            guard bytes.count > 1 else { return self.assembly.fail(.emptyPayload) }
            let descriptor = Self.descriptor(of: bytes, marker: marker)
            guard self.assembly.admit(descriptor, sequenceNumber: sequenceNumber) else { return }
            guard let header = AV1AggregationHeader(bytes[0]) else { return self.assembly.fail(.malformedHeader) }
            guard header.continuesElement == self.isInUnit else {
                return self.assembly.fail(self.isInUnit ? .unfinishedFragment : .unexpectedFragment)
            }
            self.appendElements(header, UnsafeRawBufferPointer(rebasing: bytes[1...]))
        }
    }

    private mutating func appendElements(_ header: AV1AggregationHeader, _ body: UnsafeRawBufferPointer) {
        var reader = PayloadReader(body)
        var index: UInt8 = 0
        while reader.remaining > 0 {
            index &+= 1
            let element: UnsafeRawBufferPointer
            if header.elementCount > 0 && index == header.elementCount {
                element = reader.rest()
            } else {
                guard let length = reader.leb128(), length > 0, let run = reader.run(length) else {
                    return self.assembly.fail(.invalidAggregate)
                }
                element = run
            }
            self.appendElement(element, goesOn: header.isContinued && reader.remaining == 0)
            if self.assembly.failure != nil { return }
        }
        // Elements that the header promised.
        if header.elementCount > 0 && index != header.elementCount { self.assembly.fail(.invalidAggregate) }
    }

    private mutating func appendElement(_ element: UnsafeRawBufferPointer, goesOn: Bool) {
        guard self.isInUnit || goesOn else { return self.appendUnit(element) }
        guard element.count <= self.assembly.limits.frameSize - self.fragments.readableBytes else {
            return self.assembly.fail(.frameTooLarge)
        }
        self.fragments.writeBytes(element)
        self.isInUnit = goesOn
        guard !goesOn else { return }
        let whole = self.fragments
        whole.withUnsafeReadableBytes { self.appendUnit($0) }
        self.fragments.clear()
    }

    /// Appends a whole OBU, with a size field.
    private mutating func appendUnit(_ bytes: UnsafeRawBufferPointer) {
        guard let unit = AV1OBU(bytes: bytes), unit.range.count == bytes.count else {
            return self.assembly.fail(.invalidAggregate)
        }
        guard unit.type != AV1OBU.temporalDelimiter && unit.type != AV1OBU.tileList else { return }
        self.learn(unit, bytes)
        self.assembly.write(unit.header | AV1OBU.sizeFlag)
        if let headerExtension = unit.headerExtension { self.assembly.write(headerExtension) }
        var size = unit.payload.count
        while size > 0x7F {
            self.assembly.write(UInt8(size & 0x7F) | 0x80)
            size >>= 7
        }
        self.assembly.write(UInt8(size))
        self.assembly.write(UnsafeRawBufferPointer(rebasing: bytes[unit.payload]))
    }

    private mutating func learn(_ unit: AV1OBU, _ bytes: UnsafeRawBufferPointer) {
        if unit.type == AV1OBU.sequenceHeader {
            self.hasSequenceHeader = true
            let header = AV1SequenceHeader(bytes: UnsafeRawBufferPointer(rebasing: bytes[unit.payload]))
            self.isReduced = header?.isReducedStillPicture ?? false
        } else if self.isKeyFrame == nil && (unit.type == AV1OBU.frame || unit.type == AV1OBU.frameHeader) {
            self.isKeyFrame = unit.isKeyFrame(in: bytes, isReduced: self.isReduced)
        }
    }

    /// Ends the temporal unit and gives it, or says why there is none.
    public mutating func finish() -> Result<EncodedFrame, DepacketizationError> {
        if self.isInUnit { self.assembly.fail(.unfinishedFragment) }
        return self.assembly.finish(isKeyFrame: self.hasSequenceHeader && self.isKeyFrame ?? false)
    }
}
