import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Feedback")
struct FeedbackTests {
    private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

    private func at(_ milliseconds: Int64) -> NIODeadline { self.start + .milliseconds(milliseconds) }

    @Test("arrivals come back as they were, across the wrap of the numbers")
    func roundTrip() throws {
        var history = SentPacketHistory(firstSequence: 65_534)
        var generator = TransportFeedbackGenerator()
        for index in 0..<6 {
            let sequence = history.record(bytes: 1000 + index, now: self.at(Int64(index)))
            if index != 3 { generator.record(sequence, bytes: 1000, now: self.at(Int64(20 + 2 * index))) }
        }
        #expect(generator.poll(now: self.at(40)) == nil)
        let due = try #require(generator.nextTimeout)
        let polled = generator.poll(now: due)
        let feedback = try #require(polled)
        #expect(feedback.baseSequence == 65_534 && feedback.arrivals.count == 6)
        #expect(feedback.arrivals[3] == .lost && feedback.arrivals[4] == .received(delta: 16))
        #expect(generator.nextTimeout == nil)
        var results: [PacketResult] = []
        history.match(feedback, into: &results)
        #expect(results.map(\.bytes) == [1000, 1001, 1002, 1003, 1004, 1005])
        let arrivals = results.compactMap(\.arrival)
        #expect(arrivals.count == 5)
        #expect(arrivals[4] - arrivals[0] == .milliseconds(10))
        #expect(history.bytesInFlight == 0)
    }

    @Test("a packet that was late is reported again, and known to have been called lost")
    func late() throws {
        var history = SentPacketHistory()
        var generator = TransportFeedbackGenerator()
        for _ in 0..<3 { _ = history.record(bytes: 100, now: self.start) }
        generator.record(0, bytes: 100, now: self.at(10))
        generator.record(2, bytes: 100, now: self.at(11))
        var results: [PacketResult] = []
        let first = generator.poll(now: self.at(400))
        history.match(try #require(first), into: &results)
        #expect(results.map { $0.arrival != nil } == [true, false, true])
        generator.record(1, bytes: 100, now: self.at(401))
        generator.record(1, bytes: 100, now: self.at(402))
        results = []
        let second = generator.poll(now: self.at(900))
        history.match(try #require(second), into: &results)
        #expect(results.map(\.sequence) == [1])
        #expect(results.first?.wasReportedLost == true && results.first?.arrival != nil)
        #expect(generator.counters.duplicates == 1 && history.counters.duplicates == 1)
    }

    @Test("many packets between two reports are all remembered, and all reported")
    func growth() {
        var history = SentPacketHistory(capacity: 8192, firstSequence: 65_000)
        var generator = TransportFeedbackGenerator()
        for index in 0..<6000 {
            let now = self.at(Int64(index / 100))
            let sequence = history.record(bytes: 100, now: now)
            // The numbers' first packets come last, as far back as reordering goes.
            if index >= 300 { generator.record(sequence, bytes: 100, now: now) }
            if index == 500 {
                for late in 0..<300 { generator.record(65_000 &+ UInt16(late), bytes: 100, now: now) }
            }
        }
        var results: [PacketResult] = []
        while let report = generator.poll(now: self.at(1000)) { history.match(report, into: &results) }
        #expect(generator.counters.recorded == 6000 && history.counters.unknown == 0)
        #expect(results.filter { $0.arrival != nil }.map(\.sequence) == (65_000..<71_000).map { Int64($0) })
    }

    @Test("feedback about what was never sent, or twice about the same, is counted and ignored")
    func hostile() {
        var history = SentPacketHistory(capacity: 64)
        for _ in 0..<200 { _ = history.record(bytes: 100, now: self.start) }
        var results: [PacketResult] = []
        let ten = [TransportFeedback.Arrival](repeating: .received(delta: 1), count: 10)
        for base: UInt16 in [0, 60_000, 30_000, 195] {
            history.match(
                TransportFeedback(baseSequence: base, referenceTime: 1, feedbackCount: 0, arrivals: ten),
                into: &results
            )
        }
        #expect(results.map(\.sequence) == [195, 196, 197, 198, 199])
        #expect(history.counters.unknown == 35)
        history.match(
            TransportFeedback(baseSequence: 195, referenceTime: 1, feedbackCount: 0, arrivals: ten),
            into: &results
        )
        #expect(results.count == 5 && history.counters.duplicates == 5)
    }

    @Test("random numbers and random feedback trap nowhere, and the target stays within its bounds")
    func random() {
        let seed: UInt64 = 8888
        var random = RandomSource.seeded(seed)
        var history = SentPacketHistory(capacity: 256)
        var generator = TransportFeedbackGenerator()
        var estimator = BandwidthEstimator()
        var now = self.start
        for _ in 0..<1500 {
            now = now + .milliseconds(Int64(random.next() % 20))
            _ = history.record(bytes: Int(random.next() % 1500), now: now)
            estimator.noteSent(bytes: 1000, now: now)
            generator.record(UInt16(truncatingIfNeeded: random.next()), bytes: 1000, now: now)
            let arrivals = (0..<(random.next() % 40)).map { _ in
                random.next() % 3 == 0
                    ? TransportFeedback.Arrival.lost : .received(delta: Int16(truncatingIfNeeded: random.next()))
            }
            let base = UInt16(truncatingIfNeeded: history.nextSequence) &- UInt16(random.next() % 300)
            var results: [PacketResult] = []
            let feedback = TransportFeedback(
                baseSequence: base,
                referenceTime: UInt32(truncatingIfNeeded: random.next()),
                feedbackCount: 0,
                arrivals: arrivals
            )
            history.match(feedback, into: &results)
            if let own = generator.poll(now: now) { history.match(own, into: &results) }
            estimator.receive(results, now: now)
            estimator.handleTimeout(now: now)
            while estimator.poll() != nil {}
            let target = estimator.estimate.target
            #expect(target >= .kilobitsPerSecond(30) && target <= .kilobitsPerSecond(50_000), "seed \(seed)")
        }
        #expect(estimator.counters.impossibleTimes > 0 && history.counters.unknown > 0, "seed \(seed)")
    }

    @Test("RFC 8888 feedback names streams, offsets and marks")
    func perStream() throws {
        var history = SentPacketHistory()
        var generator = CongestionControlFeedbackGenerator()
        let ssrc = SSRC(5)
        for index in 0..<4 {
            let name = RTPPacketName(ssrc: ssrc, sequence: 65_534 &+ UInt16(index))
            _ = history.record(bytes: 100, stream: name, now: self.start)
            guard index != 1 else { continue }
            generator.record(
                name,
                ecn: index == 2 ? .congestionExperienced : .capable0,
                now: self.at(Int64(10 * index))
            )
        }
        #expect(generator.poll(ntpTime: 0, now: self.at(31)) == nil)
        let polled = generator.poll(ntpTime: 65_536, now: self.at(60))
        let feedback = try #require(polled)
        #expect(feedback.streams.count == 1 && feedback.streams[0].beginSequence == 65_534)
        #expect(feedback.streams[0].metrics[1] == .lost)
        var results: [PacketResult] = []
        history.match(feedback, into: &results)
        #expect(results.map { $0.arrival != nil } == [true, false, true, true])
        #expect(results.map(\.isCongestionMarked) == [false, false, true, false])
        let first = try #require(results[0].arrival)
        let last = try #require(results[3].arrival)
        #expect(abs((last - first).nanoseconds - 30_000_000) < 2_000_000)
    }

    @Test("RFC 8888 feedback tells of a packet that comes after it was said to be lost")
    func latePerStream() throws {
        var history = SentPacketHistory()
        var generator = CongestionControlFeedbackGenerator()
        for index in 0..<4 {
            let name = RTPPacketName(ssrc: SSRC(5), sequence: UInt16(index))
            _ = history.record(bytes: 100, stream: name, now: self.start)
            if index != 1 { generator.record(name, now: self.at(Int64(10 + index))) }
        }
        let polled = generator.poll(ntpTime: 65_536, now: self.at(100))
        let first = try #require(polled)
        var results: [PacketResult] = []
        history.match(first, into: &results)
        #expect(results.map { $0.arrival != nil } == [true, false, true, true])
        generator.record(RTPPacketName(ssrc: SSRC(5), sequence: 1), now: self.at(110))
        let polledAgain = generator.poll(ntpTime: 2 * 65_536, now: self.at(200))
        let second = try #require(polledAgain)
        results = []
        history.match(second, into: &results)
        #expect(results.count == 1 && results[0].wasReportedLost && results[0].arrival != nil)
        // Numbers from before the beginning of a stream were never asked about.
        generator.record(RTPPacketName(ssrc: SSRC(5), sequence: 65_000), now: self.at(210))
        #expect(generator.ignored == 1)
    }

    @Test("reports of many streams are written in parts that fit, and read as they were", arguments: 0..<4)
    func partsPerStream(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        var generator = CongestionControlFeedbackGenerator()
        // More streams than are remembered: the silent ones give way.
        for ssrc in 1...80 as ClosedRange<UInt32> {
            let begin = UInt16(truncatingIfNeeded: random.next())
            for index in 0..<UInt16(random.next() % 200 + 1) where index == 0 || random.next() % 4 > 0 {
                let name = RTPPacketName(ssrc: SSRC(ssrc), sequence: begin &+ index)
                generator.record(name, now: self.at(Int64(ssrc)))
            }
        }
        let polled = generator.poll(ntpTime: 77, now: self.at(500))
        let report = try #require(polled)
        #expect(report.streams.map(\.ssrc) == (17...80).map { SSRC($0) }, "seed \(seed)")
        let parts = report.parts(maximumSize: 1000)
        var read: [SSRC: [CongestionControlFeedback.Metric]] = [:]
        for part in parts {
            var buffer = ByteBuffer()
            buffer.writeRTCPCongestionFeedback(sender: SSRC(1), streams: part, reportTimestamp: 77)
            #expect(buffer.readableBytes <= 1000 + 12, "seed \(seed)")
            var reader = RTCPReader()
            let packet = reader.next(in: buffer.readableBytesSpan)
            guard case .congestionFeedback(let feedback) = packet else {
                Issue.record("seed \(seed): \(String(describing: packet))")
                continue
            }
            let value = CongestionControlFeedback(feedback, in: buffer.readableBytesSpan)
            #expect(value.reportTimestamp == 77)
            for stream in value.streams { read[stream.ssrc, default: []] += stream.metrics }
        }
        for stream in report.streams { #expect(read[stream.ssrc] == stream.metrics, "seed \(seed)") }
    }
}
