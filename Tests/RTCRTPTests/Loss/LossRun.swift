import RTCBase

@testable import RTCRTP

/// Batches over a path that loses, repeats and mixes packets up; what can be found is worked out beside, by sets.
struct LossRun {
    private let form: FlexFECForm
    private var random: RandomSource
    private var source: MediaSource
    private var sender: FlexFECSender
    private var receiver: FlexFECReceiver
    private(set) var found = 0
    private(set) var missed = 0
    private(set) var wrong = 0

    init(form: FlexFECForm, seed: UInt64) {
        self.form = form
        self.random = .seeded(seed &* 7919 &+ 1)
        self.source = MediaSource(seed: seed)
        self.source.maximumPayload = 300
        self.sender = FlexFECSender(form: form, protecting: MediaSource.ssrc)
        self.receiver = FlexFECReceiver(form: form, protecting: MediaSource.ssrc)
        // The receiver must know where the stream is.
        self.receiver.receiveMedia(self.source.next())
    }

    var storageSize: Int { self.receiver.storageSize + self.sender.storageSize }

    mutating func sendBatch() {
        self.sender.level = Double(1 + self.random.next() % 90) / 100
        self.sender.pattern = FlexFECPattern.allCases[Int(self.random.next() % 3)]
        let packets = (0...Int(self.random.next() % 45)).map { _ in self.source.next() }
        let repairs = packets.flatMap { self.sender.append($0) } + self.sender.flush()
        let loss = self.random.next() % 40
        let arrivedPackets = packets.indices.filter { _ in self.random.next() % 100 >= loss }
        let arrivedRepairs = repairs.indices.filter { _ in self.random.next() % 100 >= loss }
        self.deliver(arrivedPackets.map { packets[$0] }, arrivedRepairs.map { repairs[$0] })
        let masks = arrivedRepairs.compactMap {
            try? FlexFECHeader.parse(repairs[$0], form: self.form).get().mask.distances
        }
        self.compare(packets, Self.findable(Set(arrivedPackets), masks).subtracting(arrivedPackets))
    }

    private mutating func deliver(_ packets: [[UInt8]], _ repairs: [[UInt8]]) {
        var arrivals = packets.map { ($0, true) } + repairs.map { ($0, false) }
        arrivals.shuffle(using: &self.random)
        if let first = arrivals.first { arrivals.append(first) }
        for (bytes, isMedia) in arrivals {
            if isMedia { self.receiver.receiveMedia(bytes) } else { self.receiver.receiveRepair(payload: bytes) }
        }
    }

    private mutating func compare(_ packets: [[UInt8]], _ findable: Set<Int>) {
        var left = Set(findable.map { packets[$0] })
        for packet in self.receiver.drain() {
            if left.remove(packet) == nil {
                // A packet may be found that arrived after it.
                if packets.contains(packet) { continue }
                self.wrong += 1
            } else {
                self.found += 1
            }
        }
        self.missed += left.count
    }

    private static func findable(_ arrived: Set<Int>, _ masks: [[Int]]) -> Set<Int> {
        var known = arrived
        while let mask = masks.first(where: { $0.filter { !known.contains($0) }.count == 1 }) { known.formUnion(mask) }
        return known
    }
}
