/// What the first bytes of an Opus packet say (RFC 6716 section 3).
public struct OpusPacket: Sendable, Hashable {
    /// Which of its two codecs Opus uses.
    public enum Mode: Sendable, Hashable {
        /// SILK, for speech.
        case silk
        /// Both.
        case hybrid
        /// CELT, for music.
        case celt
    }

    /// How much of the spectrum is coded.
    public enum Bandwidth: Sendable, Hashable {
        /// 4 kHz.
        case narrow
        /// 6 kHz.
        case medium
        /// 8 kHz.
        case wide
        /// 12 kHz.
        case superwide
        /// 20 kHz.
        case full
    }

    /// The configuration, 0 to 31.
    public let configuration: UInt8
    /// Whether there are two channels.
    public let isStereo: Bool
    /// How many frames the packet has, 1 to 48.
    public let frameCount: Int
    /// The whole size in bytes.
    public let byteCount: Int

    /// Reads a packet; `nil` if it breaks a rule of RFC 6716 section 3.4: no frame, sizes that do not add up, more than 120 ms.
    public init?(_ packet: RawSpan) {
        guard let parsed = packet.withUnsafeBytes({ Self(bytes: $0) }) else { return nil }
        self = parsed
    }

    init?(bytes: UnsafeRawBufferPointer) {
        var reader = PayloadReader(bytes)
        let first = reader.byte()
        guard !reader.isExhausted else { return nil }
        self.configuration = first >> 3
        self.isStereo = first & 4 != 0
        self.byteCount = bytes.count
        guard let count = Self.readFrames(code: first & 3, &reader) else { return nil }
        self.frameCount = count
        guard self.duration <= Self.maximumDuration else { return nil }
    }

    /// 120 ms.
    static let maximumDuration = 5760

    /// How many frames there are, if their sizes add up.
    private static func readFrames(code: UInt8, _ reader: inout PayloadReader) -> Int? {
        switch code {
        case 0:
            return reader.remaining <= self.maximumFrameSize ? 1 : nil
        case 1:
            return reader.remaining % 2 == 0 && reader.remaining / 2 <= self.maximumFrameSize ? 2 : nil
        case 2:
            guard let size = self.readSize(&reader), size <= reader.remaining else { return nil }
            return reader.remaining - size <= self.maximumFrameSize ? 2 : nil
        default:
            return self.readManyFrames(&reader)
        }
    }

    private static let maximumFrameSize = 1275

    private static func readManyFrames(_ reader: inout PayloadReader) -> Int? {
        let byte = reader.byte()
        let count = Int(byte & 0x3F)
        guard !reader.isExhausted, (1...48).contains(count) else { return nil }
        var padding = 0
        if byte & 0x40 != 0 {
            var next: UInt8
            repeat {
                next = reader.byte()
                padding += next == 255 ? 254 : Int(next)
            } while next == 255 && !reader.isExhausted
        }
        var sizes = 0
        if byte & 0x80 != 0 {
            for _ in 1..<count {
                guard let size = self.readSize(&reader) else { return nil }
                sizes += size
            }
        }
        let left = reader.remaining - padding - sizes
        guard !reader.isExhausted, left >= 0 else { return nil }
        if byte & 0x80 == 0 { return left % count == 0 && left / count <= self.maximumFrameSize ? count : nil }
        return left <= self.maximumFrameSize ? count : nil
    }

    /// The size of a frame, one or two bytes (RFC 6716 section 3.2.1).
    private static func readSize(_ reader: inout PayloadReader) -> Int? {
        let first = Int(reader.byte())
        let size = first < 252 ? first : first + 4 * Int(reader.byte())
        return reader.isExhausted ? nil : size
    }

    /// The duration of one frame in samples at 48,000 Hz: 2.5 to 60 ms.
    public var frameDuration: Int {
        switch self.configuration {
        case 0..<12: [480, 960, 1920, 2880][Int(self.configuration & 3)]
        case 12..<16: [480, 960][Int(self.configuration & 1)]
        default: [120, 240, 480, 960][Int(self.configuration & 3)]
        }
    }

    /// The duration of the packet in samples at 48,000 Hz, which are the ticks of its RTP timestamp; at most 5,760 (120 ms).
    public var duration: Int { self.frameDuration * self.frameCount }

    /// The codec in use.
    public var mode: Mode {
        switch self.configuration {
        case 0..<12: .silk
        case 12..<16: .hybrid
        default: .celt
        }
    }

    /// The bandwidth in use.
    public var bandwidth: Bandwidth {
        switch self.configuration {
        case 0..<4: .narrow
        case 4..<8: .medium
        case 8..<12: .wide
        case 12..<14: .superwide
        case 14..<16: .full
        case 16..<20: .narrow
        case 20..<24: .wide
        case 24..<28: .superwide
        default: .full
        }
    }

    /// Whether the packet only keeps the stream alive in silence: at most one byte of data (RFC 6716 section 2.1.9).
    public var isDiscontinuous: Bool { self.byteCount <= 2 }
}
