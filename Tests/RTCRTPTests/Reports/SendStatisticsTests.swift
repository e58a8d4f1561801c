import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("What was sent of a stream, and round trips")
struct SendStatisticsTests {
    private static let start = NIODeadline.uptimeNanoseconds(7_000_000_000)
    private static let clock = NTPClock(NTPTimestamp(seconds: 1000, fraction: 0), at: start)

    @Test("a sender report counts packets and bytes, and its two times are one instant")
    func senderInfo() throws {
        var statistics = RTPSendStatistics(clockRate: 90_000)
        #expect(statistics.makeSenderInfo(ntpTime: NTPTimestamp(rawValue: 1), now: Self.start) == nil)
        for index in 0..<3 {
            // Three packets of one picture: only the first is sent when its timestamp says.
            let now = Self.start + .milliseconds(5 * Int64(index))
            statistics.send(timestamp: 0xFFFF_FF00, payloadSize: 1000, overhead: 20, now: now)
        }
        #expect(statistics.hasSentSinceReport)
        let now = Self.start + .milliseconds(100)
        let info = try #require(
            statistics.makeSenderInfo(ntpTime: Self.clock.time(at: now), now: now) as RTCPSenderInfo?
        )
        #expect(info.packetCount == 3 && info.octetCount == 3000)
        #expect(info.rtpTimestamp == 0xFFFF_FF00 &+ 9000)
        #expect(info.ntpTime.seconds == 1000)
        #expect(!statistics.hasSentSinceReport)
        #expect(statistics.overheadByteCount == 60)
    }

    @Test("the round trip is measured from the peer's report, less what the peer waited")
    func roundTrip() throws {
        var statistics = RTPSendStatistics(clockRate: 90_000)
        var receiver = RTPReceiveStatistics(clockRate: 90_000)
        statistics.send(timestamp: 0, payloadSize: 1, overhead: 12, now: Self.start)
        let sent = try #require(
            statistics.makeSenderInfo(ntpTime: Self.clock.time(at: Self.start), now: Self.start) as RTCPSenderInfo?
        )
        // 30 ms there, 2 s of waiting, 50 ms back.
        receiver.receive(sent, now: Self.start + .milliseconds(30))
        _ = receiver.receive(1, at: Self.start + .milliseconds(30))
        let report = try #require(
            receiver.makeReportBlock(ssrc: SSRC(1), now: Self.start + .milliseconds(2030)) as RTCPReportBlock?
        )
        let back = Self.start + .milliseconds(2080)
        let measured = try #require(
            statistics.receive(report, ntpTime: Self.clock.time(at: back), now: back) as TimeAmount?
        )
        #expect(abs(measured.nanoseconds - 80_000_000) < 40_000)
        #expect(statistics.roundTripTime == measured)
        #expect(statistics.roundTripTimeCount == 1)
        #expect(statistics.totalRoundTripTime == measured)
        #expect(statistics.remote?.block == report)
    }

    @Test("a round trip that cannot be is not measured, one just below zero is zero")
    func implausible() {
        let now = NTPTimestamp(seconds: 0x1_0000, fraction: 0)
        #expect(RoundTripTime.measure(now: now, last: 0, delay: 5) == nil)
        #expect(RoundTripTime.measure(now: now, last: now.compact &- 65_536, delay: 0) == .seconds(1))
        let later = NTPTimestamp(seconds: 0x1_0005, fraction: 0)
        #expect(RoundTripTime.measure(now: later, last: later.compact &- 65_536, delay: 65_537) == .zero)
        #expect(RoundTripTime.measure(now: later, last: later.compact &- 65_536, delay: 3 * 65_536) == nil)
        #expect(RoundTripTime.measure(now: later, last: later.compact &- 61 * 65_536, delay: 0) == nil)
        #expect(
            RoundTripTime.measure(now: later, last: later.compact &- 1 * 65_536, delay: 32_768) == .milliseconds(500)
        )
    }

    @Test("a side that only receives measures by reference times")
    func referenceTimes() throws {
        var exchange = ReferenceTimeExchange()
        let asked = Self.clock.time(at: Self.start)
        let bytes = RTCPSamples.written { $0.writeRTCPExtendedReport(ssrc: SSRC(5), referenceTime: asked) }
        guard case .extendedReport(let request)? = RTCPSamples.packets(bytes).first else {
            Issue.record("no extended report")
            return
        }
        exchange.receive(request, now: Self.start + .milliseconds(10))
        let delays = exchange.takeDelays(now: Self.start + .milliseconds(510))
        #expect(delays.map(\.ssrc) == [SSRC(5)])
        #expect(exchange.takeDelays(now: Self.start).isEmpty)
        let measured = RoundTripTime.measure(
            now: Self.clock.time(at: Self.start + .milliseconds(530)),
            last: delays[0].lastReceiverReport,
            delay: delays[0].delaySinceLastReceiverReport
        )
        #expect(abs((measured ?? .zero).nanoseconds - 30_000_000) < 40_000)
    }

    @Test("only so many askers are remembered, the newest")
    func manyReferenceTimes() {
        var exchange = ReferenceTimeExchange()
        for ssrc in UInt32(1)...40 {
            let bytes = RTCPSamples.written {
                $0.writeRTCPExtendedReport(ssrc: SSRC(ssrc), referenceTime: NTPTimestamp(rawValue: 1 << 20))
            }
            guard case .extendedReport(let request)? = RTCPSamples.packets(bytes).first else { continue }
            exchange.receive(request, now: Self.start)
        }
        let delays = exchange.takeDelays(now: Self.start)
        #expect(delays.count == ReferenceTimeExchange.capacity)
        #expect(delays.last?.ssrc == SSRC(40))
    }
}
