/// How the samples of a WAV file are stored.
public struct WAVFormat: Sendable, Hashable {
    /// The coding of one sample.
    public enum Encoding: Sendable, Hashable, CaseIterable {
        /// Linear, 16 bits, signed, little-endian.
        case pcm16
        /// G.711 with A-law, 8 bits.
        case aLaw
        /// G.711 with µ-law, 8 bits.
        case muLaw

        /// Bytes of one sample.
        public var sampleSize: Int { self == .pcm16 ? 2 : 1 }

        /// The number that names it in the file.
        var tag: UInt16 {
            switch self {
            case .pcm16: 1
            case .aLaw: 6
            case .muLaw: 7
            }
        }
    }

    /// The coding of one sample.
    public var encoding: Encoding
    /// Samples a second of each channel, in Hz.
    public var sampleRate: Int
    /// How many channels there are; their samples take turns.
    public var channelCount: Int

    /// A format.
    ///
    /// - Throws: ``MediaFileError/Code/invalidArgument`` for a rate not in 1...768,000 Hz, and for a count not in 1...64.
    public init(encoding: Encoding, sampleRate: Int, channelCount: Int = 1) throws(MediaFileError) {
        guard (1...768_000).contains(sampleRate), (1...64).contains(channelCount) else {
            throw MediaFileError(.invalidArgument, "\(channelCount) channels of \(sampleRate) Hz")
        }
        self.encoding = encoding
        self.sampleRate = sampleRate
        self.channelCount = channelCount
    }

    /// Bytes of one sample of all channels.
    public var blockSize: Int { self.encoding.sampleSize * self.channelCount }

    /// How long a number of samples of each channel lasts.
    func duration(ofSamples count: UInt64) -> Duration {
        Timebase(numerator: 1, denominator: UInt32(clamping: self.sampleRate))?.duration(of: count) ?? .zero
    }
}
