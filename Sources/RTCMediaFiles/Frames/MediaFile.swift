internal import NIOCore

/// Finds the reader for a file.
public enum MediaFile {
    /// What a file cannot say of itself.
    public struct Options: Sendable, Hashable {
        /// How long each picture of a byte stream of H.264 or H.265 lasts. Default 1/30 of a second.
        public var frameDuration: Timebase
        /// What is read at most.
        public var limits: MediaFileLimits

        /// Options.
        public init(frameDuration: Timebase = .thirtieth, limits: MediaFileLimits = .defaults) {
            self.frameDuration = frameDuration
            self.limits = limits
        }

        /// The defaults named at each property.
        public static var defaults: Options { Options() }
    }

    /// Opens a file for reading: IVF, Ogg with Opus, WAV with G.711, byte streams of H.264 and H.265.
    ///
    /// The first bytes tell which it is. Only what begins with a start code is told apart by its name (`.264`, `.h264`, `.avc`,
    /// `.265`, `.h265`, `.hevc`), and by its first unit where the name says nothing.
    ///
    /// - Throws: ``MediaFileError/Code/inputOutput``, ``MediaFileError/Code/unsupported`` for other files, and what is wrong
    ///   with the header.
    public static func open(
        path: String,
        options: Options = .defaults
    ) throws(MediaFileError) -> any MediaFrameReader {
        try self.open(FileInput(path: path), name: path, options: options)
    }

    /// Opens what an input has.
    ///
    /// - Parameters:
    ///   - input: The file.
    ///   - name: Its name, of which only what is behind the last full stop counts.
    ///   - options: What the file cannot say of itself.
    public static func open(
        _ input: FileInput,
        name: String = "",
        options: Options = .defaults
    ) throws(MediaFileError) -> any MediaFrameReader {
        let start = try input.peek(Self.sniffedSize)
        switch start.getString(at: 0, length: 4) {
        case IVFHeader.signature: return try IVFReader(input, limits: options.limits)
        case OggPage.signature: return try OggOpusReader(input, limits: options.limits)
        case "RIFF", "RF64": return try WAVFrameReader(WAVReader(input, limits: options.limits))
        default: break
        }
        guard let codec = AnnexBCodec(fileName: name) ?? AnnexBCodec(start: start) else {
            throw input.error(.unsupported, "neither IVF, Ogg, WAV nor a byte stream of H.264 or H.265")
        }
        return AnnexBReader(input, codec: codec, frameDuration: options.frameDuration, limits: options.limits)
    }

    private static let sniffedSize = 64
}
