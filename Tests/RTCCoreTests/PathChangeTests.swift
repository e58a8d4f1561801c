import NIOCore
import RTCBase
import RTCICE
import RTCSCTP
import RTCTestKit
import Testing

@testable import RTCCore

/// What becomes of data when the path under it dies and another takes its place.
@Suite("Paths that change under data", .serialized)
struct PathChangeTests {
    private static let other = TransportAddress(ipv4: 0x0A00_0063, port: 5_001)
    private static let roundTrip = TimeAmount.milliseconds(100)

    /// Two peers with an open channel, 50 ms apart.
    private struct Call {
        let pair: PeerPair
        let channel: DataChannelHandle

        init(seed: UInt64, left: RTCConfiguration = RTCConfiguration()) throws {
            var link = SimulatedNetwork.Link()
            link.delay = .milliseconds(50)
            self.pair = try PeerPair(seed: seed, link: link, leftConfiguration: left)
            let channel = try self.pair.left.session.createDataChannel("data", now: self.pair.now)
            self.channel = channel
            try self.pair.negotiate()
            let pair = self.pair
            #expect(
                pair.run(for: .seconds(10)) {
                    pair.left.events.contains { if case .dataChannelOpen(channel) = $0 { true } else { false } }
                }
            )
            _ = pair.run(for: .seconds(5))
            pair.left.clearEvents()
        }

        func send(_ text: String) throws { try self.send(ByteBuffer(string: text)) }

        func send(_ bytes: ByteBuffer) throws {
            try self.pair.left.session.send(bytes, kind: .binary, on: self.channel, now: self.pair.now)
        }

        var received: Int {
            self.pair.right.events.reduce(0) { count, event in
                guard case .dataChannelMessages(_, let messages) = event else { return count }
                return count + messages.reduce(0) { $0 + $1.bytes.readableBytes }
            }
        }

        /// Lets time pass while the right peer reads what arrives.
        func run(for duration: TimeAmount, until condition: () -> Bool = { false }) -> Bool {
            var read = self.received
            return self.pair.run(for: duration) {
                let received = self.received
                if received > read {
                    self.pair.right.session.messagesRead(bytes: received - read, now: self.pair.now)
                    read = received
                }
                return condition()
            }
        }

        /// The left peer's address is replaced by another.
        func renumber(to address: TransportAddress = PathChangeTests.other) {
            let left = self.pair.left
            left.addresses = [address]
            left.session.removeHost(base: left.address, now: self.pair.now)
            left.session.addHost(ICEHostAddress(base: address), now: self.pair.now)
        }

        var base: TransportAddress? { self.pair.left.session.transport.path?.base }
    }

    @Test(
        "What was sent on a path that died arrives within two round trips of another one's selection",
        arguments: 1...5 as ClosedRange<UInt64>
    )
    func deadForTenSeconds(seed: UInt64) throws {
        let call = try Call(seed: seed)
        let pair = call.pair
        pair.network.unreachable.insert(pair.left.address)
        try call.send("hello")
        _ = pair.run(for: .seconds(10))
        pair.left.addresses = [pair.left.address, Self.other]
        pair.left.session.addHost(ICEHostAddress(base: Self.other), now: pair.now)
        #expect(pair.run(for: .seconds(10)) { call.base == Self.other })
        let selected = pair.now
        #expect(pair.run(for: .seconds(30)) { call.received == 5 })
        #expect(pair.now - selected <= Self.roundTrip * 2, "seed \(seed)")
    }

    @Test("A path that comes back by itself carries data within two round trips", arguments: 1...5)
    func comesBack(seed: UInt64) throws {
        let call = try Call(seed: seed)
        let pair = call.pair
        pair.network.unreachable.insert(pair.left.address)
        try call.send("hello")
        _ = pair.run(for: .seconds(12))
        #expect(pair.left.session.iceConnectionState == .disconnected)
        pair.network.unreachable = []
        #expect(pair.run(for: .seconds(5)) { pair.left.session.iceConnectionState == .connected })
        let connected = pair.now
        #expect(pair.run(for: .seconds(30)) { call.received == 5 })
        #expect(pair.now - connected <= Self.roundTrip * 2, "seed \(seed)")
    }

    @Test(
        "An address that is replaced in the middle of a transfer holds it up for less than a second",
        arguments: 1...5 as ClosedRange<UInt64>
    )
    func replaced(seed: UInt64) throws {
        let call = try Call(seed: seed)
        let pair = call.pair
        let size = 4 << 20
        for _ in 0..<64 { try call.send(ByteBuffer(repeating: 7, count: size / 64)) }
        _ = call.run(for: .milliseconds(700))
        let before = call.received
        #expect(before > 0 && before < size)
        call.renumber()
        let changed = pair.now
        #expect(call.run(for: .seconds(30)) { call.received > before + 200_000 })
        #expect(pair.now - changed <= .seconds(1), "seed \(seed)")
        #expect(call.run(for: .seconds(30)) { call.received == size })
        #expect(pair.now - changed <= .seconds(4), "seed \(seed)")
    }

    @Test("A selected pair whose checks cannot be sent is left without waiting for consent to expire")
    func unsendable() throws {
        let call = try Call(seed: 1)
        let pair = call.pair
        let path = try #require(pair.left.session.transport.path)
        pair.left.session.sendFailed(.unreachable, remote: path.remote, base: path.base, now: pair.now)
        #expect(pair.left.session.iceConnectionState != .disconnected)
        pair.left.session.sendFailed(.unreachable, remote: path.remote, base: path.base, now: pair.now)
        pair.settle()
        #expect(pair.left.session.iceConnectionState == .disconnected)
        let told = pair.left.session.diagnose()
        #expect(told.pairs.first { $0.isSelected }?.sendFailures == 2)
        #expect(told.description.contains("2 could not be sent"), "\(told)")
        // The network is well, after all.
        #expect(pair.run(for: .seconds(2)) { pair.left.session.iceConnectionState != .disconnected })
    }
}
