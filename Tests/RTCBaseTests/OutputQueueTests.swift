import RTCBase
import Testing

@Suite struct OutputQueueTests {
    @Test("What was appended comes out in order, also what is appended meanwhile")
    func order() {
        var queue = OutputQueue<Int>()
        #expect(queue.isEmpty && queue.popFirst() == nil)
        for number in 0..<3 { queue.append(number) }
        #expect(queue.popFirst() == 0)
        queue.append(3)
        #expect(!queue.isEmpty)
        var rest: [Int] = []
        while let number = queue.popFirst() { rest.append(number) }
        #expect(rest == [1, 2, 3] && queue.isEmpty)
    }

    @Test("What is dropped does not come out, and what was taken stays taken")
    func dropping() {
        var queue = OutputQueue<Int>()
        for number in 0..<6 { queue.append(number) }
        #expect(queue.popFirst() == 0 && queue.popFirst() == 1)
        queue.removeAll { $0.isMultiple(of: 2) }
        #expect(queue.popFirst() == 3)
        queue.removeAll()
        #expect(queue.isEmpty && queue.popFirst() == nil)
        queue.append(7)
        #expect(queue.popFirst() == 7)
    }
}
