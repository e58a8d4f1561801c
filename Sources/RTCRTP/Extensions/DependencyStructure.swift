/// How a video stream's frames depend on each other: the templates that dependency descriptors refer to (AV1 RTP
/// specification, appendix A.8.3).
public struct DependencyStructure: Sendable, Hashable {
    /// What a decode target, which is what a receiver chooses to watch, makes of a frame.
    public enum Indication: UInt8, Sendable, Hashable {
        /// It does not need the frame.
        case notPresent
        /// It needs it, and nothing else needs it afterwards.
        case discardable
        /// It can be switched to with it.
        case `switch`
        /// It needs it.
        case required
    }

    /// A pattern of dependencies.
    public struct Template: Sendable, Hashable {
        /// The spatial layer, 0 to 3.
        public var spatialID: Int
        /// The temporal layer, 0 to 7.
        public var temporalID: Int
        /// What each decode target makes of the frame.
        public var indications: [Indication]
        /// How far before this one the frames lie that it needs, in frame numbers.
        public var frameDifferences: [Int]
        /// How far before this one the last frame of each chain lies, in frame numbers.
        public var chainDifferences: [Int]

        /// A pattern.
        public init(
            spatialID: Int,
            temporalID: Int,
            indications: [Indication],
            frameDifferences: [Int],
            chainDifferences: [Int]
        ) {
            self.spatialID = spatialID
            self.temporalID = temporalID
            self.indications = indications
            self.frameDifferences = frameDifferences
            self.chainDifferences = chainDifferences
        }
    }

    /// The size of a spatial layer's pictures.
    public struct Resolution: Sendable, Hashable {
        /// The width in pixels, 1 to 65,536.
        public var width: Int
        /// The height in pixels, 1 to 65,536.
        public var height: Int

        /// A size.
        public init(width: Int, height: Int) {
            self.width = width
            self.height = height
        }
    }

    /// The number of the first template, 0 to 63.
    public var templateIDOffset: Int
    /// How many decode targets there are, 1 to 32.
    public var decodeTargetCount: Int
    /// The templates, at most 64, by spatial and then by temporal layer.
    public var templates: [Template]
    /// How many chains there are, 0 to ``decodeTargetCount``.
    public var chainCount: Int
    /// The chain that protects each decode target; empty without chains.
    public var protectingChains: [Int]
    /// The size of each spatial layer's pictures; empty if not told.
    public var resolutions: [Resolution]

    /// A structure.
    public init(
        templateIDOffset: Int,
        decodeTargetCount: Int,
        templates: [Template],
        chainCount: Int = 0,
        protectingChains: [Int] = [],
        resolutions: [Resolution] = []
    ) {
        self.templateIDOffset = templateIDOffset
        self.decodeTargetCount = decodeTargetCount
        self.templates = templates
        self.chainCount = chainCount
        self.protectingChains = protectingChains
        self.resolutions = resolutions
    }

    /// The highest spatial layer.
    public var maximumSpatialID: Int { self.templates.last?.spatialID ?? 0 }

    /// The layers that a decode target consists of: the highest of any template that it needs.
    public func layers(ofDecodeTarget target: Int) -> (spatialID: Int, temporalID: Int) {
        var layers = (spatialID: 0, temporalID: 0)
        for template in self.templates
        where template.indications.indices.contains(target) && template.indications[target] != .notPresent {
            layers.spatialID = max(layers.spatialID, template.spatialID)
            layers.temporalID = max(layers.temporalID, template.temporalID)
        }
        return layers
    }

    /// Whether all numbers are in range and all lists as long as others say, so that it can be written.
    public var isValid: Bool {
        guard (0..<64).contains(self.templateIDOffset), (1...32).contains(self.decodeTargetCount),
            (1...64).contains(self.templates.count), (0...self.decodeTargetCount).contains(self.chainCount),
            self.protectingChains.count == (self.chainCount == 0 ? 0 : self.decodeTargetCount),
            self.protectingChains.allSatisfy((0..<self.chainCount).contains),
            self.resolutions.isEmpty || self.resolutions.count == self.maximumSpatialID + 1,
            self.resolutions.allSatisfy({ (1...65_536).contains($0.width) && (1...65_536).contains($0.height) }),
            self.templates[0].spatialID == 0, self.templates[0].temporalID == 0
        else { return false }
        return self.templates.allSatisfy(self.isValid) && self.hasLayersInOrder
    }

    private func isValid(_ template: Template) -> Bool {
        (0..<4).contains(template.spatialID) && (0..<8).contains(template.temporalID)
            && template.indications.count == self.decodeTargetCount
            && template.frameDifferences.allSatisfy((1...16).contains)
            && template.chainDifferences.count == self.chainCount
            && template.chainDifferences.allSatisfy((0..<16).contains)
    }

    private var hasLayersInOrder: Bool {
        zip(self.templates, self.templates.dropFirst()).allSatisfy { Self.step(from: $0, to: $1) != nil }
    }

    /// How the next template's layer is told: 0 the same, 1 the next temporal, 2 the next spatial; `nil` if it cannot be.
    static func step(from first: Template, to second: Template) -> UInt8? {
        switch (second.spatialID - first.spatialID, second.temporalID - first.temporalID) {
        case (0, 0): 0
        case (0, 1): 1
        case (1, _) where second.temporalID == 0: 2
        default: nil
        }
    }
}
