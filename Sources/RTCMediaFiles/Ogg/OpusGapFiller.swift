internal import NIOCore

/// Packets without data for a gap in an Opus stream, which tell a decoder to conceal it (RFC 7845 section 4.1).
///
/// What is less than 2.5 ms is left over: no Opus packet is shorter.
struct OpusGapFiller {
    /// A packet, and how long it lasts in samples at 48,000 Hz.
    struct Packet {
        var payload: ByteBuffer
        var duration: Int
    }

    private var samples: Int64
    /// What a frame may be, the longest first: its configuration and its duration.
    private let frames: [(configuration: UInt8, duration: Int)]
    private let stereoFlag: UInt8

    /// - Parameters:
    ///   - samples: The length of the gap at 48,000 Hz.
    ///   - contents: The first byte of the packet before the gap: a decoder conceals best in the same mode.
    init(samples: Int64, after contents: UInt8) {
        self.samples = samples
        self.stereoFlag = contents & 4
        self.frames = Self.sameMode(contents >> 3) + Self.shortFrames
    }

    /// The next packet; `nil` when the gap is full.
    mutating func next() -> Packet? {
        guard let frame = self.frames.first(where: { $0.duration <= self.samples }) else { return nil }
        let count = Int(min(self.samples, Int64(Self.maximumDuration))) / frame.duration
        let duration = count * frame.duration
        self.samples -= Int64(duration)
        let first = frame.configuration << 3 | self.stereoFlag
        // One frame, or a number of frames that all have the same size: none.
        let bytes = count == 1 ? [first] : [first | 3, UInt8(count)]
        return Packet(payload: ByteBuffer(bytes: bytes), duration: duration)
    }

    /// 120 ms, the longest packet.
    private static let maximumDuration = 5760

    /// Frames of 10, 5 and 2.5 ms of the mode that has them, CELT, for what the others leave.
    private static let shortFrames: [(configuration: UInt8, duration: Int)] = [(30, 480), (29, 240), (28, 120)]

    private static func sameMode(_ configuration: UInt8) -> [(configuration: UInt8, duration: Int)] {
        switch configuration {
        case 0..<12: [2, 1, 0].map { (configuration & ~3 | $0, 480 << Int($0)) }
        case 12..<16: [1, 0].map { (configuration & ~1 | $0, 480 << Int($0)) }
        default: [3, 2, 1, 0].map { (configuration & ~3 | $0, 120 << Int($0)) }
        }
    }
}
