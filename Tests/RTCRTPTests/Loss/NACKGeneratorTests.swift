import NIOCore
import Testing

@testable import RTCRTP

@Suite("Asking for what is missing")
struct NACKGeneratorTests {
    private let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func ask(_ generator: inout NACKGenerator, _ milliseconds: Int64, roundTrip: Int64 = 50) -> [UInt16] {
        var numbers: [UInt16] = []
        let now = self.start + .milliseconds(milliseconds)
        generator.poll(roundTripTime: .milliseconds(roundTrip), now: now, into: &numbers)
        return numbers
    }

    @Test("a gap is asked for after a moment, then once a round trip, until it is filled")
    func gap() {
        var generator = NACKGenerator()
        generator.receive(65_534, isRecovered: false, now: self.start)
        generator.receive(1, isRecovered: false, now: self.start)
        let at0 = self.ask(&generator, 0)
        #expect(at0.isEmpty, "reordering is no loss")
        let at5 = self.ask(&generator, 5)
        #expect(at5 == [65_535, 0])
        let at40 = self.ask(&generator, 40)
        #expect(at40.isEmpty, "the answer is on its way")
        let isNew = generator.receive(65_535, isRecovered: true, now: self.start + .milliseconds(60))
        let at80 = self.ask(&generator, 80)
        #expect(at80 == [0])
        let isNewAgain = generator.receive(65_535, isRecovered: true, now: self.start + .milliseconds(90))
        #expect(isNew && !isNewAgain && generator.missingCount == 1)
    }

    @Test("packets that are only late make it more patient")
    func reordering() {
        var generator = NACKGenerator()
        generator.receive(10, isRecovered: false, now: self.start)
        generator.receive(12, isRecovered: false, now: self.start)
        generator.receive(11, isRecovered: false, now: self.start + .milliseconds(30))
        generator.receive(14, isRecovered: false, now: self.start + .milliseconds(31))
        let at50 = self.ask(&generator, 50)
        #expect(at50.isEmpty)
        let at62 = self.ask(&generator, 62)
        #expect(at62 == [13])
    }

    @Test("a packet is given up after so many tries, or after so long")
    func givingUp() {
        var configuration = NACKGenerator.Configuration()
        configuration.maximumTries = 3
        var generator = NACKGenerator(configuration: configuration)
        generator.receive(1, isRecovered: false, now: self.start)
        generator.receive(3, isRecovered: false, now: self.start)
        var asked = 0
        for time in stride(from: Int64(0), to: 1_000, by: 10) { asked += self.ask(&generator, time).count }
        #expect(asked == 3 && generator.missingCount == 0 && generator.abandonedPackets == 1)
        #expect(generator.nextTimeout == nil)
    }

    @Test("what is missing is bounded, and a jump of the numbers begins anew")
    func bounds() {
        var generator = NACKGenerator()
        generator.receive(0, isRecovered: false, now: self.start)
        generator.receive(2_000, isRecovered: false, now: self.start)
        #expect(generator.missingCount == 512)
        generator.receive(20_000, isRecovered: false, now: self.start)
        #expect(generator.missingCount == 0)
    }
}
