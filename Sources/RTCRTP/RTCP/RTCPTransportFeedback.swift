/// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1): which packets of a transport
/// arrived, and when.
public struct RTCPTransportFeedback: Sendable, Hashable {
    /// What is told about one packet.
    public struct Packet: Sendable, Hashable {
        /// The transport-wide sequence number.
        public let sequenceNumber: UInt16
        /// Whether it arrived.
        public let isReceived: Bool
        /// When it arrived, in microseconds on the receiver's clock, whose zero is arbitrary and which begins anew every
        /// 2²⁴ × 64 ms; `nil` if it did not, or nothing is told about the time.
        public let arrivalMicroseconds: Int64?
    }

    /// What is to be told about one packet.
    public enum Status: Sendable, Hashable {
        /// It did not arrive.
        case notReceived
        /// It arrived, so many units of 250 µs after the packet received before it in the list, or after the reference time
        /// if it is the first.
        case received(delta: Int16)

        var symbol: UInt8 {
            switch self {
            case .notReceived: 0
            case .received(let delta): (0...255).contains(delta) ? 1 : 2
            }
        }
    }

    /// How many nanoseconds a unit of arrival times has.
    public static let deltaNanoseconds: Int64 = 250_000
    /// How many nanoseconds a unit of the reference time has.
    public static let referenceNanoseconds: Int64 = 64_000_000

    static let fixedSize = 8

    /// Who received.
    public let sender: SSRC
    /// One of the streams.
    public let media: SSRC
    /// The sequence number of the first packet told about.
    public let baseSequenceNumber: UInt16
    /// How many packets are told about, 1 to 65,535.
    public let statusCount: Int
    /// When the first packet arrived, roughly: units of 64 ms on the receiver's clock, 24 bits with a sign.
    public let referenceTime: Int32
    /// The feedback's own number, which counts up.
    public let feedbackCount: UInt8
    /// Whether arrival times are told.
    public let hasArrivalTimes: Bool

    private let chunksStart: Int
    private let deltas: Range<Int>

    init?(_ header: RTCPHeader, _ datagram: RawSpan) {
        guard let sources = RTCPFeedbackSources(header, datagram), sources.content.count >= Self.fixedSize,
            let base: UInt16 = datagram.networkOrder(at: sources.content.lowerBound),
            let count: UInt16 = datagram.networkOrder(at: sources.content.lowerBound + 2), count > 0,
            let word: UInt32 = datagram.networkOrder(at: sources.content.lowerBound + 4)
        else { return nil }
        self.sender = sources.sender
        self.media = sources.media
        self.baseSequenceNumber = base
        self.statusCount = Int(count)
        self.referenceTime = Int32(bitPattern: word) >> 8
        self.feedbackCount = UInt8(word & 0xFF)
        self.chunksStart = sources.content.lowerBound + Self.fixedSize
        guard
            let layout = Self.layout(
                of: datagram,
                from: self.chunksStart,
                to: sources.content.upperBound,
                statusCount: self.statusCount
            )
        else { return nil }
        self.deltas = layout.chunksEnd..<sources.content.upperBound
        self.hasArrivalTimes = layout.deltaSize <= self.deltas.count
        // Without arrival times at most the filling up to four bytes may follow.
        guard self.hasArrivalTimes || self.deltas.count < 4 else { return nil }
    }

    /// Where the chunks end, and how many bytes of arrival times they announce.
    private static func layout(
        of datagram: RawSpan,
        from start: Int,
        to end: Int,
        statusCount: Int
    ) -> (chunksEnd: Int, deltaSize: Int)? {
        var offset = start
        var remaining = statusCount
        var deltaSize = 0
        while remaining > 0 {
            guard offset + 2 <= end, let bits: UInt16 = datagram.networkOrder(at: offset) else { return nil }
            let chunk = RTCPStatusChunk(bits)
            let count = min(chunk.count, remaining)
            guard let size = chunk.deltaSize(of: count) else { return nil }
            deltaSize += size
            remaining -= count
            offset += 2
        }
        return (offset, deltaSize)
    }

    /// Calls `body` with each packet told about, in the order of their sequence numbers.
    public func forEachPacket(in datagram: RawSpan, _ body: (Packet) -> Void) {
        var number = self.baseSequenceNumber
        var remaining = self.statusCount
        var chunkOffset = self.chunksStart
        var deltaOffset = self.deltas.lowerBound
        var time = Int64(self.referenceTime) * 64_000
        while remaining > 0, let bits: UInt16 = datagram.networkOrder(at: chunkOffset) {
            let chunk = RTCPStatusChunk(bits)
            let count = min(chunk.count, remaining)
            for index in 0..<count {
                let symbol = chunk.symbol(at: index)
                var arrival: Int64?
                if self.hasArrivalTimes, symbol != 0 {
                    guard let delta = Self.delta(symbol, in: datagram, at: &deltaOffset) else { return }
                    time += delta * 250
                    arrival = time
                }
                body(Packet(sequenceNumber: number, isReceived: symbol != 0, arrivalMicroseconds: arrival))
                number &+= 1
            }
            remaining -= count
            chunkOffset += 2
        }
    }

    private static func delta(_ symbol: UInt8, in datagram: RawSpan, at offset: inout Int) -> Int64? {
        if symbol == 1 {
            guard let small: UInt8 = datagram.networkOrder(at: offset) else { return nil }
            offset += 1
            return Int64(small)
        }
        guard let large: UInt16 = datagram.networkOrder(at: offset) else { return nil }
        offset += 2
        return Int64(Int16(bitPattern: large))
    }
}
