/// Packets to blocks of G.711 or G.722, each from one packet.
public struct PCMDepacketizer: RTPDepacketizer {
    private var assembly: FrameAssembly

    /// A depacketizer of one stream.
    public init(limits: DepacketizerLimits = .defaults) { self.assembly = FrameAssembly(limits: limits) }

    /// What became of the packets so far.
    public var counters: DepacketizerCounters { self.assembly.counters }

    /// What one packet says of itself; `nil` if it is empty.
    public static func descriptor(of payload: RawSpan, marker: Bool) -> RTPPayloadDescriptor? {
        guard payload.byteCount > 0 else { return nil }
        return RTPPayloadDescriptor(beginsFrame: true, endsFrame: true, isKeyFrame: true)
    }

    /// Begins a block.
    public mutating func begin(timestamp: UInt32, isStartKnown: Bool) {
        self.assembly.begin(timestamp: timestamp, isStartKnown: isStartKnown)
    }

    /// Takes in the block's only packet.
    public mutating func append(_ payload: RawSpan, sequenceNumber: UInt16, marker: Bool) {
        guard payload.byteCount > 0 else { return self.assembly.fail(.emptyPayload) }
        let descriptor = Self.descriptor(of: payload, marker: marker)
        guard self.assembly.admit(descriptor, sequenceNumber: sequenceNumber) else { return }
        payload.withUnsafeBytes { self.assembly.write($0) }
    }

    /// Ends the block and gives it, or says why there is none.
    public mutating func finish() -> Result<EncodedFrame, DepacketizationError> {
        self.assembly.finish(isKeyFrame: true)
    }
}
