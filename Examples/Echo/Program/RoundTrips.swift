import NIOCore

/// What a series of round trips took.
struct RoundTrips: Sendable, Encodable {
    var messages: Int
    var size: Int
    var minimum: Double
    var median: Double
    var p99: Double
    var unaltered = true

    enum CodingKeys: String, CodingKey {
        case messages
        case size
        case minimum = "min_us"
        case median = "median_us"
        case p99 = "p99_us"
        case unaltered
    }

    /// The figures of `times`.
    init(_ times: [TimeAmount], size: Int) {
        let sorted = times.map { Double($0.nanoseconds) / 1000 }.sorted()
        let at = { (share: Double) -> Double in
            sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
        }
        self.messages = times.count
        self.size = size
        self.minimum = at(0)
        self.median = at(0.5)
        self.p99 = at(0.99)
    }

    /// The figures for people.
    var text: String {
        """
        \(self.messages) messages of \(self.size) bytes came back unaltered; round trip: \
        min \(Self.text(self.minimum)), median \(Self.text(self.median)), p99 \(Self.text(self.p99))
        """
    }

    private static func text(_ microseconds: Double) -> String {
        microseconds < 1000
            ? "\(Int(microseconds.rounded())) µs" : "\((microseconds / 10).rounded() / 100) ms"
    }
}
