internal import NIOCore
public import RTCRTP

/// Gives the G.711 of a WAV file as frames.
public final class WAVFrameReader: MediaFrameReader {
    /// PCMU or PCMA.
    public let format: PayloadFormat
    private let reader: WAVReader
    private let samplesPerFrame: Int
    private var position: UInt64 = 0

    /// Frames of a file.
    ///
    /// - Parameters:
    ///   - reader: A file of G.711 with one channel of 8,000 Hz.
    ///   - frameMilliseconds: How long frames are; 1 to 200. Default 20.
    /// - Throws: ``MediaFileError/Code/unsupported`` for other sound, which needs an encoder first.
    public init(_ reader: WAVReader, frameMilliseconds: Int = 20) throws(MediaFileError) {
        guard reader.format.sampleRate == 8000, reader.format.channelCount == 1,
            let format = Self.payloadFormat(reader.format.encoding)
        else {
            throw MediaFileError(.unsupported, "RTP takes G.711 of one channel and 8000 Hz; encode this sound first")
        }
        self.format = format
        self.reader = reader
        self.samplesPerFrame = 8 * min(max(frameMilliseconds, 1), 200)
    }

    /// The next frame; the last may be shorter.
    public func nextFrame() throws(MediaFileError) -> MediaFileFrame? {
        guard let block = try self.reader.nextBlock(sampleCount: self.samplesPerFrame) else { return nil }
        let count = UInt64(block.readableBytes)
        let frame = EncodedFrame(
            payload: block,
            timestamp: UInt32(truncatingIfNeeded: self.position),
            isKeyFrame: true
        )
        let time = self.reader.format.duration(ofSamples: self.position)
        self.position += count
        return MediaFileFrame(frame: frame, time: time, duration: self.reader.format.duration(ofSamples: count))
    }

    /// Begins again with the first frame.
    public func rewind() throws(MediaFileError) {
        try self.reader.rewind()
        self.position = 0
    }

    private static func payloadFormat(_ encoding: WAVFormat.Encoding) -> PayloadFormat? {
        switch encoding {
        case .pcm16: nil
        case .aLaw: .pcma
        case .muLaw: .pcmu
        }
    }
}
