import NIOCore
import RTCBase
import RTCRTP
import RTCTestKit
import Testing

@testable import RTCCore

/// What retransmissions take of the path is not the encoder's, in virtual time.
@Suite("Share of retransmissions")
struct RetransmissionShareTests {
    private static func link(rate: Int) -> SimulatedNetwork.Link {
        var link = SimulatedNetwork.Link()
        link.delay = .milliseconds(25)
        link.rate = rate / 8
        // A quarter of a second.
        link.queue = rate / 8 / 4
        return link
    }

    @Test("a path with a short queue that falls to the half is not kept overfull by repeats", arguments: 1...3)
    func fall(seed: UInt64) throws {
        let call = try MediaCall(.video, seed: seed, link: Self.link(rate: 1_000_000), isOneWay: true)
        try call.playAtTarget(20, from: 0)
        call.pair.network.link = Self.link(rate: 500_000)
        try call.playAtTarget(10, from: 600)
        let estimate = try #require(call.pair.left.session.media?.congestion).estimate
        #expect(estimate.fractionLost < 0.1, "seed \(seed): \(estimate)")
        #expect(
            estimate.target > .kilobitsPerSecond(200) && estimate.target < .kilobitsPerSecond(560),
            "seed \(seed): \(estimate)"
        )
    }

    @Test("the share follows the last second, and leaves the encoder half of its target at least")
    func share() {
        var share = RetransmissionShare()
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        share.update(sent: 0, retransmitted: 0, now: start)
        #expect(share.value == 0)
        for step in 1...10 {
            share.update(
                sent: UInt64(1000 * step),
                retransmitted: UInt64(250 * step),
                now: start + .milliseconds(Int64(500 * step))
            )
        }
        #expect(abs(share.value - 0.2) < 0.01)
        for step in 1...10 {
            share.update(
                sent: 10_000,
                retransmitted: UInt64(2500 + 1000 * step),
                now: start + .milliseconds(Int64(5000 + 500 * step))
            )
        }
        #expect(share.value == 0.5)
        for step in 1...40 {
            share.update(
                sent: UInt64(10_000 + 1000 * step),
                retransmitted: 12_500,
                now: start + .milliseconds(Int64(10_000 + 500 * step))
            )
        }
        #expect(share.value < 0.01)
    }
}
