import NIOCore
import RTCBase
import RTCRTP
import RTCSDP
import RTCTestKit
import Testing

@testable import RTCCore

/// Congestion control by reports of arrivals for each stream (RFC 8888), in virtual time.
@Suite("Congestion control feedback")
struct StreamFeedbackTests {
    /// Takes away the numbers that transport-wide feedback needs.
    private static func withoutNumbers(_ offer: inout SDPSession) {
        for index in offer.media.indices {
            let extensions = offer.media[index].attributes.all("extmap")
            offer.media[index].attributes.setAll(
                "extmap",
                extensions.filter { !$0.contains(HeaderExtensionKind.transportSequenceNumber.uri) }
            )
        }
    }

    private static func link(rate: Int, loss: Double = 0) -> SimulatedNetwork.Link {
        var link = SimulatedNetwork.Link()
        link.delay = .milliseconds(25)
        link.rate = rate / 8
        link.loss = loss
        link.queue = rate / 8 / 2
        return link
    }

    @Test(
        "the target finds a steady capacity, and follows when it falls to the half",
        arguments: 1...3
    )
    func capacity(seed: UInt64) throws {
        let call = try MediaCall(
            .video,
            seed: seed,
            link: Self.link(rate: 1_000_000),
            isOneWay: true,
            alteringOffer: Self.withoutNumbers
        )
        try call.playAtTarget(20, from: 0)
        let control = try #require(call.pair.left.session.media?.congestion)
        let steady = control.estimate
        #expect(
            steady.target > .kilobitsPerSecond(600) && steady.target < .kilobitsPerSecond(1100),
            "seed \(seed): \(steady)"
        )
        #expect(steady.acknowledgedRate != nil)
        call.pair.network.link = Self.link(rate: 500_000)
        try call.playAtTarget(10, from: 600)
        let halved = control.estimate
        #expect(
            halved.target > .kilobitsPerSecond(250) && halved.target < .kilobitsPerSecond(560),
            "seed \(seed): \(halved)"
        )
        call.pair.network.link = Self.link(rate: 1_000_000)
        try call.playAtTarget(30, from: 900)
        #expect(control.estimate.target > .kilobitsPerSecond(600), "seed \(seed): \(control.estimate)")
        // Nothing transport-wide was written or reported.
        #expect(call.pair.right.session.media?.feedback == nil && call.pair.right.session.media?.streamFeedback != nil)
    }

    @Test("retransmissions and repair packets are reported too, and losses counted", arguments: 4...5)
    func losses(seed: UInt64) throws {
        let call = try MediaCall(
            .video,
            seed: seed,
            link: Self.link(rate: 2_000_000, loss: 0.03),
            isOneWay: true,
            alteringOffer: Self.withoutNumbers
        )
        try call.playAtTarget(15, from: 0)
        let control = try #require(call.pair.left.session.media?.congestion)
        #expect(abs(control.estimate.fractionLost - 0.03) < 0.03, "seed \(seed): \(control.estimate)")
        #expect(control.estimate.target > .kilobitsPerSecond(300), "seed \(seed): \(control.estimate)")
        let outbound = try #require(call.report(call.pair.left).outbound.first)
        #expect(outbound.retransmittedPacketsSent > 0)
    }

    @Test("both are offered, and answered with transport-wide feedback where packets have numbers for it")
    func negotiation() throws {
        let both = try MediaCall(.video, seed: 6)
        let offer = try #require(both.pair.left.session.currentLocalDescription).sdp
        let answer = try #require(both.pair.right.session.currentLocalDescription).sdp
        #expect(offer.contains("a=rtcp-fb:* ack ccfb\r\n") && offer.contains("a=rtcp-fb:96 transport-cc\r\n"))
        #expect(answer.contains("a=rtcp-fb:96 transport-cc\r\n") && !answer.contains("ccfb"))
        try both.play(30)
        #expect(both.pair.right.session.media?.feedback != nil && both.pair.right.session.media?.streamFeedback == nil)
        let without = try MediaCall(.video, seed: 7, alteringOffer: Self.withoutNumbers)
        let second = try #require(without.pair.right.session.currentLocalDescription).sdp
        #expect(second.contains("a=rtcp-fb:* ack ccfb\r\n") && !second.contains("transport-cc"))
        let neither = try MediaCall(
            .video,
            seed: 8,
            alteringOffer: { offer in
                Self.withoutNumbers(&offer)
                let feedback = offer.media[0].attributes.all("rtcp-fb").filter { !$0.contains("ccfb") }
                offer.media[0].attributes.setAll("rtcp-fb", feedback)
            }
        )
        try neither.play(30)
        #expect(neither.pair.right.session.media?.streamFeedback == nil)
    }
}
