/// NAL units of H.265 (H.265 section 7.3.1, RFC 7798 section 4.4).
enum H265Syntax: NALSyntax {
    static let headerSize = 2
    static let aggregateType: UInt8 = 48
    static let fragmentType: UInt8 = 49
    static let fragmentTypeMask: UInt8 = 0x3F
    /// Payload content information: a header in front of another payload (RFC 7798 section 4.4.4).
    static let contentInformationType: UInt8 = 50

    static let videoParameterSet: UInt8 = 32
    static let sequenceParameterSet: UInt8 = 33
    static let pictureParameterSet: UInt8 = 34
    static let delimiter: UInt8 = 35

    static func type(_ header: NALHeader) -> UInt8 { header.first >> 1 & 0x3F }

    static func header(_ header: NALHeader, as type: UInt8) -> NALHeader {
        NALHeader(first: header.first & 0x81 | type << 1, second: header.second)
    }

    static func merge(_ first: NALHeader, _ second: NALHeader) -> NALHeader {
        // The forbidden bit of any, the lowest layer and the lowest temporal layer (RFC 7798 section 4.4.2).
        let forbidden = (first.first | second.first) & 0x80
        let layer = min(self.layer(first), self.layer(second))
        let temporal = min(first.second & 7, second.second & 7)
        return NALHeader(
            first: forbidden | self.aggregateType << 1 | layer >> 5,
            second: (layer & 0x1F) << 3 | temporal
        )
    }

    private static func layer(_ header: NALHeader) -> UInt8 { (header.first & 1) << 5 | header.second >> 3 }

    static func isPlain(_ type: UInt8) -> Bool { type < 48 }
    static func isDelimiter(_ type: UInt8) -> Bool { type == self.delimiter }
    static func isFirstInFrame(_ type: UInt8) -> Bool { type == self.delimiter || type == self.videoParameterSet }
    static func isSlice(_ type: UInt8) -> Bool { type < 32 }
    static func isRandomAccess(_ type: UInt8) -> Bool { (16...21).contains(type) }
    static func showsKeyFrame(_ type: UInt8) -> Bool { (16...21).contains(type) || (32...33).contains(type) }

    static func parameterSetKind(_ type: UInt8) -> ParameterSetKey.Kind? {
        switch type {
        case self.videoParameterSet: .video
        case self.sequenceParameterSet: .sequence
        case self.pictureParameterSet: .picture
        default: nil
        }
    }

    static func isFirstSlice(_ type: UInt8, firstByte: UInt8) -> Bool { firstByte & 0x80 != 0 }

    static func parameterSet(_ unit: UnsafeRawBufferPointer) -> ParameterSetKey? {
        guard unit.count > 2 else { return nil }
        switch self.type(of: unit) {
        case self.videoParameterSet:
            return ParameterSetKey(kind: .video, id: UInt32(unit[2] >> 4))
        case self.sequenceParameterSet:
            return H265SequenceParameterSet(unit).map {
                ParameterSetKey(kind: .sequence, id: $0.id, parent: $0.videoParameterSetID)
            }
        case self.pictureParameterSet:
            var reader = BitstreamReader(unit, at: 2, skipsEmulationPrevention: true)
            let id = reader.unsigned()
            let parent = reader.unsigned()
            return reader.isExhausted || id > 63 || parent > 15
                ? nil : ParameterSetKey(kind: .picture, id: id, parent: parent)
        default:
            return nil
        }
    }

    static func pictureParameterSet(ofSlice unit: UnsafeRawBufferPointer) -> UInt32? {
        // first_slice_segment_in_pic_flag, and no_output_of_prior_pics_flag that pictures to begin with have.
        var reader = BitstreamReader(unit, at: 2, skipsEmulationPrevention: true)
        reader.skip(2)
        let id = reader.unsigned()
        return reader.isExhausted || id > 63 ? nil : id
    }

    static func isIntraSlice(_ unit: UnsafeRawBufferPointer) -> Bool { false }

    static func describe(_ header: NALHeader, type: UInt8, in descriptor: inout RTPPayloadDescriptor) {
        // nuh_temporal_id_plus1 is never 0.
        descriptor.temporalID = header.second & 7 == 0 ? nil : (header.second & 7) - 1
        // Even types below 16 are pictures that no other of their temporal layer refers to.
        descriptor.isDiscardable = type < 16 && type & 1 == 0
    }
}
