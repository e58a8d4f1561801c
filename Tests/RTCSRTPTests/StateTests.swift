import RTCBase
import Testing

@testable import RTCSRTP

@Suite("Packet numbers and streams")
struct StateTests {
    @Test("An index is the one nearest to the newest")
    func indices() {
        let cases: [(newest: UInt64, sequence: UInt16, index: UInt64)] = [
            (100, 101, 101),
            (100, 99, 99),
            (0xFFFF, 0, 0x1_0000),
            (0x1_0000, 0xFFFF, 0xFFFF),
            (0x1_7FFF, 0xFFFF, 0x1_FFFF),
            (0x1_7FFE, 0xFFFF, 0xFFFF),
            (0x1_8000, 0, 0x1_0000),
            (0x1_8001, 0, 0x2_0000),
            // Nothing lies before the first rollover.
            (10, 0xFFF0, 0xFFF0),
            (0xFFFF_FFFF_7FFF, 0xFFFF, 0xFFFF_FFFF_FFFF),
        ]
        for (newest, sequence, index) in cases {
            #expect(PacketIndex.estimate(sequence, newest: newest) == index, "\(newest), \(sequence)")
        }
        #expect(PacketIndex.estimate(0, newest: 0xFFFF_FFFF_FFFF) == nil)
    }

    @Test("An index is never further than half the numbers away", arguments: [UInt64(1), 2, 3])
    func nearest(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        for _ in 0..<20_000 {
            let newest = UInt64.random(in: 0x1_0000...0xFFFF_FFFE_FFFF, using: &random)
            let sequence = UInt16.random(in: 0...UInt16.max, using: &random)
            let index = PacketIndex.estimate(sequence, newest: newest)
            guard let index else {
                Issue.record("seed \(seed): no index for \(sequence) at \(newest)")
                return
            }
            #expect(index & 0xFFFF == UInt64(sequence), "seed \(seed)")
            #expect(index > newest ? index - newest <= 0x8000 : newest - index <= 0x8000, "seed \(seed)")
        }
    }

    @Test("A table finds every SSRC it took, and no other", arguments: [UInt64(4), 5])
    func table(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var table = SSRCTable(limit: 3_000)
        var model: [UInt32: Int] = [:]
        while !table.isFull {
            // Neighbours and far apart, so that probing happens.
            let ssrc = UInt32.random(in: 0...(random.next() & 1 == 0 ? 4_000 : .max), using: &random)
            #expect(table.number(of: ssrc) == model[ssrc], "seed \(seed)")
            if model[ssrc] == nil { model[ssrc] = table.insert(ssrc) }
        }
        #expect(model.count == 3_000)
        for (ssrc, number) in model { #expect(table.number(of: ssrc) == number, "seed \(seed)") }
        for _ in 0..<3_000 {
            let ssrc = UInt32.random(in: 0...UInt32.max, using: &random)
            #expect(table.number(of: ssrc) == model[ssrc], "seed \(seed)")
        }
    }

    @Test("The window agrees with a set of everything received", arguments: [64, 128, 1_024, 32_768], [UInt64(6), 7])
    func windowModel(size: Int, seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var windows = ReplayWindows(size: size, limit: 2)
        var received: [Set<UInt64>] = [[], []]
        var newest: [UInt64] = [UInt64(random.next() & 0xFFFF), 0xFFFF_FF00]
        for step in 0..<20_000 {
            let stream = Int(random.next() & 1)
            let ssrc = UInt32(stream)
            let index: UInt64
            switch random.next() % 8 {
            case 0...3: index = newest[stream] + 1
            case 4: index = newest[stream] + random.next() % UInt64(size + size / 4)
            case 5: index = newest[stream] + random.next() % 70
            default: index = newest[stream] - min(newest[stream], random.next() % UInt64(size + 8))
            }
            let number = windows.stream(ssrc)
            let expected: SRTPUnprotectFailure?
            if number == nil {
                expected = nil
            } else if index <= newest[stream], newest[stream] - index >= UInt64(size) {
                expected = .tooOld
            } else {
                expected = received[stream].contains(index) ? .replayed : nil
            }
            let refusal = number.flatMap { windows.refusal(of: index, in: $0) }
            guard refusal == expected else {
                Issue.record(
                    "seed \(seed), step \(step): \(index) at \(newest[stream]) is \(String(describing: refusal))"
                )
                return
            }
            if refusal == nil {
                windows.accept(index, from: ssrc, in: number)
                received[stream].insert(index)
                newest[stream] = number == nil ? index : max(index, newest[stream])
            }
        }
    }

    @Test("The window's size is a power of two, and as large as asked for")
    func windowSizes() {
        for (asked, used) in [(64, 64), (65, 128), (1_000, 1_024), (1_024, 1_024), (32_768, 32_768)] {
            #expect(SRTPConfiguration.with { $0.replayWindow = asked }.replayWindowBits == used)
        }
    }
}
