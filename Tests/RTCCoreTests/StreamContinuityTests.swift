import NIOCore
import RTCBase
import RTCRTP
import Testing

@testable import RTCCore

/// Numbers and timestamps of a stream whose feed changes.
@Suite("Continuity of a stream")
struct StreamContinuityTests {
    private let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func map(_ number: UInt16, of ssrc: UInt32 = 1, in continuity: inout StreamContinuity) -> UInt16? {
        let header = RTPHeader(
            marker: false,
            payloadType: PayloadType(lowBitsOf: 96),
            sequenceNumber: number,
            timestamp: UInt32(number) &* 960,
            ssrc: SSRC(ssrc)
        )
        return continuity.map(header, clockRate: 48_000, now: self.now)?.sequence
    }

    @Test("gaps and reordering of a feed stay, across the end of the numbers too")
    func order() {
        var continuity = StreamContinuity(nextSequence: 65_533, timestampOffset: 0)
        let numbers = [10, 11, 13, 12, 20, 15] as [UInt16]
        #expect(numbers.map { self.map($0, in: &continuity) } == [65_533, 65_534, 0, 65_535, 7, 2])
        #expect(continuity.nextSequence == 8)
    }

    @Test("no number is given to two packets, whatever comes late after a change")
    func late() {
        var continuity = StreamContinuity(nextSequence: 100, timestampOffset: 0)
        #expect(self.map(50, in: &continuity) == 100 && self.map(52, in: &continuity) == 102)
        // Another feed, and a packet of it from before.
        #expect(self.map(9, of: 2, in: &continuity) == 103)
        #expect(self.map(8, of: 2, in: &continuity) == nil && self.map(10, of: 2, in: &continuity) == 104)
        // What comes in between.
        #expect(continuity.interject() == 105 && continuity.interject() == 106)
        #expect(self.map(12, of: 2, in: &continuity) == 107)
        #expect(self.map(11, of: 2, in: &continuity) == nil && self.map(13, of: 2, in: &continuity) == 108)
    }

    @Test("a feed whose numbers begin elsewhere goes on behind what was sent")
    func restart() {
        var continuity = StreamContinuity(nextSequence: 100, timestampOffset: 0)
        for number in 30_000..<30_010 as Range<UInt16> { _ = self.map(number, in: &continuity) }
        #expect(self.map(5, in: &continuity) == 110 && self.map(6, in: &continuity) == 111)
        #expect(self.map(30_009, in: &continuity) != 109)
    }

    @Test("the clock goes on by itself for what has no timestamp of its own")
    func clock() {
        var continuity = StreamContinuity(nextSequence: 0, timestampOffset: 7000)
        #expect(continuity.timestamp(at: self.now, clockRate: 48_000) == 7000)
        let later = self.now + .milliseconds(500)
        #expect(continuity.timestamp(at: later, clockRate: 48_000) == 31_000)
        // The first frame comes behind it, whatever its own timestamp is.
        let frame = continuity.timestamp(123, from: .frames(source: 1), clockRate: 48_000, now: later)
        #expect(frame == 31_000)
    }
}
