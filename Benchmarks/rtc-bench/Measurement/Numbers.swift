import Synchronization

/// Numbers that several tasks share out among themselves.
final class Numbers: Sendable {
    private let next: Atomic<Int>
    private let end: Int

    init(_ range: Range<Int>) {
        self.next = Atomic(range.lowerBound)
        self.end = range.upperBound
    }

    /// The next number, `nil` when all are taken.
    func take() -> Int? {
        let number = self.next.wrappingAdd(1, ordering: .relaxed).oldValue
        return number < self.end ? number : nil
    }
}
