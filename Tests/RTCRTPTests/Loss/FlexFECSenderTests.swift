import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("Repair packets")
struct FlexFECSenderTests {
    private func sender(_ form: FlexFECForm = .draft03, level: Double) -> FlexFECSender {
        var sender = FlexFECSender(form: form, protecting: MediaSource.ssrc)
        sender.level = level
        return sender
    }

    private func masks(_ payloads: [[UInt8]]) -> [[Int]] {
        payloads.compactMap { try? FlexFECHeader.parse($0, form: .draft03).get().mask.distances }
    }

    @Test("two packets and their sum, worked out by hand", arguments: FlexFECForm.allCases)
    func vectors(form: FlexFECForm) {
        var sender = self.sender(form, level: 0.5)
        #expect(sender.append(FlexFECReceiverTests.first) == [])
        let payloads = sender.append(FlexFECReceiverTests.second, endsFrame: true)
        #expect(payloads == [FlexFECReceiverTests.sum(form)])
        #expect(sender.counters.fecPacketsMade == 1)
        #expect(sender.counters.packetsProtected == 2)
        #expect(payloads.allSatisfy { $0.count <= 3 + FlexFECSender.overhead(form: form) })
    }

    @Test("the level says how many there are, the pattern for which packets")
    func patterns() {
        var source = MediaSource(seed: 1)
        let packets = (0..<8).map { _ in source.next() }
        func masks(_ level: Double, _ pattern: FlexFECPattern) -> [[Int]] {
            var sender = self.sender(level: level)
            sender.pattern = pattern
            return self.masks(packets.flatMap { sender.append($0) } + sender.flush())
        }
        #expect(masks(0.25, .interleaved) == [[0, 2, 4, 6], [1, 3, 5, 7]])
        #expect(masks(0.25, .rows) == [[0, 1, 2, 3], [4, 5, 6, 7]])
        #expect(masks(0.5, .grid) == [[0, 2, 4, 6], [1, 3, 5, 7], [0, 1, 2, 3], [4, 5, 6, 7]])
        #expect(masks(0.01, .interleaved) == [Array(0..<8)])
        #expect(masks(1, .rows) == (0..<8).map { [$0] })
        #expect(masks(7, .interleaved).count == 8)
        #expect(masks(0.1, .grid) == [Array(0..<8)])
        #expect(masks(0, .rows) == [])
        #expect(masks(.nan, .rows) == [])
    }

    @Test("small frames share repair packets, large ones have several batches")
    func batches() {
        var source = MediaSource(seed: 2)
        var sender = self.sender(level: 0.25)
        let counts = (0..<8).map { _ in sender.append(source.next(marker: true), endsFrame: true).count }
        #expect(counts == [0, 0, 0, 1, 0, 0, 0, 1])
        sender.level = 0.1
        let large = (0..<100).map { _ in sender.append(source.next()).count }
        #expect(large.enumerated().filter { $1 > 0 }.map(\.offset) == [46, 92])
        #expect(large.reduce(0, +) == 10)
        #expect(sender.flush().count == 1)
        #expect(sender.flush() == [])
    }

    @Test("gaps stay out of the mask, and far jumps begin a batch")
    func gaps() {
        var source = MediaSource(seed: 3)
        var sender = self.sender(level: 0.01)
        #expect(sender.append(source.next()) == [])
        source.sequenceNumber &+= 3
        #expect(sender.append(source.next()) == [])
        source.sequenceNumber &+= 100
        #expect(self.masks(sender.append(source.next())) == [[0, 4]])
    }

    @Test("what is no packet of the stream is not protected")
    func foreign() {
        var sender = self.sender(level: 1)
        #expect(sender.append(Wire.bytes("8060 0001 00000010 11223345 AA"), endsFrame: true) == [])
        #expect(sender.append([1, 2, 3], endsFrame: true) == [])
        #expect(sender.append(FlexFECReceiverTests.first + [UInt8](repeating: 0, count: 1500), endsFrame: true) == [])
        #expect(sender.counters.packetsIgnored == 3)
        #expect(sender.flush() == [])
    }
}

@Suite("Protection policy")
struct FECProtectionPolicyTests {
    private func settle(_ policy: inout FECProtectionPolicy, _ loss: Double, _ roundTrip: Int64?) -> Double {
        for _ in 0..<50 { policy.update(fractionLost: loss, roundTripTime: roundTrip.map { .milliseconds($0) }) }
        return policy.level
    }

    @Test("nothing is protected without loss, or where asking again is fast")
    func off() {
        var policy = FECProtectionPolicy()
        #expect(self.settle(&policy, 0, 300) == 0)
        #expect(self.settle(&policy, 0.009, 300) == 0)
        #expect(self.settle(&policy, 0.2, 20) == 0)
        #expect(self.settle(&policy, .nan, 300) == 0)
    }

    @Test("protection grows with loss and round trip, up to its limit")
    func growth() {
        var policy = FECProtectionPolicy()
        let few = self.settle(&policy, 0.03, 200)
        let half = self.settle(&policy, 0.03, 50)
        let more = self.settle(&policy, 0.1, 200)
        #expect(abs(few - 0.125) < 0.01)
        #expect(abs(half - few / 2) < 0.01)
        #expect(more > few)
        #expect(self.settle(&policy, 0.6, nil) == 0.5)
        #expect(self.settle(&policy, 0, nil) == 0)
    }

    @Test("it begins above where it ends")
    func hysteresis() {
        var policy = FECProtectionPolicy()
        #expect(self.settle(&policy, 0.012, nil) == 0)
        #expect(self.settle(&policy, 0.02, nil) > 0)
        #expect(self.settle(&policy, 0.012, nil) > 0)
        #expect(self.settle(&policy, 0.008, nil) == 0)
    }
}
