/// How H.264 is put into packets: `packetization-mode` (RFC 6184 section 6.2). The interleaved mode is not used in WebRTC.
public enum H264PacketizationMode: Int, Sendable, Hashable {
    /// One NAL unit a packet; the encoder must keep them small.
    case singleNALUnit = 0
    /// NAL units alone, together (STAP-A) and in fragments (FU-A).
    case nonInterleaved = 1
}

/// H.264 access units to packets (RFC 6184).
public struct H264Packetizer: RTPPacketizer {
    private var units: NALUnitPacketizer<H264Syntax>

    /// A packetizer of one stream.
    public init(mode: H264PacketizationMode = .nonInterleaved) {
        self.units = NALUnitPacketizer(dividesAndJoins: mode == .nonInterleaved)
    }

    /// Whether an IDR picture whose parameter sets are not in its access unit gets those of earlier ones. Default `true`.
    public var repeatsParameterSets: Bool {
        get { self.units.repeatsParameterSets }
        set { self.units.repeatsParameterSets = newValue }
    }

    /// Takes note of a parameter set that comes another way. `unit` has its header and no start code.
    public mutating func learnParameterSet(_ unit: RawSpan) {
        unit.withUnsafeBytes { if !$0.isEmpty { self.units.sets.learn($0) } }
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
