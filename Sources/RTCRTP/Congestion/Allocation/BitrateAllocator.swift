/// Divides a target among encodings by need and priority, and decides which of them are sent at all.
///
/// First the minimum of each, by priority, as far as it goes; then what is left in proportion to the priorities
/// (W3C webrtc-priority section 4), and what one cannot use goes to the others. An encoding without its minimum is off. To
/// switch one on again takes a margin above its minimum, so that it does not flutter.
package struct BitrateAllocator: Sendable {
    /// An encoding that wants a share.
    package struct Encoding: Sendable, Hashable {
        /// Names it; unique within an allocation.
        package var id: UInt32
        /// Below which it is not worth sending.
        package var minimum: Bitrate
        /// Above which more is of no use.
        package var maximum: Bitrate
        /// Its weight: 0.5, 1, 2 or 4 for W3C's very-low, low, medium and high.
        package var priority: Double
        /// Its place among the layers of one simulcast, 0 for the smallest: lower ones are on before higher ones.
        package var layer: Int
        /// Encodings of the same group are layers of one track.
        package var group: UInt32
        /// Whether it stays on, even below its minimum, as sound does.
        package var isAlwaysOn: Bool

        /// An encoding.
        package init(
            id: UInt32,
            minimum: Bitrate,
            maximum: Bitrate,
            priority: Double = 1,
            layer: Int = 0,
            group: UInt32? = nil,
            isAlwaysOn: Bool = false
        ) {
            self.id = id
            self.minimum = minimum
            self.maximum = max(minimum, maximum)
            self.priority = priority.isFinite && priority > 0 ? priority : 1
            self.layer = layer
            self.group = group ?? id
            self.isAlwaysOn = isAlwaysOn
        }
    }

    /// What one encoding may send.
    package struct Share: Sendable, Hashable {
        /// The encoding.
        package var id: UInt32
        /// Its rate; zero when it is off.
        package var rate: Bitrate
        /// Whether it is sent.
        package var isOn: Bool
    }

    private var wasOn: [UInt32: Bool] = [:]
    /// How far above its minimum an encoding must come to be switched on again, as a factor. 1.2 by default.
    package var hysteresis = 1.2

    /// An allocator that has decided nothing yet.
    package init() {}

    /// Divides `target`, and remembers what is on. The shares come in the order of `encodings`.
    package mutating func allocate(_ target: Bitrate, among encodings: [Encoding]) -> [Share] {
        var shares = encodings.map { Share(id: $0.id, rate: .zero, isOn: false) }
        var left = target
        // Sound first, then the lowest layers of all tracks, then the next, by priority within each.
        let order = encodings.indices.sorted { Self.precedes(encodings[$0], encodings[$1], $0, $1) }
        var closedGroups: Set<UInt32> = []
        for index in order {
            let encoding = encodings[index]
            guard !closedGroups.contains(encoding.group) || encoding.isAlwaysOn else { continue }
            // The very first decision needs no margin: there is nothing to flutter.
            let margin = self.wasOn[encoding.id] == false ? self.hysteresis : 1
            guard encoding.isAlwaysOn || left >= encoding.minimum * margin else {
                closedGroups.insert(encoding.group)
                continue
            }
            shares[index].isOn = true
            shares[index].rate = min(left, encoding.minimum)
            left = left - shares[index].rate
        }
        Self.distribute(left, among: encodings, into: &shares)
        self.wasOn = Dictionary(shares.map { ($0.id, $0.isOn) }, uniquingKeysWith: { first, _ in first })
        return shares
    }

    /// What all encodings could use together: for ``BandwidthEstimator/setNeeded(_:now:)``.
    package static func needed(by encodings: [Encoding]) -> Bitrate {
        encodings.reduce(.zero) { $0 + $1.maximum }
    }

    private static func precedes(_ lhs: Encoding, _ rhs: Encoding, _ left: Int, _ right: Int) -> Bool {
        if lhs.isAlwaysOn != rhs.isAlwaysOn { return lhs.isAlwaysOn }
        if lhs.layer != rhs.layer { return lhs.layer < rhs.layer }
        if lhs.priority != rhs.priority { return lhs.priority > rhs.priority }
        return left < right
    }

    /// Fills up in proportion to the priorities; each round at least one encoding reaches its maximum, or nothing is left.
    private static func distribute(_ rest: Bitrate, among encodings: [Encoding], into shares: inout [Share]) {
        var left = rest
        var open = shares.indices.filter { shares[$0].isOn && shares[$0].rate < encodings[$0].maximum }
        while !open.isEmpty, left > .zero {
            let weight = open.reduce(0.0) { $0 + encodings[$1].priority }
            var given = Bitrate.zero
            for index in open {
                let part = left * (encodings[index].priority / weight)
                let room = encodings[index].maximum - shares[index].rate
                shares[index].rate = shares[index].rate + min(part, room)
                given = given + min(part, room)
            }
            left = left - given
            let before = open.count
            open.removeAll { shares[$0].rate >= encodings[$0].maximum }
            if open.count == before { return }
        }
    }
}
