internal import NIOCore
public import RTCRTP

/// Reads byte streams of H.264 and H.265 (Annex B of either) as access units.
///
/// A unit begins with a delimiter, with parameter sets or SEI behind a picture, and with the first slice of a picture. The
/// fields of interlaced H.264 come one by one. A byte stream has no times: pictures follow each other at a fixed rate.
public final class AnnexBReader: MediaFrameReader {
    /// H.264 or H.265.
    public let codec: AnnexBCodec
    /// How long each picture lasts.
    public let frameDuration: Timebase
    private let input: FileInput
    private let limits: MediaFileLimits
    private var units: NALUnitReader
    private var assembler: AccessUnitAssembler
    private var count: UInt64 = 0
    private var hasEnded = false

    /// A reader; nothing is read yet.
    ///
    /// - Parameters:
    ///   - input: The byte stream. What is before the first start code is passed over.
    ///   - codec: Which of the two it is.
    ///   - frameDuration: How long each picture lasts. Default 1/30 of a second.
    ///   - limits: What is read at most; ``MediaFileLimits/frameSize`` holds for access units.
    public init(
        _ input: FileInput,
        codec: AnnexBCodec,
        frameDuration: Timebase = .thirtieth,
        limits: MediaFileLimits = .defaults
    ) {
        self.input = input
        self.codec = codec
        self.frameDuration = frameDuration
        self.limits = limits
        self.units = NALUnitReader(input, limit: limits.frameSize)
        self.assembler = AccessUnitAssembler(codec: codec)
    }

    /// How the frames are encoded.
    public var format: PayloadFormat { self.codec.format }

    /// The next access unit.
    public func nextFrame() throws(MediaFileError) -> MediaFileFrame? {
        while !self.hasEnded {
            guard let unit = try self.units.next() else {
                self.hasEnded = true
                return self.assembler.finish().map(self.frame)
            }
            let finished = self.assembler.append(unit)
            guard self.assembler.byteCount <= self.limits.frameSize else {
                throw self.input.error(.limitExceeded, "an access unit of more than \(self.limits.frameSize) bytes")
            }
            if let finished { return self.frame(finished) }
        }
        return nil
    }

    /// Begins again with the first access unit.
    public func rewind() throws(MediaFileError) {
        try self.input.rewind()
        self.units = NALUnitReader(self.input, limit: self.limits.frameSize)
        self.assembler = AccessUnitAssembler(codec: self.codec)
        self.count = 0
        self.hasEnded = false
    }

    private func frame(_ unit: AccessUnitAssembler.AccessUnit) -> MediaFileFrame {
        let time = self.frameDuration.duration(of: self.count) ?? .zero
        self.count += 1
        let frame = EncodedFrame(
            payload: unit.payload,
            timestamp: time.rtpTimestamp(clockRate: self.format.clockRate),
            isKeyFrame: unit.isKeyFrame
        )
        return MediaFileFrame(frame: frame, time: time, duration: self.frameDuration.duration(of: 1))
    }
}
