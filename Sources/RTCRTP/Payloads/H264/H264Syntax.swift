/// NAL units of H.264 (H.264 section 7.3.1, RFC 6184 section 5.2).
enum H264Syntax: NALSyntax {
    static let headerSize = 1
    static let aggregateType: UInt8 = 24
    static let fragmentType: UInt8 = 28
    static let fragmentTypeMask: UInt8 = 0x1F

    static let instantRefresh: UInt8 = 5
    static let sequenceParameterSet: UInt8 = 7
    static let pictureParameterSet: UInt8 = 8
    static let delimiter: UInt8 = 9

    static func type(_ header: NALHeader) -> UInt8 { header.first & 0x1F }

    static func header(_ header: NALHeader, as type: UInt8) -> NALHeader {
        NALHeader(first: header.first & 0xE0 | type)
    }

    static func merge(_ first: NALHeader, _ second: NALHeader) -> NALHeader {
        // The forbidden bit of any, and the highest importance (RFC 6184 section 5.7.1).
        let forbidden = (first.first | second.first) & 0x80
        let importance = max(first.first & 0x60, second.first & 0x60)
        return NALHeader(first: forbidden | importance | self.aggregateType)
    }

    static func isPlain(_ type: UInt8) -> Bool { (1...23).contains(type) }
    static func isDelimiter(_ type: UInt8) -> Bool { type == self.delimiter }
    static func isFirstInFrame(_ type: UInt8) -> Bool { type == self.delimiter || type == self.sequenceParameterSet }
    static func isSlice(_ type: UInt8) -> Bool { (1...5).contains(type) }
    static func isRandomAccess(_ type: UInt8) -> Bool { type == self.instantRefresh }
    static func showsKeyFrame(_ type: UInt8) -> Bool {
        type == self.instantRefresh || type == self.sequenceParameterSet
    }

    static func parameterSetKind(_ type: UInt8) -> ParameterSetKey.Kind? {
        switch type {
        case self.sequenceParameterSet: .sequence
        case self.pictureParameterSet: .picture
        default: nil
        }
    }

    static func isFirstSlice(_ type: UInt8, firstByte: UInt8) -> Bool {
        // first_mb_in_slice is ue(v): 0 is a single bit that is set. Partitions B and C begin otherwise.
        type != 3 && type != 4 && firstByte & 0x80 != 0
    }

    static func parameterSet(_ unit: UnsafeRawBufferPointer) -> ParameterSetKey? {
        guard unit.count > 1 else { return nil }
        switch self.type(of: unit) {
        case self.sequenceParameterSet:
            var reader = BitstreamReader(unit, at: 4, skipsEmulationPrevention: true)
            let id = reader.unsigned()
            return reader.isExhausted || id > 31 ? nil : ParameterSetKey(kind: .sequence, id: id)
        case self.pictureParameterSet:
            var reader = BitstreamReader(unit, at: 1, skipsEmulationPrevention: true)
            let id = reader.unsigned()
            let parent = reader.unsigned()
            return reader.isExhausted || id > 255 || parent > 31
                ? nil : ParameterSetKey(kind: .picture, id: id, parent: parent)
        default:
            return nil
        }
    }

    static func pictureParameterSet(ofSlice unit: UnsafeRawBufferPointer) -> UInt32? {
        var reader = BitstreamReader(unit, at: 1, skipsEmulationPrevention: true)
        _ = reader.unsigned()
        _ = reader.unsigned()
        let id = reader.unsigned()
        return reader.isExhausted || id > 255 ? nil : id
    }

    static func isIntraSlice(_ unit: UnsafeRawBufferPointer) -> Bool {
        guard self.type(of: unit) == 1 else { return false }
        var reader = BitstreamReader(unit, at: 1, skipsEmulationPrevention: true)
        _ = reader.unsigned()
        return reader.unsigned() % 5 == 2 && !reader.isExhausted
    }

    static func describe(_ header: NALHeader, type: UInt8, in descriptor: inout RTPPayloadDescriptor) {
        descriptor.isDiscardable = self.isSlice(type) && header.first & 0x60 == 0
    }
}
