/// What H.264 and H.265 do differently with NAL units, for the packetizer and the depacketizer that serve both.
protocol NALSyntax {
    /// Bytes of a NAL unit's header.
    static var headerSize: Int { get }
    /// The type of the aggregates that are understood: STAP-A, AP.
    static var aggregateType: UInt8 { get }
    /// The type of the fragments that are understood: FU-A, FU.
    static var fragmentType: UInt8 { get }
    /// The bits of a fragment's own header that tell the unit's type.
    static var fragmentTypeMask: UInt8 { get }

    /// The type in a unit's header.
    static func type(_ header: NALHeader) -> UInt8
    /// The same header with another type.
    static func header(_ header: NALHeader, as type: UInt8) -> NALHeader
    /// The header of an aggregate of two parts, of which either may be an aggregate.
    static func merge(_ first: NALHeader, _ second: NALHeader) -> NALHeader

    /// Whether a unit of this type may stand in a packet as it is.
    static func isPlain(_ type: UInt8) -> Bool
    /// Whether it delimits access units.
    static func isDelimiter(_ type: UInt8) -> Bool
    /// Whether a frame's first unit of this type shows that nothing of the picture is missing before it.
    static func isFirstInFrame(_ type: UInt8) -> Bool
    /// Whether it is a slice of a picture.
    static func isSlice(_ type: UInt8) -> Bool
    /// Whether it is a slice of a picture to begin with.
    static func isRandomAccess(_ type: UInt8) -> Bool
    /// Whether it shows, alone, that its frame is a key frame.
    static func showsKeyFrame(_ type: UInt8) -> Bool
    /// Which parameter set it is, if it is one.
    static func parameterSetKind(_ type: UInt8) -> ParameterSetKey.Kind?
    /// Whether a slice is the first of its picture, by the byte behind its header.
    static func isFirstSlice(_ type: UInt8, firstByte: UInt8) -> Bool

    /// What names a parameter set; `nil` for other units and broken ones. `unit` has at least ``headerSize`` bytes.
    static func parameterSet(_ unit: UnsafeRawBufferPointer) -> ParameterSetKey?
    /// The picture parameter set that a slice of a picture to begin with refers to.
    static func pictureParameterSet(ofSlice unit: UnsafeRawBufferPointer) -> UInt32?
    /// Whether a slice, though not of a picture to begin with, refers to no other picture.
    static func isIntraSlice(_ unit: UnsafeRawBufferPointer) -> Bool
    /// Adds what a packet's first header tells of layers and references.
    static func describe(_ header: NALHeader, type: UInt8, in descriptor: inout RTPPayloadDescriptor)
}

extension NALSyntax {
    /// The header of a unit of at least ``headerSize`` bytes.
    static func header(of unit: UnsafeRawBufferPointer) -> NALHeader {
        NALHeader(first: unit[0], second: self.headerSize > 1 ? unit[1] : 0)
    }

    /// The type of a unit of at least ``headerSize`` bytes.
    static func type(of unit: UnsafeRawBufferPointer) -> UInt8 { self.type(self.header(of: unit)) }
}

/// The header of a NAL unit: one byte of H.264, two of H.265.
struct NALHeader: Sendable, Hashable {
    var first: UInt8
    var second: UInt8 = 0
}

/// What names a parameter set: its kind, its number, and the set that it builds on.
struct ParameterSetKey: Sendable, Hashable {
    enum Kind: UInt8, Sendable, Hashable {
        case video
        case sequence
        case picture
    }

    var kind: Kind
    var id: UInt32
    var parent: UInt32?
}
