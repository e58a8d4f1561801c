/// Packets to VP8 frames (RFC 7741).
public struct VP8Depacketizer: RTPDepacketizer {
    private var assembly: FrameAssembly
    private var isKeyFrame = false
    private var pictureID: UInt16?

    /// A depacketizer of one stream.
    public init(limits: DepacketizerLimits = .defaults) { self.assembly = FrameAssembly(limits: limits) }

    /// What became of the frames so far.
    public var counters: DepacketizerCounters { self.assembly.counters }

    /// What one packet says of itself; `nil` for payloads that are broken.
    public static func descriptor(of payload: RawSpan, marker: Bool) -> RTPPayloadDescriptor? {
        payload.withUnsafeBytes { bytes in
            var reader = PayloadReader(bytes)
            return VP8PayloadDescriptor(&reader).map { Self.descriptor($0, reader.rest(), marker: marker) }
        }
    }

    /// The payload descriptor itself, and where the frame's bytes begin behind it; `nil` if it is cut short.
    public static func payloadDescriptor(of payload: RawSpan) -> (descriptor: VP8PayloadDescriptor, byteCount: Int)? {
        payload.withUnsafeBytes { bytes in
            var reader = PayloadReader(bytes)
            return VP8PayloadDescriptor(&reader).map { ($0, reader.offset) }
        }
    }

    private static func descriptor(
        _ own: VP8PayloadDescriptor,
        _ data: UnsafeRawBufferPointer,
        marker: Bool
    ) -> RTPPayloadDescriptor {
        // The frame's first bit is 0 in key frames (RFC 6386 section 9.1).
        let isKeyFrame = own.beginsFrame && data.first.map { $0 & 1 == 0 } ?? false
        var descriptor = RTPPayloadDescriptor(beginsFrame: own.beginsFrame, endsFrame: marker, isKeyFrame: isKeyFrame)
        descriptor.temporalID = own.temporalID
        descriptor.pictureID = own.pictureID
        descriptor.hasLongPictureID = own.pictureID != nil && own.hasLongPictureID
        descriptor.temporalBaseIndex = own.temporalBaseIndex
        descriptor.isDiscardable = own.isNonReference
        descriptor.isSwitchingPoint = own.temporalID != nil && own.isLayerSync
        return descriptor
    }

    /// Begins a frame.
    public mutating func begin(timestamp: UInt32, isStartKnown: Bool) {
        self.assembly.begin(timestamp: timestamp, isStartKnown: isStartKnown)
    }

    /// Takes in the frame's next packet.
    public mutating func append(_ payload: RawSpan, sequenceNumber: UInt16, marker: Bool) {
        payload.withUnsafeBytes { bytes in
            var reader = PayloadReader(bytes)
            let own = VP8PayloadDescriptor(&reader)
            let data = reader.rest()
            let descriptor = own.map { Self.descriptor($0, data, marker: marker) }
            let isFirst = self.assembly.packets == 0
            guard self.assembly.admit(descriptor, sequenceNumber: sequenceNumber), let descriptor else { return }
            guard !data.isEmpty else { return self.assembly.fail(.emptyPayload) }
            if isFirst {
                self.isKeyFrame = descriptor.isKeyFrame
                self.pictureID = descriptor.pictureID
            } else if descriptor.beginsFrame == true || descriptor.pictureID != self.pictureID {
                return self.assembly.fail(.inconsistentPackets)
            }
            self.assembly.write(data)
        }
    }

    /// Ends the frame and gives it, or says why there is none.
    public mutating func finish() -> Result<EncodedFrame, DepacketizationError> {
        self.assembly.finish(isKeyFrame: self.isKeyFrame)
    }
}
