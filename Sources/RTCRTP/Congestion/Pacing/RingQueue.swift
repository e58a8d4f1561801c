/// A queue in a ring that grows by doubling and then stays: in the steady state nothing is allocated.
package struct RingQueue<Element> {
    var storage: ContiguousArray<Element?>
    var head = 0
    /// How many elements wait.
    package private(set) var count = 0

    /// An empty queue.
    package init() {
        self.storage = ContiguousArray(repeating: nil, count: 16)
    }

    /// Whether nothing waits.
    package var isEmpty: Bool { self.count == 0 }

    /// The oldest element.
    package var first: Element? { self.count == 0 ? nil : self.storage[self.head] }

    /// Appends an element.
    package mutating func append(_ element: Element) {
        if self.count == self.storage.count { self.grow() }
        self.storage[(self.head + self.count) & (self.storage.count - 1)] = element
        self.count += 1
    }

    /// Takes the oldest element.
    package mutating func popFirst() -> Element? {
        guard self.count > 0 else { return nil }
        let element = self.storage[self.head]
        self.storage[self.head] = nil
        self.head = (self.head + 1) & (self.storage.count - 1)
        self.count -= 1
        return element
    }

    private mutating func grow() {
        var larger = ContiguousArray<Element?>(repeating: nil, count: self.storage.count * 2)
        for offset in 0..<self.count {
            larger[offset] = self.storage[(self.head + offset) & (self.storage.count - 1)]
        }
        self.storage = larger
        self.head = 0
    }
}

extension RingQueue: Sendable where Element: Sendable {}
