internal import NIOCore

/// VP8 frames to packets (RFC 7741). Packets end anywhere: the borders of partitions are not looked for.
public struct VP8Packetizer: RTPPacketizer {
    /// Where a frame stands among temporal layers.
    public struct Layer: Sendable, Hashable {
        /// The temporal layer, 0 to 3.
        public var temporalID: UInt8
        /// Whether the frame depends on the lowest temporal layer only.
        public var isLayerSync: Bool
        /// Whether no other frame refers to this one.
        public var isNonReference: Bool

        /// A place among temporal layers.
        public init(temporalID: UInt8, isLayerSync: Bool = false, isNonReference: Bool = false) {
            self.temporalID = temporalID
            self.isLayerSync = isLayerSync
            self.isNonReference = isNonReference
        }
    }

    /// The picture ID of the next frame; `nil` sends none.
    public private(set) var pictureID: UInt16?
    private let hasLongPictureID: Bool
    private var temporalBaseIndex: UInt8 = 0
    private var builder = PayloadBuilder()

    /// A packetizer of one stream.
    ///
    /// - Parameters:
    ///   - pictureID: The picture ID to begin with, `nil` to send none. Should be random.
    ///   - hasLongPictureID: Whether picture IDs have 15 bits rather than 7. Default `true`.
    public init(pictureID: UInt16? = 0, hasLongPictureID: Bool = true) {
        self.hasLongPictureID = hasLongPictureID
        self.pictureID = pictureID.map { $0 & (hasLongPictureID ? 0x7FFF : 0x7F) }
    }

    /// Cuts a frame of a stream without temporal layers into payloads.
    public mutating func packetize(
        _ frame: EncodedFrame,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        try self.packetize(frame, layer: nil, maximumPayloadSize: maximumPayloadSize, emit)
    }

    /// Cuts a frame into payloads.
    ///
    /// - Parameter layer: Its place among temporal layers; `nil` if the stream has none.
    public mutating func packetize(
        _ frame: EncodedFrame,
        layer: Layer?,
        maximumPayloadSize: Int,
        _ emit: (RTPPayload) -> Void
    ) throws(PacketizationError) {
        if let layer, layer.temporalID > 3 { throw .invalidLayer }
        var descriptor = self.descriptor(layer)
        let capacity = maximumPayloadSize - descriptor.byteCount
        guard capacity > 0 else { throw .maximumPayloadSizeTooSmall(minimum: descriptor.byteCount + 1) }
        try requireDivisible(byteCount: frame.payload.readableBytes, capacity: capacity)
        let split = EvenSplit(frame.payload.readableBytes, capacity: capacity)
        for index in 0..<split.count {
            descriptor.beginsPartition = index == 0
            descriptor.write(to: &self.builder)
            self.builder.append(frame: split.range(index))
            self.builder.emit(marker: index == split.count - 1, beginsFrame: index == 0, emit)
        }
        self.temporalBaseIndex = descriptor.temporalBaseIndex ?? self.temporalBaseIndex
        self.pictureID = self.pictureID.map { ($0 + 1) & (self.hasLongPictureID ? 0x7FFF : 0x7F) }
    }

    private func descriptor(_ layer: Layer?) -> VP8PayloadDescriptor {
        var descriptor = VP8PayloadDescriptor()
        descriptor.pictureID = self.pictureID
        descriptor.hasLongPictureID = self.hasLongPictureID
        guard let layer else { return descriptor }
        descriptor.isNonReference = layer.isNonReference
        descriptor.temporalID = layer.temporalID
        descriptor.isLayerSync = layer.isLayerSync
        descriptor.temporalBaseIndex = self.temporalBaseIndex &+ (layer.temporalID == 0 ? 1 : 0)
        return descriptor
    }
}
