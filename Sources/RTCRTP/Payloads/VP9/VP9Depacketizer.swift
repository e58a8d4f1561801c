internal import NIOCore

/// Packets to VP9 pictures (RFC 9628).
///
/// A picture of several spatial layers becomes one superframe with its index (VP9 bitstream specification annex B), which
/// decoders and files take as one frame.
public struct VP9Depacketizer: RTPDepacketizer {
    private var assembly: FrameAssembly
    private var isKeyFrame = false
    private var pictureID: UInt16?
    private var layerSizes: [Int] = []
    private var layerStart = 0
    private var isInLayer = false
    private var lastSpatialID: UInt8 = 0

    /// The newest scalability structure that a whole frame had.
    public private(set) var structure: VP9ScalabilityStructure?
    private var pendingStructure: VP9ScalabilityStructure?

    /// A depacketizer of one stream.
    public init(limits: DepacketizerLimits = .defaults) { self.assembly = FrameAssembly(limits: limits) }

    /// What became of the frames so far.
    public var counters: DepacketizerCounters { self.assembly.counters }

    /// What one packet says of itself; `nil` for payloads that are broken.
    public static func descriptor(of payload: RawSpan, marker: Bool) -> RTPPayloadDescriptor? {
        payload.withUnsafeBytes { bytes in
            var reader = PayloadReader(bytes)
            return VP9PayloadDescriptor(&reader).map { Self.descriptor($0, marker: marker) }
        }
    }

    /// The payload descriptor itself, and where the frame's bytes begin behind it; `nil` if it is broken.
    public static func payloadDescriptor(of payload: RawSpan) -> (descriptor: VP9PayloadDescriptor, byteCount: Int)? {
        payload.withUnsafeBytes { bytes in
            var reader = PayloadReader(bytes)
            return VP9PayloadDescriptor(&reader).map { ($0, reader.offset) }
        }
    }

    private static func descriptor(_ own: VP9PayloadDescriptor, marker: Bool) -> RTPPayloadDescriptor {
        var descriptor = RTPPayloadDescriptor(
            beginsFrame: Self.beginsFrame(own),
            endsFrame: marker,
            isKeyFrame: !own.isInterPicturePredicted
        )
        descriptor.pictureID = own.pictureID
        descriptor.hasLongPictureID = own.pictureID != nil && own.hasLongPictureID
        guard own.hasLayers else { return descriptor }
        descriptor.spatialID = own.spatialID
        descriptor.temporalID = own.temporalID
        descriptor.temporalBaseIndex = own.isFlexible ? nil : own.temporalBaseIndex
        descriptor.isSwitchingPoint = own.isSwitchingPoint
        return descriptor
    }

    /// A higher layer that does not build on the next lower may be the lowest that a forwarding server lets through.
    private static func beginsFrame(_ own: VP9PayloadDescriptor) -> Bool? {
        guard own.beginsLayerFrame else { return false }
        guard own.hasLayers, own.spatialID > 0 else { return true }
        return own.isInterLayerPredicted ? false : nil
    }

    /// Begins a picture.
    public mutating func begin(timestamp: UInt32, isStartKnown: Bool) {
        self.assembly.begin(timestamp: timestamp, isStartKnown: isStartKnown)
        self.layerSizes.removeAll(keepingCapacity: true)
        self.layerStart = 0
        self.isInLayer = false
        self.isKeyFrame = false
        self.pendingStructure = nil
    }

    /// Takes in the picture's next packet.
    public mutating func append(_ payload: RawSpan, sequenceNumber: UInt16, marker: Bool) {
        payload.withUnsafeBytes { bytes in
            var reader = PayloadReader(bytes)
            let own = VP9PayloadDescriptor(&reader)
            let data = reader.rest()
            let descriptor = own.map { Self.descriptor($0, marker: marker) }
            let isFirst = self.assembly.packets == 0
            guard self.assembly.admit(descriptor, sequenceNumber: sequenceNumber), let own else { return }
            guard !data.isEmpty else { return self.assembly.fail(.emptyPayload) }
            guard self.accept(own, isFirst: isFirst) else { return self.assembly.fail(.inconsistentPackets) }
            if !own.structureRange.isEmpty {
                var reader = PayloadReader(bytes, at: own.structureRange.lowerBound)
                self.pendingStructure = VP9ScalabilityStructure(&reader)
            }
            self.assembly.write(data)
            if own.endsLayerFrame { self.endLayer() }
        }
    }

    /// Whether the packet can follow the one before.
    private mutating func accept(_ own: VP9PayloadDescriptor, isFirst: Bool) -> Bool {
        if isFirst {
            self.pictureID = own.pictureID
            self.isKeyFrame = !own.isInterPicturePredicted
        } else if own.pictureID != self.pictureID {
            return false
        } else if own.beginsLayerFrame {
            // The next layer of the picture is a higher one.
            guard !self.isInLayer, own.hasLayers, own.spatialID > self.lastSpatialID else { return false }
        } else {
            guard self.isInLayer, own.spatialID == self.lastSpatialID else { return false }
        }
        self.isInLayer = true
        self.lastSpatialID = own.spatialID
        return true
    }

    private mutating func endLayer() {
        self.layerSizes.append(self.assembly.buffer.readableBytes - self.layerStart)
        self.layerStart = self.assembly.buffer.readableBytes
        self.isInLayer = false
    }

    /// Ends the picture and gives it, or says why there is none.
    public mutating func finish() -> Result<EncodedFrame, DepacketizationError> {
        if self.isInLayer { self.assembly.fail(.missingEnd) }
        if self.layerSizes.count > 1 { self.writeSuperframeIndex() }
        let result = self.assembly.finish(isKeyFrame: self.isKeyFrame)
        if case .success = result, let pending = self.pendingStructure { self.structure = pending }
        return result
    }

    private mutating func writeSuperframeIndex() {
        let width = (Int.bitWidth - (self.layerSizes.max() ?? 0).leadingZeroBitCount + 7) / 8
        guard (1...4).contains(width), self.layerSizes.count <= 8 else { return }
        let marker = 0xC0 | UInt8(width - 1) << 3 | UInt8(self.layerSizes.count - 1)
        self.assembly.write(marker)
        for size in self.layerSizes {
            for byte in 0..<width { self.assembly.write(UInt8(truncatingIfNeeded: size >> (byte * 8))) }
        }
        self.assembly.write(marker)
    }
}
