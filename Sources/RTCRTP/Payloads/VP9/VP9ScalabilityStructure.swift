/// The layers of a VP9 stream and how its pictures depend on each other (RFC 9628 section 4.2.1).
public struct VP9ScalabilityStructure: Sendable, Hashable {
    /// One picture of the group that repeats itself.
    public struct Picture: Sendable, Hashable {
        /// The temporal layer, 0 to 7.
        public var temporalID: UInt8
        /// Whether a receiver may switch up to this temporal layer with this picture.
        public var isSwitchingPoint: Bool
        /// The pictures that it refers to, as how many pictures before it they are; at most three.
        public var references: [UInt8]

        /// A picture of a group.
        public init(temporalID: UInt8, isSwitchingPoint: Bool, references: [UInt8]) {
            self.temporalID = temporalID
            self.isSwitchingPoint = isSwitchingPoint
            self.references = references
        }
    }

    /// How many spatial layers there are, 1 to 8.
    public var spatialLayers: Int
    /// The size of each spatial layer, the lowest first; empty where it is not told.
    public var sizes: [PictureSize]
    /// The pictures of the group, at most 255; `nil` where it is not told.
    public var group: [Picture]?

    /// A structure.
    public init(spatialLayers: Int, sizes: [PictureSize] = [], group: [Picture]? = nil) {
        self.spatialLayers = spatialLayers
        self.sizes = sizes
        self.group = group
    }

    /// Whether the format can carry it.
    var isValid: Bool {
        (1...8).contains(self.spatialLayers) && (self.sizes.isEmpty || self.sizes.count == self.spatialLayers)
            && self.sizes.allSatisfy { (0...65_535).contains($0.width) && (0...65_535).contains($0.height) }
            && self.group?.count ?? 0 <= 255
            && self.group?.allSatisfy { $0.temporalID < 8 && $0.references.count <= 3 } ?? true
    }

    /// The size in bytes.
    var byteCount: Int {
        let group = self.group.map { 1 + $0.reduce(0) { $0 + 1 + $1.references.count } } ?? 0
        return 1 + self.sizes.count * 4 + group
    }

    func write(to builder: inout PayloadBuilder) {
        builder.append(
            UInt8(self.spatialLayers - 1) << 5 | (self.sizes.isEmpty ? 0 : 0x10) | (self.group == nil ? 0 : 0x08)
        )
        for size in self.sizes {
            builder.append(uint16: UInt16(size.width))
            builder.append(uint16: UInt16(size.height))
        }
        guard let group else { return }
        builder.append(UInt8(group.count))
        for picture in group {
            builder.append(
                picture.temporalID << 5 | (picture.isSwitchingPoint ? 0x10 : 0) | UInt8(picture.references.count) << 2
            )
            builder.append(bytes: picture.references)
        }
    }

    /// Reads a structure and leaves the reader behind it; `nil` if it is cut short.
    init?(_ reader: inout PayloadReader) {
        let first = reader.byte()
        self.spatialLayers = Int(first >> 5) + 1
        self.sizes = []
        if first & 0x10 != 0 {
            for _ in 0..<self.spatialLayers {
                self.sizes.append(PictureSize(width: Int(reader.uint16()), height: Int(reader.uint16())))
            }
        }
        if first & 0x08 != 0 {
            var group: [Picture] = []
            for _ in 0..<reader.byte() {
                let byte = reader.byte()
                let references = (0..<(byte >> 2 & 3)).map { _ in reader.byte() }
                group.append(
                    Picture(temporalID: byte >> 5, isSwitchingPoint: byte & 0x10 != 0, references: references)
                )
            }
            self.group = group
        }
        if reader.isExhausted { return nil }
    }

    /// Passes over a structure without keeping it.
    static func skip(_ reader: inout PayloadReader) {
        let first = reader.byte()
        if first & 0x10 != 0 { reader.skip((Int(first >> 5) + 1) * 4) }
        guard first & 0x08 != 0 else { return }
        for _ in 0..<reader.byte() { reader.skip(Int(reader.byte() >> 2 & 3)) }
    }
}
