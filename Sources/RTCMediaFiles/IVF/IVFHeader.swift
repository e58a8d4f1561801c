public import RTCRTP

/// The header of an IVF file: 32 bytes that name codec, size and timebase.
public struct IVFHeader: Sendable, Hashable {
    /// VP8, VP9 or AV1.
    public var format: PayloadFormat
    /// The size of the picture; a stream may change it later.
    public var size: PictureSize
    /// The unit of the frames' times.
    public var timebase: Timebase

    /// A header; times are in ticks of 90,000 a second by default.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for other formats, and for sizes that are not in 0...65,535.
    public init(format: PayloadFormat, size: PictureSize, timebase: Timebase = .video) throws(MediaFileError) {
        guard Self.fourCC(of: format) != nil else {
            throw MediaFileError(.invalidArgument, "IVF has VP8, VP9 and AV1, not \(format.name)")
        }
        guard UInt16(exactly: size.width) != nil, UInt16(exactly: size.height) != nil else {
            throw MediaFileError(.invalidArgument, "\(size.width) by \(size.height) does not fit 16 bits")
        }
        self.format = format
        self.size = size
        self.timebase = timebase
    }

    static let size = 32
    static let frameHeaderSize = 12
    /// Where the number of frames stands.
    static let frameCountOffset: Int64 = 24
    static let signature = "DKIF"

    static func fourCC(of format: PayloadFormat) -> String? {
        switch format {
        case .vp8: "VP80"
        case .vp9: "VP90"
        case .av1: "AV01"
        case .h264, .h265, .opus, .pcmu, .pcma, .g722: nil
        }
    }
}
