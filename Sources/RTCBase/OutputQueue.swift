/// What an engine has to say, in order, until its owner has polled it all. The room that it took once is kept for the next time.
public struct OutputQueue<Element> {
    @usableFromInline var elements: [Element] = []
    /// Where the oldest element lies: those before were taken.
    @usableFromInline var head = 0

    /// An empty queue.
    @inlinable
    public init() {}

    /// Whether there is nothing to take.
    @inlinable
    public var isEmpty: Bool { self.head == self.elements.count }

    /// Adds an element behind all others.
    @inlinable
    public mutating func append(_ element: Element) { self.elements.append(element) }

    /// Takes the oldest element, `nil` if there is none.
    @inlinable
    public mutating func popFirst() -> Element? {
        guard self.head < self.elements.count else { return nil }
        let element = self.elements[self.head]
        self.head += 1
        if self.head == self.elements.count {
            self.elements.removeAll(keepingCapacity: true)
            self.head = 0
        }
        return element
    }

    /// Drops everything.
    public mutating func removeAll() {
        self.elements.removeAll()
        self.head = 0
    }

    /// Drops the elements that have not been taken and fit.
    public mutating func removeAll(where fits: (Element) -> Bool) {
        self.elements.removeFirst(self.head)
        self.head = 0
        self.elements.removeAll(where: fits)
    }
}

extension OutputQueue: Sendable where Element: Sendable {}
