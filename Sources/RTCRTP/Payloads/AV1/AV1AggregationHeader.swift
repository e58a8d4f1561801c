/// The first byte of a payload of AV1 (AV1 RTP payload format section 4.4).
struct AV1AggregationHeader: Sendable, Hashable {
    /// Whether the first element goes on from the packet before (Z).
    var continuesElement: Bool
    /// Whether the last element goes on in the next packet (Y).
    var isContinued: Bool
    /// How many elements there are, 1 to 3, of which the last has no length; 0 if all have one (W).
    var elementCount: UInt8
    /// Whether the packet is the first of a coded video sequence (N).
    var beginsSequence: Bool

    init(continuesElement: Bool, isContinued: Bool, elementCount: UInt8, beginsSequence: Bool) {
        self.continuesElement = continuesElement
        self.isContinued = isContinued
        self.elementCount = elementCount
        self.beginsSequence = beginsSequence
    }

    /// Reads the byte; `nil` if it says that a sequence begins in the middle of a unit.
    init?(_ byte: UInt8) {
        self.continuesElement = byte & 0x80 != 0
        self.isContinued = byte & 0x40 != 0
        self.elementCount = byte >> 4 & 3
        self.beginsSequence = byte & 0x08 != 0
        if self.continuesElement && self.beginsSequence { return nil }
    }

    var byte: UInt8 {
        (self.continuesElement ? 0x80 : 0) | (self.isContinued ? 0x40 : 0) | self.elementCount << 4
            | (self.beginsSequence ? 0x08 : 0)
    }
}
