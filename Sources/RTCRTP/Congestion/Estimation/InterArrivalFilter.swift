/// Puts packets that left, or arrived, in one burst together, and tells how the distance of two bursts changed on the way
/// (draft-ietf-rmcat-gcc-02 section 5.2).
///
/// All times are nanoseconds; the sender's and the receiver's clocks need not agree.
struct InterArrivalFilter: Sendable {
    /// How far two neighbouring bursts lay apart.
    struct Delta {
        /// At the sender, in milliseconds.
        var send: Double
        /// At the receiver, in milliseconds.
        var arrival: Double
    }

    private struct Group {
        var firstSend: Int64
        var lastSend: Int64
        var firstArrival: Int64
        var lastArrival: Int64
    }

    private var current: Group?
    private var previous: Group?
    private var reorderedInRow = 0
    /// How often the clocks jumped and all was begun anew.
    private(set) var resets: UInt64 = 0

    /// Takes one packet, and gives the distance of the two bursts before its own when it begins a new one.
    mutating func add(send: Int64, arrival: Int64) -> Delta? {
        guard var group = self.current else {
            self.current = Self.group(send, arrival)
            return nil
        }
        // A packet that left before this burst began was overtaken; its delay says nothing about the queue.
        guard send >= group.firstSend else { return nil }
        if self.belongs(send, arrival, to: group) {
            group.lastSend = max(group.lastSend, send)
            group.lastArrival = max(group.lastArrival, arrival)
            self.current = group
            return nil
        }
        defer { self.current = self.current == nil ? nil : Self.group(send, arrival) }
        guard let previous = self.previous else {
            self.previous = group
            return nil
        }
        let sendDelta = group.lastSend - previous.lastSend
        let arrivalDelta = group.lastArrival - previous.lastArrival
        if abs(arrivalDelta - sendDelta) > Self.clockJump {
            self.restart()
            return nil
        }
        if arrivalDelta < 0 {
            self.reorderedInRow += 1
            if self.reorderedInRow >= 3 { self.restart() }
            return nil
        }
        self.reorderedInRow = 0
        self.previous = group
        return Delta(send: Double(sendDelta) / 1e6, arrival: Double(arrivalDelta) / 1e6)
    }

    private mutating func restart() {
        self.resets += 1
        self.current = nil
        self.previous = nil
        self.reorderedInRow = 0
    }

    private func belongs(_ send: Int64, _ arrival: Int64, to group: Group) -> Bool {
        if send - group.firstSend <= Self.burst { return true }
        // Packets that a router held back come together, closer than they left.
        let gap = arrival - group.lastArrival
        return gap <= Self.burst && gap < send - group.lastSend && arrival - group.firstArrival < Self.longestBurst
    }

    private static func group(_ send: Int64, _ arrival: Int64) -> Group {
        Group(firstSend: send, lastSend: send, firstArrival: arrival, lastArrival: arrival)
    }

    private static let burst: Int64 = 5_000_000
    private static let longestBurst: Int64 = 100_000_000
    private static let clockJump: Int64 = 3_000_000_000
}
