import NIOCore
import Testing

@testable import TURNServer

@Suite struct WakeupModerationTests {
    @Test("A shard rests while much comes in small portions, and neither when little comes nor when a portion is large")
    func rest() {
        let pause = TimeAmount.microseconds(300)
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var moderation = WakeupModeration(pause: pause, now: now)
        var count = 0
        func rests(_ portion: Int, looks: Int) -> [Int32] {
            (0..<looks).map { _ in
                now = now + .milliseconds(1)
                count += portion
                return moderation.rest(after: count, now: now)
            }
        }
        #expect(rests(1, looks: 100).allSatisfy { $0 == 0 })
        // It takes a window of 20 ms to be seen.
        #expect(rests(10, looks: 60).suffix(20).allSatisfy { $0 == 300 })
        #expect(rests(1_000, looks: 20).allSatisfy { $0 == 0 })
        #expect(rests(10, looks: 60).suffix(20).allSatisfy { $0 == 300 })
        #expect(rests(1, looks: 60).suffix(20).allSatisfy { $0 == 0 })
    }

    @Test("No pause, no rest")
    func none() {
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var moderation = WakeupModeration(pause: .zero, now: now)
        for count in 1...100 {
            now = now + .milliseconds(1)
            #expect(moderation.rest(after: count * 100, now: now) == 0)
        }
    }
}
