import NIOCore
import RTCBase
import Testing

@testable import RTCSCTP

/// Two engines over a network with a delay, in virtual time.
private final class EngineNetwork {
    let left: NativeAssociation
    let right: NativeAssociation
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var random: RandomSource
    /// Of 1000 packets, how many get lost or doubled; how long one takes, and how much longer at most.
    var lost = 0
    var doubled = 0
    var delay = TimeAmount.milliseconds(10)
    var jitter = TimeAmount.nanoseconds(0)
    private var underWay: [(due: NIODeadline, order: Int, toLeft: Bool, bytes: [UInt8])] = []
    private var order = 0
    private(set) var messages: [[SCTPIncomingMessage]] = [[], []]
    private(set) var notifications: [[SCTPNotification]] = [[], []]
    private(set) var packets = 0

    init(seed: UInt64, initialTSN: UInt32? = nil, configuration: SCTPConfiguration = .init()) {
        self.random = .seeded(seed)
        self.left = NativeAssociation(configuration: configuration, random: .seeded(seed &* 3), initialTSN: initialTSN)
        self.right = NativeAssociation(configuration: configuration, random: .seeded(seed &* 7), initialTSN: initialTSN)
    }

    func start() {
        for engine in [self.left, self.right] {
            engine.now = self.now
            _ = engine.start(remotePort: 5000, outgoingStreams: 256, maximumIncomingStreams: 256)
        }
        self.exchange()
    }

    func send(_ bytes: [UInt8], on stream: UInt16, isOrdered: Bool = true, _ reliability: SCTPReliability = .reliable) {
        self.left.now = self.now
        bytes.withUnsafeBytes { bytes in
            _ = self.left.send(
                SCTPOutgoing(
                    bytes: bytes,
                    buffer: nil,
                    stream: stream,
                    payloadProtocol: 53,
                    isOrdered: isOrdered,
                    reliability: reliability,
                    messageSize: bytes.count
                )
            )
        }
    }

    /// Lets both sides say and hear what they have.
    func exchange() {
        for (index, engine) in [self.left, self.right].enumerated() {
            engine.now = self.now
            engine.drainPackets { packet in
                self.packets += 1
                guard Int(self.random.next() % 1_000) >= self.lost else { return }
                let copies = Int(self.random.next() % 1_000) < self.doubled ? 2 : 1
                for _ in 0..<copies {
                    let extra =
                        self.jitter.nanoseconds > 0 ? Int64(self.random.next() % UInt64(self.jitter.nanoseconds)) : 0
                    self.order += 1
                    self.underWay.append(
                        (self.now + self.delay + .nanoseconds(extra), self.order, index == 1, Array(packet))
                    )
                }
            }
            while true {
                switch engine.read(into: UnsafeMutableRawBufferPointer(start: nil, count: 0)) {
                case .message(let message): self.messages[index].append(message)
                case .notification(let notification): self.notifications[index].append(notification)
                case .data, .nothing: break
                }
                if !engine.takeReadable() { break }
            }
        }
    }

    /// Runs until `condition`, or for so long.
    @discardableResult
    func run(for limit: TimeAmount, until condition: () -> Bool = { false }) -> Bool {
        let end = self.now + limit
        self.exchange()
        while !condition() {
            let next = [self.underWay.map(\.due).min(), self.left.nextTimeout, self.right.nextTimeout]
                .compactMap { $0 }.min()
            guard let next, next <= end else {
                self.now = end
                return false
            }
            self.now = max(self.now, next)
            let due = self.underWay.filter { $0.due <= self.now }.sorted { ($0.due, $0.order) < ($1.due, $1.order) }
            self.underWay.removeAll { $0.due <= self.now }
            for packet in due {
                let engine = packet.toLeft ? self.left : self.right
                engine.now = self.now
                packet.bytes.withUnsafeBytes { engine.receive($0) }
                self.exchange()
            }
            for engine in [self.left, self.right] {
                engine.now = self.now
                engine.handleTimeout()
            }
            self.exchange()
        }
        return true
    }

    var areUp: Bool { self.left.phase == .established && self.right.phase == .established }
}

@Suite("SCTP engine over a bad network")
struct NativeEngineTests {
    private func message(_ number: Int, size: Int) -> [UInt8] {
        [UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)]
            + [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size)
    }

    private func number(_ message: SCTPIncomingMessage) -> Int {
        let bytes = Array(message.bytes.readableBytesView.prefix(2))
        return Int(bytes[0]) << 8 | Int(bytes[1])
    }

    @Test("everything arrives once and in order, whatever the network does", arguments: UInt64(1)...60)
    func reliable(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        // Numbers begin anew in the middle of it.
        let pair = EngineNetwork(seed: seed, initialTSN: seed % 3 == 0 ? UInt32.max - 20 : nil)
        pair.lost = Int(random.next() % 200)
        pair.doubled = Int(random.next() % 50)
        pair.jitter = .milliseconds(Int64(random.next() % 30))
        pair.start()
        #expect(pair.run(for: .seconds(60), until: { pair.areUp }), "seed \(seed)")
        let sizes = (0..<60).map { _ in Int(random.next() % 8_000) }
        for (number, size) in sizes.enumerated() {
            pair.send(self.message(number, size: size), on: UInt16(number % 2 == 0 ? 1 : 65_534))
        }
        #expect(pair.run(for: .seconds(300), until: { pair.messages[1].count == 60 }), "seed \(seed)")
        for stream in [UInt16(1), 65_534] {
            let numbers = pair.messages[1].filter { $0.stream == stream }.map(self.number)
            #expect(numbers == numbers.sorted() && Set(numbers).count == 30, "seed \(seed)")
        }
        #expect(pair.messages[1].allSatisfy { $0.bytes.readableBytes == sizes[self.number($0)] + 2 }, "seed \(seed)")
        #expect(pair.run(for: .seconds(60), until: { pair.left.outstanding.isEmpty }), "seed \(seed)")
        #expect(pair.left.outstanding.bytesInFlight == 0 && pair.left.outstanding.lostCount == 0, "seed \(seed)")
        #expect(pair.right.receiveWindow == pair.right.configuration.receiveBuffer, "seed \(seed)")
    }

    @Test("what may be given up arrives in order or not at all, and nothing waits for it", arguments: UInt64(1)...40)
    func partiallyReliable(seed: UInt64) {
        let pair = EngineNetwork(seed: seed)
        pair.lost = 100
        pair.jitter = .milliseconds(5)
        pair.start()
        #expect(pair.run(for: .seconds(60), until: { pair.areUp }), "seed \(seed)")
        for number in 0..<100 {
            let reliability: SCTPReliability = seed % 2 == 0 ? .retransmissions(0) : .lifetime(milliseconds: 30)
            pair.send(self.message(number, size: 3_000), on: 1, isOrdered: seed % 4 < 2, reliability)
            pair.run(for: .milliseconds(3))
        }
        pair.lost = 0
        pair.run(for: .seconds(30))
        pair.send(self.message(1_000, size: 10), on: 1)
        #expect(pair.run(for: .seconds(10), until: { pair.messages[1].last.map(self.number) == 1_000 }), "seed \(seed)")
        let numbers = pair.messages[1].map(self.number)
        #expect(Set(numbers).count == numbers.count && numbers.count > 30 && numbers.count < 101, "seed \(seed)")
        if seed % 4 < 2 { #expect(numbers == numbers.sorted(), "seed \(seed)") }
        #expect(pair.messages[1].allSatisfy { $0.bytes.readableBytes == 3_002 || self.number($0) == 1_000 })
        #expect(pair.run(for: .seconds(10), until: { pair.left.outstanding.isEmpty }), "seed \(seed)")
    }

    @Test("streams begin anew after their data, through loss", arguments: UInt64(1)...30)
    func reset(seed: UInt64) {
        let pair = EngineNetwork(seed: seed)
        pair.lost = 100
        pair.start()
        #expect(pair.run(for: .seconds(60), until: { pair.areUp }), "seed \(seed)")
        for round in 0..<5 {
            for number in 0..<5 { pair.send(self.message(round * 5 + number, size: 2_000), on: 7) }
            pair.left.now = pair.now
            #expect(pair.left.resetOutgoingStreams([7]))
            func resets(_ side: Int) -> Int {
                pair.notifications[side].count {
                    switch $0 {
                    case .incomingStreamsReset([7]), .outgoingStreamsReset([7]): true
                    default: false
                    }
                }
            }
            #expect(pair.run(for: .seconds(60), until: { resets(0) == round + 1 }), "seed \(seed)")
            #expect(resets(1) == round + 1, "seed \(seed)")
            #expect(pair.messages[1].count == 5 * (round + 1), "seed \(seed): the reset overtook data")
        }
        #expect(pair.messages[1].map(self.number) == Array(0..<25), "seed \(seed)")
    }

    @Test("a window that closed opens again, though the word of it is lost", arguments: UInt64(1)...20)
    func closedWindow(seed: UInt64) {
        var configuration = SCTPConfiguration()
        configuration.receiveBuffer = 20_000
        let pair = EngineNetwork(seed: seed, configuration: configuration)
        pair.lost = seed % 2 == 0 ? 200 : 0
        pair.start()
        #expect(pair.run(for: .seconds(60), until: { pair.areUp }), "seed \(seed)")
        for number in 0..<50 { pair.send(self.message(number, size: 2_000), on: 0) }
        #expect(pair.run(for: .seconds(600), until: { pair.messages[1].count == 50 }), "seed \(seed)")
        #expect(pair.messages[1].map(self.number) == Array(0..<50), "seed \(seed)")
    }

    @Test("a peer that vanishes is given up, at every stage", arguments: [0, 1, 2, 3, 5, 20])
    func vanishes(packetsBefore: Int) {
        let pair = EngineNetwork(seed: 5)
        pair.start()
        pair.run(for: .seconds(5), until: { pair.packets > packetsBefore })
        pair.send(self.message(1, size: 5_000), on: 0)
        pair.lost = 1_000
        pair.run(for: .seconds(600))
        let isLost = pair.notifications[0].contains { if case .lost = $0 { true } else { false } }
        #expect(isLost)
        #expect(pair.left.nextTimeout == nil)
    }

    @Test("an idle association sleeps until its heartbeat")
    func idle() {
        let pair = EngineNetwork(seed: 1)
        pair.start()
        pair.run(for: .seconds(2), until: { pair.areUp })
        pair.send(self.message(1, size: 10), on: 0)
        pair.run(for: .seconds(1))
        let before = pair.packets
        pair.run(for: .seconds(25))
        #expect(pair.packets == before)
        pair.run(for: .seconds(120))
        #expect(pair.packets > before)
        #expect(pair.areUp)
    }

    @Test("one lost packet in a hundred does not empty a link without a queue")
    func randomLoss() {
        let pair = EngineNetwork(seed: 3)
        pair.lost = 10
        pair.start()
        pair.run(for: .seconds(10), until: { pair.areUp })
        let message = [UInt8](repeating: 1, count: 60_000)
        for _ in 0..<60 { pair.send(message, on: 0) }
        let begin = pair.now
        #expect(pair.run(for: .seconds(60), until: { pair.messages[1].count == 60 }))
        // 3.6 MB with a round trip of 20 ms: a window of 12 packets, all that 1 % of loss leaves Reno, takes over 5 s.
        #expect(pair.now - begin < .seconds(3))
    }
}
