/// The packet numbers of everything that is sent: the newest index of RTP and the next one of RTCP, for each SSRC.
struct SendingStreams {
    private struct Stream {
        var newest: UInt64?
        var nextRTCP: UInt32 = 0
    }

    /// What a packet is sent as.
    enum Position {
        case index(UInt64, stream: Int)
        case refused(SRTPProtectError)
    }

    /// The last index of SRTCP (RFC 3711 section 3.4).
    static let lastRTCP: UInt32 = 0x7FFF_FFFF

    private var table: SSRCTable
    private var streams: [Stream] = []

    init(limit: Int) { self.table = SSRCTable(limit: limit) }

    /// The index of an RTP packet.
    mutating func rtpPosition(ssrc: UInt32, sequenceNumber: UInt16) -> Position {
        guard let stream = self.stream(ssrc) else { return .refused(.tooManyStreams) }
        guard let newest = self.streams[stream].newest else {
            return .index(UInt64(sequenceNumber), stream: stream)
        }
        guard let index = PacketIndex.estimate(sequenceNumber, newest: newest) else { return .refused(.keyExpired) }
        return .index(index, stream: stream)
    }

    /// Notes that an RTP packet was protected.
    mutating func sentRTP(_ index: UInt64, stream: Int) {
        if let newest = self.streams[stream].newest, newest >= index { return }
        self.streams[stream].newest = index
    }

    /// The index of the next RTCP packet.
    mutating func rtcpPosition(ssrc: UInt32) -> Position {
        guard let stream = self.stream(ssrc) else { return .refused(.tooManyStreams) }
        let index = self.streams[stream].nextRTCP
        guard index <= Self.lastRTCP else { return .refused(.keyExpired) }
        return .index(UInt64(index), stream: stream)
    }

    /// Notes that an RTCP packet was protected.
    mutating func sentRTCP(stream: Int) { self.streams[stream].nextRTCP += 1 }

    private mutating func stream(_ ssrc: UInt32) -> Int? {
        if let number = self.table.number(of: ssrc) { return number }
        guard !self.table.isFull else { return nil }
        self.streams.append(Stream())
        return self.table.insert(ssrc)
    }

    /// Continues a stream as if packets had been sent.
    mutating func begin(_ ssrc: UInt32, newest: UInt64?, nextRTCP: UInt32) {
        guard let stream = self.stream(ssrc) else { return }
        self.streams[stream] = Stream(newest: newest, nextRTCP: nextRTCP)
    }
}
