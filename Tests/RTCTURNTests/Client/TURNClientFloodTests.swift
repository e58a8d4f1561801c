import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

/// What an attacker who can send in the server's name, and a server that has gone mad, cost a client.
@Suite("TURN client under a flood")
struct TURNClientFloodTests {
    private let peer = TransportAddress(ipv4: 0xC633_6409, port: 7_000)

    @Test("200,000 datagrams of every bad kind leave nothing behind", arguments: [false, true])
    func flood(isReliable: Bool) throws {
        let pair = ClientAndServer(isReliable: isReliable)
        pair.client.start(now: pair.now)
        pair.run()
        pair.client.bindChannel(to: self.peer, now: pair.now)
        pair.run()
        // A request is under way all the while, whose transaction nobody else knows.
        pair.isDeaf = true
        pair.client.permit(TransportAddress(ipv4: 0xC633_6410, port: 1), now: pair.now)
        pair.run()
        let before = Kept(pair.client)
        let sent = pair.sentBytes.count
        var random = RandomSource.seeded(17)
        var forger = Forger(known: self.peer)
        for _ in 0..<200_000 {
            let bytes = forger.next(using: &random)
            let received = pair.client.receive(bytes.span.bytes, now: pair.now)
            // Only what looks as from the peer's channel or address can pass: UDP tells no more.
            if case .data(let range, let from, _) = received {
                #expect(from.withPort(0) == self.peer.withPort(0) && range.upperBound <= bytes.count)
            }
        }
        #expect(Kept(pair.client) == before)
        pair.run()
        #expect(pair.sentBytes.count == sent, "the client answered")
        #expect(pair.events.count == 1, "\(pair.events)")
        let counters = pair.client.counters
        #expect(counters.malformed > 10_000 && counters.unexpected > 10_000 && counters.unknownPeer > 10_000)
        // And all goes on as before.
        pair.isDeaf = false
        pair.run(for: .seconds(20))
        pair.send("there", to: self.peer)
        pair.deliver("back", from: self.peer)
        pair.run(for: .seconds(1_000))
        #expect(pair.atPeers == ["there"] && pair.received.map(\.text) == ["back"])
        #expect(pair.client.allocation != nil)
    }

    @Test("Answers to what was asked, with wrong integrity codes, are not believed", arguments: 0..<20 as Range<UInt64>)
    func forgedAnswers(seed: UInt64) throws {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.isDeaf = true
        pair.client.bindChannel(to: self.peer, now: pair.now)
        pair.client.verify(now: pair.now)
        pair.run()
        let asked = pair.sent.suffix(2).map(\.message)
        var random = RandomSource.seeded(seed)
        let before = Kept(pair.client)
        for _ in 0..<2_000 {
            guard let request = asked.randomElement(using: &random) else { return }
            let isSuccess = random.next() & 1 == 0
            var builder = STUNMessageBuilder(
                isSuccess ? .successResponse : .errorResponse,
                request.method,
                request.transactionID
            )
            // Refusals without a code are believed, as servers do not protect them all.
            if !isSuccess { builder.appendErrorCode(Int.random(in: 402...437, using: &random), reason: "no") }
            builder.appendLifetime(UInt32(truncatingIfNeeded: random.next()))
            if !isSuccess || random.next() & 1 == 0 {
                builder.appendIntegrity(STUNIntegrityKey(shortTermPassword: "\(random.next())"))
            }
            let bytes = Array(builder.finish().readableBytesView)
            _ = pair.client.receive(bytes.span.bytes, now: pair.now)
        }
        #expect(Kept(pair.client) == before, "seed \(seed)")
        #expect(pair.client.counters.badIntegrity == 2_000, "seed \(seed)")
        pair.isDeaf = false
        pair.run(for: .seconds(20))
        #expect(pair.client.channels[self.peer]?.isBound == true, "seed \(seed)")
        #expect(pair.events.count == 1, "seed \(seed): \(pair.events)")
    }
}

/// How much a client keeps.
private struct Kept: Equatable {
    var requests: Int
    var permissions: Int
    var channels: Int
    var peersByChannel: Int
    var waiting: Int
    var deadline: NIODeadline?

    init(_ client: TURNClient) {
        self.requests = client.requests.count
        self.permissions = client.permissions.count
        self.channels = client.channels.count
        self.peersByChannel = client.peersByChannel.count
        self.waiting = client.waiting.count
        self.deadline = client.nextTimeout
    }
}

/// Makes datagrams of every bad kind.
private struct Forger {
    /// The one peer that the client knows.
    let known: TransportAddress
    /// Sound messages, to be cut and altered.
    private let sound: [[UInt8]]

    init(known: TransportAddress) {
        self.known = known
        self.sound = [STUNMethod.allocate, .refresh, .createPermission, .channelBind].flatMap { method in
            [STUNClass.successResponse, .errorResponse, .request, .indication].flatMap { messageClass in
                [true, false].map { Self.message(messageClass, method, about: known, hasFingerprint: $0) }
            }
        }
    }

    private static func message(
        _ messageClass: STUNClass,
        _ method: STUNMethod,
        about peer: TransportAddress,
        hasFingerprint: Bool
    ) -> [UInt8] {
        var builder = STUNMessageBuilder(messageClass, method, STUNTransactionID(high: 1, low: 2))
        builder.appendErrorCode(438, reason: "stale")
        builder.append(.realm, text: "example.org")
        builder.append(.nonce, text: "nonce")
        builder.append(.xorRelayedAddress, address: peer)
        builder.appendLifetime(600)
        builder.appendIntegrity(STUNIntegrityKey(shortTermPassword: "x"))
        // Without it, what was altered is read.
        if hasFingerprint { builder.appendFingerprint() }
        return Array(builder.finish().readableBytesView)
    }

    mutating func next(using random: inout RandomSource) -> [UInt8] {
        switch random.next() % 7 {
        case 0: return random.bytes(count: Int(random.next() % 100))
        case 1:
            let message = self.sound.randomElement(using: &random) ?? []
            return Array(message.prefix(Int.random(in: 0...message.count, using: &random)))
        case 2: return self.altered(using: &random)
        case 3: return self.unknownTransaction(using: &random)
        case 4: return self.indication(using: &random)
        case 5: return self.channelData(using: &random)
        default:
            // A header that promises more than there is, or less.
            var message = self.sound.randomElement(using: &random) ?? []
            message[2] = UInt8(truncatingIfNeeded: random.next())
            message[3] = UInt8(truncatingIfNeeded: random.next())
            return message
        }
    }

    private func altered(using random: inout RandomSource) -> [UInt8] {
        var message = self.sound.randomElement(using: &random) ?? []
        for _ in 0...Int(random.next() % 4) {
            message[Int(random.next() % UInt64(message.count))] = UInt8(truncatingIfNeeded: random.next())
        }
        return message
    }

    private func unknownTransaction(using random: inout RandomSource) -> [UInt8] {
        var message = self.sound.randomElement(using: &random) ?? []
        message.replaceSubrange(8..<20, with: random.bytes(count: 12))
        return message
    }

    /// Of peers that the client has not let through, or broken.
    private func indication(using random: inout RandomSource) -> [UInt8] {
        var builder = STUNMessageBuilder(.indication, .data, STUNTransactionID.random(using: &random))
        let kind = random.next() % 4
        if kind > 0 {
            let address =
                kind == 1 ? self.known : TransportAddress(ipv4: UInt32(truncatingIfNeeded: random.next()), port: 9)
            builder.append(.xorPeerAddress, address: address)
        }
        if kind < 3 { builder.append(.data, bytes: random.bytes(count: Int(random.next() % 50))) }
        return Array(builder.finish().readableBytesView)
    }

    /// On channels that are not bound, and with wrong lengths.
    private func channelData(using random: inout RandomSource) -> [UInt8] {
        let number = UInt16.random(in: 0x4000...0x7FFF, using: &random)
        let data = random.bytes(count: Int(random.next() % 50))
        let count = random.next() & 1 == 0 ? UInt16(data.count) : UInt16(truncatingIfNeeded: random.next())
        return [UInt8(number >> 8), UInt8(number & 255), UInt8(count >> 8), UInt8(count & 255)] + data
    }
}
