internal import NIOCore
internal import RTCBase
internal import RTCMediaFiles
internal import RTCRTP

/// What a file says of a track's codec before its first frame.
struct CodecDescription {
    var format: PayloadFormat
    var channelCount = 0
    var size: PictureSize?
    var profile: Int?
    var level: Int?
    /// What decoders need in front: OpusHead, parameter sets with start codes, a sequence header OBU.
    var configuration: [UInt8] = []

    /// A track of sound, which needs no frame to be described.
    init(sound track: MediaFileTrack) {
        self.format = track.format
        self.channelCount = track.channelCount
        // Nothing is thrown away at the beginning: what is recorded began before.
        guard track.format == .opus else { return }
        self.configuration = Array(OpusHead(channelCount: track.channelCount, preSkip: 0).bytes.readableBytesView)
    }

    /// A track of pictures, by a key frame; `nil` if decoding cannot begin with it.
    init?(keyFrame payload: ByteBuffer, format: PayloadFormat) {
        self.format = format
        let isComplete = payload.withUnsafeReadableBytes { bytes in
            switch format {
            case .vp8: self.readVP8(bytes)
            case .vp9: self.readVP9(bytes)
            case .av1: self.readAV1(bytes)
            case .h264: self.readH264(bytes)
            case .h265: self.readH265(bytes)
            case .opus, .pcmu, .pcma, .g722: false
            }
        }
        guard isComplete else { return nil }
    }

    private mutating func readVP8(_ bytes: UnsafeRawBufferPointer) -> Bool {
        self.size = VP8FrameHeader(bytes.bytes)?.size
        return self.size != nil
    }

    private mutating func readVP9(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let header = VP9FrameHeader(bytes.bytes)
        self.size = header?.size
        self.profile = header.map { Int($0.profile) }
        return self.size != nil
    }

    private mutating func readAV1(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var offset = 0
        while let unit = AV1OBU(bytes: bytes, at: offset) {
            offset = unit.range.upperBound
            guard unit.type == AV1OBU.sequenceHeader,
                let header = AV1SequenceHeader(bytes: UnsafeRawBufferPointer(rebasing: bytes[unit.payload]))
            else { continue }
            self.size = header.maximumSize
            self.profile = Int(header.profile)
            self.level = Int(header.level)
            self.configuration = Array(bytes[unit.range])
            return true
        }
        return false
    }

    private mutating func readH264(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var types: Set<UInt8> = []
        self.forEachUnit(of: bytes) { description, unit in
            let type = unit[0] & 0x1F
            guard type == 7 || type == 8 else { return }
            types.insert(type)
            description.add(unit)
            guard let set = H264SequenceParameterSet(nalUnit: unit.bytes) else { return }
            description.size = set.size
            description.profile = Int(set.profile)
            description.level = Int(set.level)
        }
        return self.size != nil && types.count == 2
    }

    private mutating func readH265(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var types: Set<UInt8> = []
        self.forEachUnit(of: bytes) { description, unit in
            let type = unit[0] >> 1 & 0x3F
            guard (32...34).contains(type) else { return }
            types.insert(type)
            description.add(unit)
            guard let set = H265SequenceParameterSet(nalUnit: unit.bytes) else { return }
            description.size = set.size
            description.profile = Int(set.profile)
            description.level = Int(set.level)
        }
        return self.size != nil && types.count == 3
    }

    private mutating func add(_ unit: UnsafeRawBufferPointer) {
        self.configuration += [0, 0, 0, 1]
        self.configuration += unit
    }

    private mutating func forEachUnit(
        of bytes: UnsafeRawBufferPointer,
        _ body: (inout CodecDescription, UnsafeRawBufferPointer) -> Void
    ) {
        var walk = AnnexB()
        while let range = walk.next(in: bytes) { body(&self, UnsafeRawBufferPointer(rebasing: bytes[range])) }
    }
}
