/// What stands before the bytes of a VP8 frame in each packet (RFC 7741 section 4.2).
public struct VP8PayloadDescriptor: Sendable, Hashable {
    /// Whether no other frame refers to this one (N).
    public var isNonReference = false
    /// Whether the payload begins with the beginning of a partition (S).
    public var beginsPartition = false
    /// The partition that the payload begins in, 0 to 7.
    public var partition: UInt8 = 0
    /// The picture ID, 7 or 15 bits.
    public var pictureID: UInt16?
    /// Whether the picture ID is written with 15 bits. Default `true`.
    public var hasLongPictureID = true
    /// The index of the picture of the lowest temporal layer that this one builds on (TL0PICIDX).
    public var temporalBaseIndex: UInt8?
    /// The temporal layer, 0 to 3 (TID).
    public var temporalID: UInt8?
    /// Whether the frame depends on the lowest temporal layer only (Y). Means something with ``temporalID`` only.
    public var isLayerSync = false
    /// The key frame that the frame belongs to, 0 to 31 (KEYIDX).
    public var keyIndex: UInt8?

    /// A descriptor of the shortest kind.
    public init() {}

    /// Whether the packet is its frame's first.
    public var beginsFrame: Bool { self.beginsPartition && self.partition == 0 }

    /// Reads a descriptor and leaves the reader behind it; `nil` if it is cut short.
    init?(_ reader: inout PayloadReader) {
        let first = reader.byte()
        self.isNonReference = first & 0x20 != 0
        self.beginsPartition = first & 0x10 != 0
        self.partition = first & 7
        if first & 0x80 != 0 { self.readExtension(&reader) }
        if reader.isExhausted { return nil }
    }

    private mutating func readExtension(_ reader: inout PayloadReader) {
        let present = reader.byte()
        if present & 0x80 != 0 {
            let byte = reader.byte()
            self.hasLongPictureID = byte & 0x80 != 0
            self.pictureID = UInt16(byte & 0x7F)
            if self.hasLongPictureID { self.pictureID = UInt16(byte & 0x7F) << 8 | UInt16(reader.byte()) }
        }
        if present & 0x40 != 0 { self.temporalBaseIndex = reader.byte() }
        guard present & 0x30 != 0 else { return }
        let byte = reader.byte()
        if present & 0x20 != 0 {
            self.temporalID = byte >> 6
            self.isLayerSync = byte & 0x20 != 0
        }
        if present & 0x10 != 0 { self.keyIndex = byte & 0x1F }
    }

    /// The size in bytes.
    var byteCount: Int {
        var count = 1
        if self.pictureID != nil { count += self.hasLongPictureID ? 2 : 1 }
        if self.temporalBaseIndex != nil { count += 1 }
        if self.temporalID != nil || self.keyIndex != nil { count += 1 }
        return count == 1 ? 1 : count + 1
    }

    func write(to builder: inout PayloadBuilder) {
        let isExtended = self.byteCount > 1
        builder.append(
            (isExtended ? 0x80 : 0) | (self.isNonReference ? 0x20 : 0) | (self.beginsPartition ? 0x10 : 0)
                | self.partition & 7
        )
        guard isExtended else { return }
        builder.append(
            (self.pictureID != nil ? 0x80 : 0) | (self.temporalBaseIndex != nil ? 0x40 : 0)
                | (self.temporalID != nil ? 0x20 : 0) | (self.keyIndex != nil ? 0x10 : 0)
        )
        if let pictureID {
            if self.hasLongPictureID {
                builder.append(uint16: pictureID & 0x7FFF | 0x8000)
            } else {
                builder.append(UInt8(pictureID & 0x7F))
            }
        }
        if let temporalBaseIndex { builder.append(temporalBaseIndex) }
        if self.temporalID != nil || self.keyIndex != nil {
            let layer = (self.temporalID ?? 0) << 6 | (self.temporalID != nil && self.isLayerSync ? 0x20 : 0)
            builder.append(layer | (self.keyIndex ?? 0) & 0x1F)
        }
    }
}
