import NIOCore
import RTCBase
import Testing

@Suite struct RateBucketTests {
    @Test("A bucket gives what was agreed, and no more")
    func takes() {
        let start = NIODeadline.uptimeNanoseconds(0)
        var bucket = RateBucket(burst: 2, now: start)
        let taken = [0, 0, 0, 1, 2, 3, 4, 100, 100, 100].map {
            bucket.take(1, rate: 0.5, burst: 2, now: start + .seconds($0))
        }
        #expect(taken == [true, true, false, false, true, false, true, true, true, false])
    }

    @Test("However often it is asked, nothing of what comes in between is lost")
    func refills() {
        var now = NIODeadline.uptimeNanoseconds(0)
        var bucket = RateBucket(burst: 1_000, now: now)
        var passed = 0
        for _ in 0..<2_000_000 {
            now = now + .nanoseconds(999)
            if bucket.take(1, rate: 1_000, burst: 1_000, now: now) { passed += 1 }
        }
        // What there was, and that of two seconds less two milliseconds.
        #expect((2_996...2_999).contains(passed), "\(passed)")
    }

    @Test("What was taken for nothing can be taken again, but never more than there may be")
    func givesBack() {
        let now = NIODeadline.uptimeNanoseconds(0)
        var bucket = RateBucket(burst: 1, now: now)
        bucket.giveBack(1, burst: 1)
        var taken = [1, 1].map { bucket.take($0, rate: 1, burst: 1, now: now) }
        bucket.giveBack(1, burst: 1)
        taken.append(bucket.take(1, rate: 1, burst: 1, now: now))
        #expect(taken == [true, false, true])
    }

    @Test("After the time that it says there is enough, and not before")
    func waits() {
        let start = NIODeadline.uptimeNanoseconds(0)
        var bucket = RateBucket(burst: 10, now: start)
        let none = bucket.wait(for: 10, rate: 3, burst: 10, now: start)
        bucket.spend(100)
        let wait = bucket.wait(for: 1, rate: 3, burst: 10, now: start)
        let tooEarly = bucket.take(1, rate: 3, burst: 10, now: start + wait - .microseconds(1))
        let inTime = bucket.take(1, rate: 3, burst: 10, now: start + wait)
        let longest = bucket.wait(for: 10, rate: 0.000_1, burst: 10, now: start + wait)
        #expect(none == .zero && !tooEarly && inTime)
        #expect(longest <= .hours(1) + .nanoseconds(1))
    }
}
