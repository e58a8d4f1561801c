/// What stands before the bytes of a VP9 frame in each packet (RFC 9628 section 4.2).
public struct VP9PayloadDescriptor: Sendable, Hashable {
    /// The picture ID, 7 or 15 bits (I).
    public var pictureID: UInt16?
    /// Whether the picture ID is written with 15 bits. Default `true`.
    public var hasLongPictureID = true
    /// Whether the frame refers to earlier pictures of its layer (P).
    public var isInterPicturePredicted = false
    /// Whether each frame names its references (F); else the scalability structure does.
    public var isFlexible = false
    /// Whether the packet is the first of its layer's frame (B).
    public var beginsLayerFrame = false
    /// Whether the packet is the last of its layer's frame (E).
    public var endsLayerFrame = false
    /// Whether no frame of a higher spatial layer refers to this one (Z).
    public var isNotInterLayerReference = false
    /// Whether the packet has layer indices (L).
    public var hasLayers = false
    /// The temporal layer, 0 to 7.
    public var temporalID: UInt8 = 0
    /// The spatial layer, 0 to 7.
    public var spatialID: UInt8 = 0
    /// Whether a receiver may switch up to this temporal layer with this picture (U).
    public var isSwitchingPoint = false
    /// Whether the frame depends on the next lower spatial layer of its picture (D).
    public var isInterLayerPredicted = false
    /// The index of the picture of the lowest temporal layer; in the non-flexible mode with layer indices only.
    public var temporalBaseIndex: UInt8 = 0
    /// How many references a frame names in the flexible mode, 0 to 3.
    public private(set) var referenceCount = 0
    private var references: UInt32 = 0
    /// Where in the payload the scalability structure lies; empty if the packet has none (V).
    public private(set) var structureRange = 0..<0

    /// A descriptor of the shortest kind.
    public init() {}

    /// How many pictures before this one the reference `index` is, 1 to 127. `index` is below ``referenceCount``.
    public func reference(_ index: Int) -> UInt8 { UInt8(truncatingIfNeeded: self.references >> UInt32(index * 8)) }

    /// Adds a reference; at most three.
    mutating func addReference(_ difference: UInt8) {
        guard self.referenceCount < 3 else { return }
        self.references |= UInt32(difference & 0x7F) << UInt32(self.referenceCount * 8)
        self.referenceCount += 1
    }

    /// Reads a descriptor and leaves the reader behind it; `nil` if it is cut short or contradicts itself.
    init?(_ reader: inout PayloadReader) {
        let first = reader.byte()
        self.isInterPicturePredicted = first & 0x40 != 0
        self.isFlexible = first & 0x10 != 0
        self.beginsLayerFrame = first & 0x08 != 0
        self.endsLayerFrame = first & 0x04 != 0
        self.isNotInterLayerReference = first & 0x01 != 0
        if first & 0x80 != 0 { self.readPictureID(&reader) }
        // References are told as differences of picture IDs.
        if self.isFlexible && self.pictureID == nil { return nil }
        if first & 0x20 != 0 { self.readLayers(&reader) }
        if self.isFlexible && self.isInterPicturePredicted && !self.readReferences(&reader) { return nil }
        if first & 0x02 != 0 {
            let start = reader.offset
            VP9ScalabilityStructure.skip(&reader)
            self.structureRange = start..<reader.offset
        }
        if reader.isExhausted { return nil }
    }

    private mutating func readPictureID(_ reader: inout PayloadReader) {
        let byte = reader.byte()
        self.hasLongPictureID = byte & 0x80 != 0
        self.pictureID =
            self.hasLongPictureID ? UInt16(byte & 0x7F) << 8 | UInt16(reader.byte()) : UInt16(byte)
    }

    private mutating func readLayers(_ reader: inout PayloadReader) {
        let byte = reader.byte()
        self.hasLayers = true
        self.temporalID = byte >> 5
        self.isSwitchingPoint = byte & 0x10 != 0
        self.spatialID = byte >> 1 & 7
        self.isInterLayerPredicted = byte & 1 != 0
        if !self.isFlexible { self.temporalBaseIndex = reader.byte() }
    }

    /// `false` if there are more than three.
    private mutating func readReferences(_ reader: inout PayloadReader) -> Bool {
        for _ in 0..<3 {
            let byte = reader.byte()
            self.addReference(byte >> 1)
            if byte & 1 == 0 { return true }
        }
        return false
    }

    /// The size in bytes, without a scalability structure.
    var byteCount: Int {
        var count = 1
        if self.pictureID != nil { count += self.hasLongPictureID ? 2 : 1 }
        if self.hasLayers { count += self.isFlexible ? 1 : 2 }
        return count + (self.isFlexible && self.isInterPicturePredicted ? self.referenceCount : 0)
    }

    func write(to builder: inout PayloadBuilder, structure: VP9ScalabilityStructure?) {
        builder.append(
            (self.pictureID != nil ? 0x80 : 0) | (self.isInterPicturePredicted ? 0x40 : 0) | (self.hasLayers ? 0x20 : 0)
                | (self.isFlexible ? 0x10 : 0) | (self.beginsLayerFrame ? 0x08 : 0) | (self.endsLayerFrame ? 0x04 : 0)
                | (structure != nil ? 0x02 : 0) | (self.isNotInterLayerReference ? 0x01 : 0)
        )
        if let pictureID {
            if self.hasLongPictureID {
                builder.append(uint16: pictureID & 0x7FFF | 0x8000)
            } else {
                builder.append(UInt8(pictureID & 0x7F))
            }
        }
        if self.hasLayers {
            let switching: UInt8 = self.isSwitchingPoint ? 0x10 : 0
            let dependence: UInt8 = self.isInterLayerPredicted ? 1 : 0
            builder.append(self.temporalID << 5 | switching | self.spatialID << 1 | dependence)
            if !self.isFlexible { builder.append(self.temporalBaseIndex) }
        }
        if self.isFlexible && self.isInterPicturePredicted {
            for index in 0..<self.referenceCount {
                builder.append(self.reference(index) << 1 | (index < self.referenceCount - 1 ? 1 : 0))
            }
        }
        structure?.write(to: &builder)
    }
}
