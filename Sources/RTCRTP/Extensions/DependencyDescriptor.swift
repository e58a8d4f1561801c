/// Which frames a frame needs, and for whom (AV1 RTP specification, appendix A).
///
/// Most descriptors refer to a structure that an earlier one carried: whoever reads them keeps the last one of each stream.
/// A forwarding server that only needs borders and numbers of frames reads ``DependencyDescriptorHead``.
public struct DependencyDescriptor: Sendable, Hashable {
    public typealias Indication = DependencyStructure.Indication

    /// Whether the packet is the first of its frame.
    public var isStartOfFrame: Bool
    /// Whether the packet is the last of its frame.
    public var isEndOfFrame: Bool
    /// The number of the template that the frame follows, 0 to 63.
    public var templateID: Int
    /// The frame's number, which begins anew after 65,535.
    public var frameNumber: UInt16
    /// A new structure, from this frame on.
    public var structure: DependencyStructure?
    /// Which decode targets are still to be had, one bit each, from this frame on; `nil` if that did not change. With a
    /// new structure and without this all of them are.
    public var activeDecodeTargets: UInt32?
    /// What each decode target makes of the frame, where it differs from the template.
    public var customIndications: [Indication]?
    /// How far before this one the frames lie that it needs, 1 to 4,096, where they differ from the template's.
    public var customFrameDifferences: [Int]?
    /// How far before this one the last frame of each chain lies, 0 to 255, where they differ from the template's.
    public var customChainDifferences: [Int]?

    /// A descriptor that follows its template in all.
    public init(isStartOfFrame: Bool, isEndOfFrame: Bool, templateID: Int, frameNumber: UInt16) {
        self.isStartOfFrame = isStartOfFrame
        self.isEndOfFrame = isEndOfFrame
        self.templateID = templateID
        self.frameNumber = frameNumber
    }

    /// The template that the frame follows; `nil` if the structure has none of its number.
    ///
    /// - Parameter structure: The last one of the stream, this descriptor's own if it has one.
    public func template(in structure: DependencyStructure) -> DependencyStructure.Template? {
        let index = (self.templateID &+ 64 &- structure.templateIDOffset) & 63
        return index < structure.templates.count ? structure.templates[index] : nil
    }

    /// What each decode target makes of the frame; empty if the structure does not have its template.
    public func indications(in structure: DependencyStructure) -> [Indication] {
        self.customIndications ?? self.template(in: structure)?.indications ?? []
    }

    /// How far before this one the frames lie that it needs.
    public func frameDifferences(in structure: DependencyStructure) -> [Int] {
        self.customFrameDifferences ?? self.template(in: structure)?.frameDifferences ?? []
    }

    /// How far before this one the last frame of each chain lies.
    public func chainDifferences(in structure: DependencyStructure) -> [Int] {
        self.customChainDifferences ?? self.template(in: structure)?.chainDifferences ?? []
    }
}

/// The first three bytes of a dependency descriptor, which need no structure to be read.
public struct DependencyDescriptorHead: Sendable, Hashable {
    /// Whether the packet is the first of its frame.
    public let isStartOfFrame: Bool
    /// Whether the packet is the last of its frame.
    public let isEndOfFrame: Bool
    /// The number of the template that the frame follows, 0 to 63.
    public let templateID: Int
    /// The frame's number, which begins anew after 65,535.
    public let frameNumber: UInt16
    /// Whether a structure follows, as with key frames.
    public let hasStructure: Bool

    /// Reads the head; `nil` for fewer than three bytes.
    public init?(_ bytes: RawSpan) {
        guard let bits = bytes.networkOrder24(at: 0) else { return nil }
        self.isStartOfFrame = bits & 0x80_0000 != 0
        self.isEndOfFrame = bits & 0x40_0000 != 0
        self.templateID = Int(bits >> 16 & 0x3F)
        self.frameNumber = UInt16(bits & 0xFFFF)
        let flags: UInt8 = bytes.networkOrder(at: 3) ?? 0
        self.hasStructure = flags & 0x80 != 0
    }
}
