extension CongestionControlFeedback {
    /// A report as it came.
    ///
    /// - Parameter datagram: What the packet was read from.
    package init(_ packet: RTCPCongestionFeedback, in datagram: RawSpan) {
        var streams: [StreamReport] = []
        packet.forEachPacket(in: datagram) { ssrc, number, metric in
            let follows = streams.last.map {
                $0.ssrc == ssrc && $0.beginSequence &+ UInt16(truncatingIfNeeded: $0.metrics.count) == number
            }
            if follows != true { streams.append(StreamReport(ssrc: ssrc, beginSequence: number, metrics: [])) }
            streams[streams.count - 1].metrics.append(Metric(metric))
        }
        self.init(streams: streams, reportTimestamp: packet.reportTimestamp)
    }

    /// The report as it is written, in as many parts as are needed.
    ///
    /// - Parameter maximumSize: The most bytes of streams and packets in one part, at least 16.
    package func parts(maximumSize: Int) -> [[RTCPCongestionFeedback.Stream]] {
        var parts: [[RTCPCongestionFeedback.Stream]] = []
        var part: [RTCPCongestionFeedback.Stream] = []
        var room = maximumSize
        for stream in self.streams {
            var told = 0
            while told < stream.metrics.count {
                if room < Self.streamHeaderSize + 4 {
                    parts.append(part)
                    (part, room) = ([], maximumSize)
                }
                // Metrics are padded to whole words.
                let count = min(stream.metrics.count - told, max(2, (room - Self.streamHeaderSize) / 4 * 2))
                part.append(
                    RTCPCongestionFeedback.Stream(
                        ssrc: stream.ssrc,
                        firstSequenceNumber: stream.beginSequence &+ UInt16(truncatingIfNeeded: told),
                        metrics: stream.metrics[told..<told + count].map(\.wire)
                    )
                )
                told += count
                room -= Self.streamHeaderSize + (count + 1) / 2 * 4
            }
        }
        if !part.isEmpty { parts.append(part) }
        return parts
    }

    /// SSRC, first number and count.
    private static let streamHeaderSize = 8
}

extension CongestionControlFeedback.Metric {
    fileprivate init(_ metric: RTCPCongestionFeedback.Metric?) {
        guard let metric else {
            self = .lost
            return
        }
        let offset: UInt16 =
            switch metric.arrival {
            case .before(let units): units
            case .longBefore: 0x1FFE
            case .unknown: 0x1FFF
            }
        let ecn = ExplicitCongestionNotification(rawValue: metric.ecn.rawValue) ?? .notCapable
        self = .received(arrivalOffset: offset, ecn: ecn)
    }

    fileprivate var wire: RTCPCongestionFeedback.Metric? {
        guard case .received(let offset, let ecn) = self else { return nil }
        let arrival: RTCPCongestionFeedback.Arrival =
            switch offset {
            case 0x1FFF...: .unknown
            case 0x1FFE: .longBefore
            default: .before(offset)
            }
        return RTCPCongestionFeedback.Metric(ecn: .init(rawValue: ecn.rawValue) ?? .notECT, arrival: arrival)
    }
}
