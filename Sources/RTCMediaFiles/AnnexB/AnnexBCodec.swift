public import RTCRTP

/// A codec whose byte streams have start codes.
public enum AnnexBCodec: Sendable, Hashable, CaseIterable {
    /// H.264.
    case h264
    /// H.265.
    case h265

    /// The same as a format of RTP.
    public var format: PayloadFormat {
        switch self {
        case .h264: .h264
        case .h265: .h265
        }
    }
}

/// What a NAL unit means for the borders of access units.
enum NALUnitRole: Hashable {
    /// An access unit delimiter.
    case delimiter
    /// What can stand only before the first slice of a picture, such as parameter sets.
    case beforePicture
    /// A slice of a picture.
    case slice(isFirst: Bool, isKey: Bool)
    /// The end of the sequence or of the stream.
    case end
    /// Anything else, which belongs to the access unit that it stands in.
    case other
}

extension AnnexBCodec {
    /// The role of a NAL unit, start code not included.
    func role(of unit: UnsafeRawBufferPointer) -> NALUnitRole {
        switch self {
        case .h264: Self.h264Role(unit)
        case .h265: Self.h265Role(unit)
        }
    }

    /// H.264 section 7.4.1.2.3. Slices count as the first by `first_mb_in_slice`; the fields of a picture are units of their own.
    private static func h264Role(_ unit: UnsafeRawBufferPointer) -> NALUnitRole {
        guard let first = unit.first else { return .other }
        let beginsPicture = unit.count > 1 && unit[1] & 0x80 != 0
        switch first & 0x1F {
        case 1, 2: return .slice(isFirst: beginsPicture, isKey: false)
        case 3, 4: return .slice(isFirst: false, isKey: false)
        case 5: return .slice(isFirst: beginsPicture, isKey: true)
        case 6...8, 14...18: return .beforePicture
        case 9: return .delimiter
        case 10, 11: return .end
        default: return .other
        }
    }

    /// H.265 section 7.4.2.4.4.
    private static func h265Role(_ unit: UnsafeRawBufferPointer) -> NALUnitRole {
        // Units of higher layers go with the picture below them.
        guard unit.count > 1, unit[0] & 1 == 0, unit[1] >> 3 == 0 else { return .other }
        let beginsPicture = unit.count > 2 && unit[2] & 0x80 != 0
        switch unit[0] >> 1 & 0x3F {
        case let type where type < 32: return .slice(isFirst: beginsPicture, isKey: (16...21).contains(type))
        case 32...34, 39, 41...44, 48...55: return .beforePicture
        case 35: return .delimiter
        case 36, 37: return .end
        default: return .other
        }
    }
}
