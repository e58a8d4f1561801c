/// Measured values and their percentiles.
struct Samples: Sendable {
    private var values: [Double] = []

    /// The number of values.
    var count: Int { self.values.count }

    mutating func append(_ value: Double) { self.values.append(value) }

    mutating func append(contentsOf other: Samples) { self.values += other.values }

    /// The values at these shares of all, 0 to 1 each; 0 if there are none.
    func percentiles(_ shares: Double...) -> [Double] {
        let sorted = self.values.sorted()
        return shares.map { share in
            sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
        }
    }
}
