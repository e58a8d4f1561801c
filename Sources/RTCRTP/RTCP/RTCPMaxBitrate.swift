/// TMMBR and TMMBN (RFC 5104 sections 4.2.1 and 4.2.2): how much a stream may send at most.
public struct RTCPMaxBitrate: Sendable, Hashable {
    /// A limit.
    public struct Limit: Sendable, Hashable {
        static let size = 8

        /// The stream in a request, the one who asked in a notification.
        public var ssrc: SSRC
        /// The most it may send, in bits per second; what is written has 17 significant bits and is never more.
        public var bitrate: UInt64
        /// How many bytes of each packet are counted beside RTP's, 0 to 511.
        public var overhead: UInt16

        /// A limit.
        public init(ssrc: SSRC, bitrate: UInt64, overhead: UInt16) {
            self.ssrc = ssrc
            self.bitrate = bitrate
            self.overhead = min(overhead, 0x1FF)
        }
    }

    /// Who asks, or confirms.
    public let sender: SSRC
    private let range: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard let sources = RTCPFeedbackSources(header, datagram), sources.content.count % Limit.size == 0
        else { return nil }
        self.sender = sources.sender
        self.range = sources.content
    }

    /// How many limits there are.
    public var count: Int { self.range.count / Limit.size }

    /// The limit at `index`, from 0; `nil` past the last.
    public func limit(at index: Int, in datagram: RawSpan) -> Limit? {
        let offset = self.range.lowerBound + index &* Limit.size
        guard index >= 0, index < self.count, let ssrc: UInt32 = datagram.networkOrder(at: offset),
            let word: UInt32 = datagram.networkOrder(at: offset + 4)
        else { return nil }
        return Limit(
            ssrc: SSRC(ssrc),
            bitrate: ScaledBitrate.value(exponent: word >> 26, mantissa: word >> 9 & 0x1_FFFF),
            overhead: UInt16(word & 0x1FF)
        )
    }

    /// The limit on one stream; `nil` if there is none.
    public func limit(of ssrc: SSRC, in datagram: RawSpan) -> Limit? {
        for index in 0..<self.count {
            if let limit = self.limit(at: index, in: datagram), limit.ssrc == ssrc { return limit }
        }
        return nil
    }
}

/// Bitrates as RTCP sends them: a mantissa and six bits of exponent.
enum ScaledBitrate {
    /// The bitrate; the largest number if it is larger.
    static func value(exponent: UInt32, mantissa: UInt32) -> UInt64 {
        let mantissa = UInt64(mantissa)
        guard mantissa != 0 else { return 0 }
        return Int(exponent) <= mantissa.leadingZeroBitCount ? mantissa << UInt64(exponent) : .max
    }

    /// The largest bitrate that `bits` of mantissa can say and is not above `bitrate`.
    static func scaled(_ bitrate: UInt64, mantissaBits bits: Int) -> (exponent: UInt32, mantissa: UInt32) {
        let exponent = max(0, 64 - bitrate.leadingZeroBitCount - bits)
        return (UInt32(exponent), UInt32(truncatingIfNeeded: bitrate >> UInt64(exponent)))
    }
}
