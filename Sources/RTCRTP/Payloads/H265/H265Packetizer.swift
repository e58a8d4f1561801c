/// H.265 access units to packets (RFC 7798): NAL units alone, together (AP) and in fragments (FU).
public struct H265Packetizer: RTPPacketizer {
    private var units = NALUnitPacketizer<H265Syntax>(dividesAndJoins: true)

    /// A packetizer of one stream.
    public init() {}

    /// Whether a picture to begin with whose parameter sets are not in its access unit gets those of earlier ones. Default
    /// `true`.
    public var repeatsParameterSets: Bool {
        get { self.units.repeatsParameterSets }
        set { self.units.repeatsParameterSets = newValue }
    }

    /// Takes note of a parameter set that comes another way. `unit` has its header and no start code.
    public mutating func learnParameterSet(_ unit: RawSpan) {
        unit.withUnsafeBytes { if $0.count >= 2 { self.units.sets.learn($0) } }
    }

    /// Cuts an access unit in Annex B form into payloads.
    public mutating func packetize(
        _ frame: EncodedFrame,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        try self.units.packetize(frame, maximumPayloadSize: maximumPayloadSize, emit)
    }
}
