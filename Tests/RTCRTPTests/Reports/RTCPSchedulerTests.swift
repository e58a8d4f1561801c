import NIOCore
import RTCBase
import Testing

@testable import RTCRTP

@Suite("When reports are due")
struct RTCPSchedulerTests {
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    private func scheduler(_ change: (inout RTCPScheduler.Configuration) -> Void = { _ in }) -> RTCPScheduler {
        var configuration = RTCPScheduler.Configuration()
        change(&configuration)
        return RTCPScheduler(configuration: configuration, random: .seeded(3), now: Self.start)
    }

    @Test("regular reports come at random within half and one and a half of the interval")
    func regular() {
        var scheduler = self.scheduler()
        #expect(scheduler.due(now: Self.start) == nil)
        #expect(scheduler.nextRegular <= Self.start + .milliseconds(617))
        var now = Self.start
        var intervals: [Double] = []
        for _ in 0..<500 {
            let next = scheduler.nextDeadline
            #expect(scheduler.due(now: next - .nanoseconds(1)) == nil)
            #expect(scheduler.due(now: next) == .regular)
            scheduler.didSend(.regular, size: 100, now: next)
            intervals.append(Double((next - now).nanoseconds) / 1e9)
            now = next
        }
        intervals.removeFirst()
        let (least, most) = (intervals.min() ?? 0, intervals.max() ?? 0)
        #expect(least >= 0.5 / 1.21828 && least < 0.5)
        #expect(most <= 1.5 / 1.21828 + 0.001 && most > 1.1)
    }

    @Test("little bandwidth spreads reports so that they take a twentieth of it")
    func bandwidth() {
        var scheduler = self.scheduler {
            $0.sessionBandwidth = 16_000
            $0.senderCount = 2
        }
        var now = Self.start
        var bytes = 0
        for _ in 0..<300 {
            now = scheduler.nextDeadline
            scheduler.didSend(.regular, size: 300, now: now)
            bytes += 300
        }
        // Two members, 100 bytes per second for both: this one has 50.
        let rate = Double(bytes) / (Double((now - Self.start).nanoseconds) / 1e9)
        #expect(rate > 45 && rate < 75)
    }

    @Test("many receivers wait for each other, few senders do not")
    func manyMembers() {
        func interval(isSender: Bool) -> Double {
            var scheduler = self.scheduler {
                $0.memberCount = 1000
                $0.senderCount = 1
                $0.isSender = isSender
            }
            scheduler.didSend(.regular, size: 128, now: Self.start)
            return Double((scheduler.nextRegular - Self.start).nanoseconds) / 1e9
        }
        #expect(interval(isSender: true) < 1.3)
        #expect(interval(isSender: false) > 10)
    }

    @Test("feedback goes out at once, again and again, where that is allowed")
    func immediate() {
        var scheduler = self.scheduler()
        let regular = scheduler.nextRegular
        for step in 0..<5 {
            let now = Self.start + .milliseconds(Int64(step))
            #expect(scheduler.due(now: now) == nil)
            scheduler.requestEarly(now: now)
            #expect(scheduler.nextDeadline == now)
            #expect(scheduler.due(now: now) == .early)
            scheduler.didSend(.early, size: 60, now: now)
            #expect(scheduler.nextDeadline == regular)
        }
    }

    @Test("otherwise one early packet is allowed between two regular reports, and puts the next one off")
    func early() {
        var scheduler = self.scheduler { $0.allowsImmediateFeedback = false }
        scheduler.didSend(.regular, size: 100, now: Self.start)
        let regular = scheduler.nextRegular
        scheduler.requestEarly(now: Self.start)
        #expect(scheduler.due(now: Self.start) == .early)
        scheduler.didSend(.early, size: 60, now: Self.start)
        #expect(scheduler.nextRegular >= regular)
        #expect(scheduler.nextRegular >= Self.start + .milliseconds(820))
        let later = Self.start + .milliseconds(10)
        scheduler.requestEarly(now: later)
        #expect(scheduler.due(now: later) == nil)
        #expect(scheduler.nextDeadline == scheduler.nextRegular)
        let next = scheduler.nextRegular
        #expect(scheduler.due(now: next) == .regular)
        scheduler.didSend(.regular, size: 100, now: next)
        #expect(scheduler.due(now: next) == nil)
        scheduler.requestEarly(now: next)
        #expect(scheduler.due(now: next) == .early)
    }

    @Test("silly numbers trap nowhere")
    func extremes() {
        var scheduler = self.scheduler {
            $0.sessionBandwidth = 0
            $0.memberCount = -1
            $0.senderCount = .max
            $0.minimumInterval = .nanoseconds(-5)
        }
        scheduler.didReceive(size: .max)
        scheduler.didReceive(size: -1)
        scheduler.didSend(.regular, size: .max, now: Self.start)
        #expect(scheduler.nextRegular > Self.start)
    }
}
