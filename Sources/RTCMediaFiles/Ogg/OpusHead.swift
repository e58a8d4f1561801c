public import NIOCore

/// The identification header of Opus in Ogg, which other containers carry too (RFC 7845 section 5.1).
public struct OpusHead: Sendable, Hashable {
    /// How many channels are decoded, 1 to 255.
    public var channelCount: Int
    /// How many samples at 48,000 Hz a decoder throws away at the beginning, 0 to 65,535.
    public var preSkip: Int
    /// The rate of the sound before it was encoded, in Hz; 0 if it is not known. Says nothing about the decoder.
    public var inputSampleRate: UInt32
    /// The gain to apply, in 1/256 dB.
    public var outputGain: Int16
    /// What channels mean: 0 for mono and stereo, 1 for up to eight in Vorbis' order, 255 for no meaning.
    public var mappingFamily: UInt8
    /// How many Opus streams each packet holds. One in family 0.
    public var streamCount: Int
    /// How many of the streams are stereo.
    public var coupledCount: Int

    /// The header of a mono or stereo stream.
    ///
    /// - Parameters:
    ///   - channelCount: 1 or 2; others are taken as the nearer.
    ///   - preSkip: In samples at 48,000 Hz. The default is what libopus' encoder looks ahead.
    ///   - inputSampleRate: In Hz.
    public init(channelCount: Int = 2, preSkip: Int = 312, inputSampleRate: UInt32 = 48_000) {
        self.channelCount = min(max(channelCount, 1), 2)
        self.preSkip = min(max(preSkip, 0), Int(UInt16.max))
        self.inputSampleRate = inputSampleRate
        self.outputGain = 0
        self.mappingFamily = 0
        self.streamCount = 1
        self.coupledCount = self.channelCount - 1
    }

    /// Reads a header packet; `nil` if it is none, is cut short, or is of a later major version.
    public init?(_ packet: ByteBuffer) {
        var bytes = packet
        guard bytes.readString(length: 8) == Self.signature, let version = bytes.readInteger(as: UInt8.self),
            version < 16, let channels = bytes.readInteger(as: UInt8.self), channels > 0,
            let preSkip = bytes.readInteger(endianness: .little, as: UInt16.self),
            let rate = bytes.readInteger(endianness: .little, as: UInt32.self),
            let gain = bytes.readInteger(endianness: .little, as: Int16.self),
            let family = bytes.readInteger(as: UInt8.self)
        else { return nil }
        self.init(preSkip: Int(preSkip), inputSampleRate: rate)
        self.channelCount = Int(channels)
        self.outputGain = gain
        self.mappingFamily = family
        self.coupledCount = self.channelCount - 1
        guard self.readMapping(&bytes) else { return nil }
    }

    private mutating func readMapping(_ bytes: inout ByteBuffer) -> Bool {
        guard self.mappingFamily != 0 else { return self.channelCount <= 2 }
        guard let streams = bytes.readInteger(as: UInt8.self), let coupled = bytes.readInteger(as: UInt8.self),
            streams > 0, coupled <= streams, bytes.readableBytes >= self.channelCount
        else { return false }
        self.streamCount = Int(streams)
        self.coupledCount = Int(coupled)
        return true
    }

    /// The header packet of family 0.
    public var bytes: ByteBuffer {
        var bytes = ByteBuffer(string: Self.signature)
        bytes.writeMultipleIntegers(UInt8(1), UInt8(clamping: self.channelCount))
        bytes.writeInteger(UInt16(clamping: self.preSkip), endianness: .little)
        bytes.writeInteger(self.inputSampleRate, endianness: .little)
        bytes.writeInteger(self.outputGain, endianness: .little)
        bytes.writeInteger(UInt8(0))
        return bytes
    }

    static let signature = "OpusHead"
}
