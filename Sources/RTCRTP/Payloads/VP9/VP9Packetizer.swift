internal import NIOCore

/// VP9 frames to packets (RFC 9628), in the flexible mode or the other.
public struct VP9Packetizer: RTPPacketizer {
    /// Where the frame of one spatial layer stands in the stream.
    public struct Layer: Sendable, Hashable {
        /// The spatial layer, 0 to 7.
        public var spatialID: UInt8 = 0
        /// The temporal layer, 0 to 7.
        public var temporalID: UInt8 = 0
        /// Whether a receiver may switch up to this temporal layer with this picture.
        public var isSwitchingPoint = false
        /// Whether the frame refers to earlier pictures of its layer.
        public var isInterPicturePredicted = false
        /// Whether the frame depends on the next lower spatial layer of its picture.
        public var isInterLayerPredicted = false
        /// Whether no frame of a higher spatial layer refers to this one.
        public var isNotInterLayerReference = false
        /// How many pictures before this one the references are, 1 to 127 each, at most three. Flexible mode only, where a
        /// frame that is predicted from earlier pictures has at least one.
        public var references: [UInt8] = []
        /// Whether the frame is the first of its picture.
        public var beginsPicture = true
        /// Whether the frame is the last of its picture.
        public var endsPicture = true
        /// The scalability structure, to be sent with this frame.
        public var structure: VP9ScalabilityStructure?

        /// A picture to begin with that has one layer.
        public init() {}
    }

    /// The picture ID of the next picture.
    public private(set) var pictureID: UInt16
    private let hasLongPictureID: Bool
    private let isFlexible: Bool
    private var temporalBaseIndex: UInt8 = 0
    private var builder = PayloadBuilder()

    /// A packetizer of one stream.
    ///
    /// - Parameters:
    ///   - firstPictureID: The picture ID to begin with. Should be random.
    ///   - hasLongPictureID: Whether picture IDs have 15 bits rather than 7. Default `true`.
    ///   - isFlexible: Whether each frame names its references. Default `false`: the scalability structure does, which is
    ///     sent with key frames.
    public init(firstPictureID: UInt16 = 0, hasLongPictureID: Bool = true, isFlexible: Bool = false) {
        self.hasLongPictureID = hasLongPictureID
        self.isFlexible = isFlexible
        self.pictureID = firstPictureID & (hasLongPictureID ? 0x7FFF : 0x7F)
    }

    /// Cuts a frame of a stream of one layer, where each frame refers to the one before, into payloads.
    public mutating func packetize(
        _ frame: EncodedFrame,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        var layer = Layer()
        layer.isInterPicturePredicted = !frame.isKeyFrame
        if frame.isKeyFrame {
            let size = frame.payload.withUnsafeReadableBytes { VP9FrameHeader(bytes: $0)?.size }
            let next = VP9ScalabilityStructure.Picture(temporalID: 0, isSwitchingPoint: false, references: [1])
            layer.structure = VP9ScalabilityStructure(
                spatialLayers: 1,
                sizes: size.map { [PictureSize(width: min($0.width, 65_535), height: min($0.height, 65_535))] } ?? [],
                group: self.isFlexible ? nil : [next]
            )
        } else if self.isFlexible {
            layer.references = [1]
        }
        try self.packetize(frame, layer: layer, maximumPayloadSize: maximumPayloadSize, emit)
    }

    /// Cuts the frame of one spatial layer into payloads. The layers of a picture come one after the other, the lowest first.
    public mutating func packetize(
        _ frame: EncodedFrame,
        layer: Layer,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        try self.check(layer)
        var descriptor = self.descriptor(layer)
        let overhead = descriptor.byteCount
        // A structure stands in the first packet, with at least one byte of the frame behind it.
        let firstCapacity = maximumPayloadSize - overhead - (layer.structure?.byteCount ?? 0)
        guard firstCapacity > 0 else {
            throw .maximumPayloadSizeTooSmall(minimum: maximumPayloadSize - firstCapacity + 1)
        }
        let total = frame.payload.readableBytes
        try requireDivisible(byteCount: total, capacity: maximumPayloadSize - overhead)
        let first = min(firstCapacity, Self.firstPart(of: total, firstCapacity, maximumPayloadSize - overhead))
        let rest = total - first
        let split = rest > 0 ? EvenSplit(rest, capacity: maximumPayloadSize - overhead) : nil
        for index in 0...(split?.count ?? 0) {
            let isLast = index == split?.count ?? 0
            descriptor.beginsLayerFrame = index == 0
            descriptor.endsLayerFrame = isLast
            descriptor.write(to: &self.builder, structure: index == 0 ? layer.structure : nil)
            let range = index == 0 ? 0..<first : split?.range(index - 1) ?? 0..<0
            let start = index == 0 ? 0 : first
            self.builder.append(frame: range.lowerBound + start..<range.upperBound + start)
            self.builder.emit(
                marker: isLast && layer.endsPicture,
                beginsFrame: index == 0 && layer.beginsPicture,
                emit
            )
        }
        self.advance(layer, descriptor)
    }

    /// How much of a frame goes into the first packet, for packets of nearly the same size.
    private static func firstPart(of total: Int, _ firstCapacity: Int, _ capacity: Int) -> Int {
        guard total > firstCapacity else { return total }
        let whole = total + capacity - firstCapacity
        let packets = (whole + capacity - 1) / capacity
        return max(1, whole / packets - (capacity - firstCapacity))
    }

    private func check(_ layer: Layer) throws(PacketizationError) {
        guard layer.spatialID < 8, layer.temporalID < 8, layer.structure?.isValid ?? true else { throw .invalidLayer }
        guard self.isFlexible, layer.isInterPicturePredicted else {
            guard layer.references.isEmpty else { throw .invalidLayer }
            return
        }
        guard (1...3).contains(layer.references.count), layer.references.allSatisfy({ (1...127).contains($0) })
        else { throw .invalidLayer }
    }

    private func descriptor(_ layer: Layer) -> VP9PayloadDescriptor {
        var descriptor = VP9PayloadDescriptor()
        descriptor.pictureID = self.pictureID
        descriptor.hasLongPictureID = self.hasLongPictureID
        descriptor.isInterPicturePredicted = layer.isInterPicturePredicted
        descriptor.isFlexible = self.isFlexible
        descriptor.isNotInterLayerReference = layer.isNotInterLayerReference
        // Receivers expect the base index in the non-flexible mode, and it comes with the layers only.
        descriptor.hasLayers = true
        descriptor.temporalID = layer.temporalID
        descriptor.spatialID = layer.spatialID
        descriptor.isSwitchingPoint = layer.isSwitchingPoint
        descriptor.isInterLayerPredicted = layer.isInterLayerPredicted
        descriptor.temporalBaseIndex =
            self.temporalBaseIndex &+ (layer.temporalID == 0 && layer.beginsPicture ? 1 : 0)
        for reference in layer.references { descriptor.addReference(reference) }
        return descriptor
    }

    private mutating func advance(_ layer: Layer, _ descriptor: VP9PayloadDescriptor) {
        self.temporalBaseIndex = descriptor.temporalBaseIndex
        guard layer.endsPicture else { return }
        self.pictureID = (self.pictureID + 1) & (self.hasLongPictureID ? 0x7FFF : 0x7F)
    }
}
