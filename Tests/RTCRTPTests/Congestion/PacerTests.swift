import NIOCore
import Testing

@testable import RTCRTP

@Suite("Pacer")
struct PacerTests {
    private let start = NIODeadline.uptimeNanoseconds(5_000_000_000)

    private func sent(_ pacer: inout Pacer<Int>, at now: NIODeadline) -> [Int] {
        var elements: [Int] = []
        while let output = pacer.poll(now: now) {
            if case .send(let element, _) = output { elements.append(element) }
        }
        return elements
    }

    @Test("packets leave at the pacing rate, in bursts of 5 ms")
    func rate() throws {
        var pacer = Pacer<Int>(rate: .kilobitsPerSecond(9600), now: self.start)
        for index in 0..<100 { _ = pacer.enqueue(index, bytes: 1200, priority: .video, now: self.start) }
        var order: [Int] = []
        var wakeUps = 0
        var now = self.start
        while let next = pacer.nextTimeout {
            now = max(now, next)
            order += self.sent(&pacer, at: now)
            wakeUps += 1
        }
        #expect(order == Array(0..<100))
        #expect(wakeUps == 20)
        #expect(now - self.start == .milliseconds(95))
        #expect(pacer.queuedBytes == 0 && pacer.queuedPackets == 0)
    }

    @Test("the urgent leave first, and sound does not wait for the bucket")
    func priorities() {
        var pacer = Pacer<Int>(rate: .kilobitsPerSecond(100), now: self.start)
        for (index, priority) in PacketPriority.allCases.reversed().enumerated() {
            _ = pacer.enqueue(index, bytes: 1200, priority: priority, now: self.start)
        }
        #expect(self.sent(&pacer, at: self.start) == [4])
        _ = pacer.enqueue(9, bytes: 100, priority: .audio, now: self.start)
        #expect(self.sent(&pacer, at: self.start) == [9])
        var order: [Int] = []
        while let next = pacer.nextTimeout { order += self.sent(&pacer, at: next) }
        #expect(order == [3, 2, 1, 0])
    }

    @Test("what waited too long is handed back and counted")
    func expiry() {
        var pacer = Pacer<Int>(rate: .kilobitsPerSecond(96), now: self.start)
        for index in 0..<20 { _ = pacer.enqueue(index, bytes: 1200, priority: .video, now: self.start) }
        var sent: [Int] = []
        var dropped: [Int] = []
        while let next = pacer.nextTimeout {
            while let output = pacer.poll(now: next + .nanoseconds(1)) {
                switch output {
                case .send(let element, _): sent.append(element)
                case .dropped(let element): dropped.append(element)
                case .sendPadding: Issue.record("nobody asked for padding")
                }
            }
        }
        #expect(sent == [0, 1, 2, 3, 4])
        #expect(dropped == Array(5..<20))
        #expect(pacer.counters.expired == 15)
    }

    @Test("the queue has a bound in packets")
    func overflow() {
        var configuration = Pacer<Int>.Configuration()
        configuration.maximumPackets = 3
        var pacer = Pacer<Int>(rate: .kilobitsPerSecond(96), configuration: configuration, now: self.start)
        for index in 0..<3 { #expect(pacer.enqueue(index, bytes: 1, priority: .video, now: self.start) == nil) }
        #expect(pacer.enqueue(3, bytes: 1, priority: .audio, now: self.start) == 0)
        #expect(pacer.counters.overflowed == 1)
    }

    @Test("a probe takes packets, then padding, at its own rate")
    func probe() {
        var pacer = Pacer<Int>(rate: .kilobitsPerSecond(100), now: self.start)
        let id = ProbeClusterID(rawValue: 7)
        pacer.startProbe(ProbeCluster(id: id, rate: .kilobitsPerSecond(9600), duration: .milliseconds(15)))
        _ = pacer.enqueue(1, bytes: 1200, priority: .video, now: self.start)
        var now = self.start
        var packets = 0
        var padding = 0
        while let next = pacer.nextTimeout {
            now = max(now, next)
            while let output = pacer.poll(now: now) {
                switch output {
                case .send(_, let probe) where probe == id: packets += 1
                case .sendPadding(_, let probe) where probe == id: padding += 1
                default: Issue.record("not of the probe")
                }
            }
        }
        #expect(packets == 1 && padding == 14)
        #expect(now - self.start == .milliseconds(14))
    }

    @Test("a new rate applies to what is in the bucket")
    func newRate() throws {
        var pacer = Pacer<Int>(rate: .kilobitsPerSecond(96), now: self.start)
        for index in 0..<2 { _ = pacer.enqueue(index, bytes: 1200, priority: .video, now: self.start) }
        #expect(self.sent(&pacer, at: self.start) == [0])
        pacer.setRates(pacing: .kilobitsPerSecond(960), now: self.start)
        #expect(try #require(pacer.nextTimeout) - self.start == .milliseconds(10))
    }
}
