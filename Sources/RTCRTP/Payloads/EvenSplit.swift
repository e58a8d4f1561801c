/// Cuts a run of bytes into as few parts as fit, all of nearly the same size: a short last packet costs as much overhead
/// as a full one, and queues treat equal packets alike.
struct EvenSplit {
    let total: Int
    let count: Int

    /// - Precondition: `capacity` is positive and so is `total`.
    init(_ total: Int, capacity: Int) {
        self.total = total
        self.count = (total + capacity - 1) / capacity
    }

    /// The bytes of part `index`, counted from zero.
    func range(_ index: Int) -> Range<Int> {
        let size = self.total / self.count
        let larger = self.total % self.count
        let start = index * size + min(index, larger)
        return start..<start + size + (index < larger ? 1 : 0)
    }
}
