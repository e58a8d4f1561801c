/// Runs of numbers that came behind the first gap, in their order.
struct TSNRanges {
    struct Run: Equatable {
        var first: Int64
        var last: Int64
    }

    private(set) var runs: [Run] = []

    /// Adds a number that is not there yet.
    mutating func insert(_ number: Int64) {
        var index = self.index(after: number)
        let joinsNext = index < self.runs.count && self.runs[index].first == number + 1
        let joinsPrevious = index > 0 && self.runs[index - 1].last == number - 1
        switch (joinsPrevious, joinsNext) {
        case (true, true):
            self.runs[index - 1].last = self.runs[index].last
            self.runs.remove(at: index)
        case (true, false):
            index -= 1
            self.runs[index].last = number
        case (false, true):
            self.runs[index].first = number
        case (false, false):
            self.runs.insert(Run(first: number, last: number), at: index)
        }
    }

    /// The place of the first run that begins behind a number; most numbers are the highest yet.
    private func index(after number: Int64) -> Int {
        guard let last = self.runs.last, last.first > number else { return self.runs.count }
        var low = 0
        var high = self.runs.count
        while low < high {
            let middle = (low + high) / 2
            if self.runs[middle].first > number { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Drops all numbers up to one.
    mutating func removeAll(through number: Int64) {
        guard !self.runs.isEmpty else { return }
        let count = self.runs.prefix { $0.last <= number }.count
        if count > 0 { self.runs.removeFirst(count) }
        if let first = self.runs.first, first.first <= number { self.runs[0].first = number + 1 }
    }
}
