import NIOCore
import RTCSTUN
import Testing

@Suite struct STUNTransactionTests {
    @Test("A request is sent seven times at doubling intervals and fails after 39.5 seconds")
    func schedule() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let id = STUNTransactionID(high: 1, low: 2)
        var transaction = STUNTransaction(id: id, request: ByteBuffer(), now: start)
        var sentAt: [Int64] = [0]
        var failedAt: Int64?
        while let due = transaction.nextTimeout {
            let elapsed = (due - start).nanoseconds / 1_000_000
            #expect(transaction.handleTimeout(now: due - .nanoseconds(1)) == .wait)
            switch transaction.handleTimeout(now: due) {
            case .retransmit: sentAt.append(elapsed)
            case .fail: failedAt = elapsed
            case .wait: Issue.record("A due transaction did nothing")
            }
        }
        #expect(sentAt == [0, 500, 1500, 3500, 7500, 15500, 31500])
        #expect(failedAt == 39500)
    }

    @Test("A stopped transaction sends nothing more and ends")
    func stopped() {
        let start = NIODeadline.uptimeNanoseconds(1_000_000_000)
        let id = STUNTransactionID(high: 1, low: 2)
        var transaction = STUNTransaction(id: id, request: ByteBuffer(), now: start)
        transaction.stopRetransmitting(now: start, waitAtMost: .seconds(1))
        #expect(transaction.handleTimeout(now: start + .milliseconds(999)) == .wait)
        #expect(transaction.handleTimeout(now: start + .seconds(1)) == .fail)
        #expect(transaction.nextTimeout == nil)
    }
}
