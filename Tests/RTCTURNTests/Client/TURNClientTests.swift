import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

@Suite("TURN client")
struct TURNClientTests {
    let peer = TransportAddress(ipv4: 0xC633_6409, port: 7_000)

    @Test("An allocation is made after the server has named realm and nonce", arguments: [true, false])
    func allocates(offersSHA256: Bool) throws {
        let pair = ClientAndServer { $0.offersPasswordAlgorithms = offersSHA256 }
        pair.client.start(now: pair.now)
        pair.run()
        let allocation = try #require(pair.client.allocation)
        #expect(pair.events == [.allocated(allocation)])
        #expect(allocation.relayed == [TransportAddress(ipv4: 0xCB00_7101, port: 50_000)])
        #expect(allocation.mapped == pair.address)
        #expect(pair.server.counters.requests == 2)
        // With SHA-256 where it is offered, with SHA-1 for servers of old.
        #expect(pair.sent.last?.hasValidIntegrity == true)
        #expect(pair.sent.last?.usesSHA256 == offersSHA256)
    }

    @Test("Wrong credentials are refused once, not asked for ever")
    func wrongPassword() {
        let pair = ClientAndServer(password: "wrong")
        pair.client.start(now: pair.now)
        pair.run()
        #expect(pair.events.count == 1)
        guard case .refused(let failure)? = pair.events.first else {
            Issue.record("\(pair.events)")
            return
        }
        #expect(failure.code == 401)
        #expect(pair.client.nextTimeout == nil)
    }

    @Test("A silent server is given up in time")
    func silence() {
        let pair = ClientAndServer()
        pair.isDeaf = true
        let began = pair.now
        pair.client.start(now: pair.now)
        pair.run(for: .seconds(60))
        guard case .refused(let failure)? = pair.events.first else {
            Issue.record("\(pair.events)")
            return
        }
        #expect(failure.code == TURNFailure.unreachable)
        #expect(pair.firstEventAt.map { $0 - began <= .seconds(10) } == true)
        // RTO doubles: at 0, 0.5, 1.5, 3.5 and 7.5 s.
        #expect(pair.sent.count == 5)
    }

    @Test("Datagrams wait for the permission, then go as indications, then over the channel")
    func data() throws {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.send("one", to: self.peer)
        #expect(pair.atPeers.isEmpty)
        pair.run()
        #expect(pair.atPeers == ["one"])
        pair.send("two", to: self.peer)
        pair.run()
        #expect(pair.atPeers == ["one", "two"])
        pair.client.bindChannel(to: self.peer, now: pair.now)
        pair.run()
        pair.sentBytes = []
        pair.send("three", to: self.peer)
        pair.run()
        #expect(pair.atPeers == ["one", "two", "three"])
        #expect(pair.sentBytes.last?.prefix(4) == [0x40, 0x00, 0x00, 0x05])
        pair.deliver("back", from: self.peer)
        #expect(pair.received.map(\.text) == ["back"])
        #expect(pair.received.first?.peer == self.peer)
        #expect(pair.received.first?.relayed == pair.client.allocation?.relayed.first)
    }

    @Test("A batch stays a batch, with one header for each datagram", arguments: [false, true])
    func batch(isReliable: Bool) throws {
        let pair = ClientAndServer(isReliable: isReliable)
        pair.client.start(now: pair.now)
        pair.run()
        pair.client.bindChannel(to: self.peer, now: pair.now)
        pair.run()
        let bytes = ByteBuffer(bytes: [UInt8](repeating: 1, count: 10) + [UInt8](repeating: 2, count: 7))
        pair.client.send(DatagramBatch(bytes: bytes, segmentSize: 10), to: self.peer, now: pair.now)
        guard case .transmit(let batch)? = pair.client.poll() else {
            Issue.record("nothing was sent")
            return
        }
        #expect(pair.client.poll() == nil)
        let padding = { (count: Int) in isReliable ? [UInt8](repeating: 0, count: -count & 3) : [] }
        let first: [UInt8] = [0x40, 0x00, 0, 10] + [UInt8](repeating: 1, count: 10) + padding(10)
        let second: [UInt8] = [0x40, 0x00, 0, 7] + [UInt8](repeating: 2, count: 7) + padding(7)
        #expect(Array(batch.bytes.readableBytesView) == first + second)
        #expect(batch.segmentSize == (isReliable ? batch.bytes.readableBytes : 14))
    }

    @Test("Allocation, permissions and channels are renewed before they end")
    func renewal() {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.send("one", to: self.peer)
        pair.run()
        pair.client.bindChannel(to: self.peer, now: pair.now)
        // Longer than any of them lasts.
        for _ in 0..<40 {
            pair.run(for: .seconds(60))
            pair.atPeers = []
            pair.send("still", to: self.peer)
            pair.deliver("here", from: self.peer)
            pair.run()
            #expect(pair.atPeers == ["still"])
        }
        #expect(pair.received.count == 40)
        #expect(pair.server.allocationCount == 1)
    }

    @Test("A stale nonce is replaced, in every kind of request")
    func staleNonce() {
        let pair = ClientAndServer { $0.nonceLifetime = .seconds(1) }
        pair.client.start(now: pair.now)
        pair.run()
        pair.run(for: .seconds(5))
        pair.send("one", to: self.peer)
        pair.run()
        pair.run(for: .seconds(5))
        pair.client.bindChannel(to: self.peer, now: pair.now)
        pair.run()
        pair.run(for: .seconds(700))
        pair.send("two", to: self.peer)
        pair.run()
        #expect(pair.atPeers == ["one", "two"])
        #expect(pair.events.count == 1, "\(pair.events)")
    }

    @Test("An allocation that the server has forgotten is lost")
    func forgotten() {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.restartServer()
        pair.client.verify(now: pair.now)
        pair.run()
        guard case .lost(let failure)? = pair.events.last else {
            Issue.record("\(pair.events)")
            return
        }
        #expect(failure.code == 437)
    }

    @Test("An allocation in doubt is lost when the server does not answer; another is not")
    func inDoubt() {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.isDeaf = true
        pair.run(for: .seconds(560))
        #expect(pair.events.count == 1)
        pair.client.verify(now: pair.now)
        pair.run(for: .seconds(10))
        guard case .lost(let failure)? = pair.events.last else {
            Issue.record("\(pair.events)")
            return
        }
        #expect(failure.code == TURNFailure.unreachable)
    }

    @Test("A port where nobody listens ends an attempt at once, and an allocation when it is still so if asked")
    func refusedConnection() {
        let early = ClientAndServer()
        early.isDeaf = true
        early.client.start(now: early.now)
        early.client.connectionRefused("nobody listens", now: early.now)
        early.run()
        #expect(early.events == [.refused(TURNFailure(code: TURNFailure.unreachable, text: "nobody listens"))])
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        // Somebody has made it up: the server answers.
        pair.client.connectionRefused("nobody listens", now: pair.now)
        pair.run(for: .seconds(60))
        #expect(pair.events.count == 1 && pair.client.allocation != nil)
        pair.isDeaf = true
        pair.client.connectionRefused("nobody listens", now: pair.now)
        pair.client.connectionRefused("nobody listens", now: pair.now)
        pair.run()
        #expect(pair.events.last == .lost(TURNFailure(code: TURNFailure.unreachable, text: "nobody listens")))
    }

    @Test("Closing ends the allocation at the server")
    func close() {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        #expect(pair.server.allocationCount == 1)
        pair.client.close(now: pair.now)
        pair.run()
        #expect(pair.server.allocationCount == 0)
        #expect(pair.events.count == 1)
    }

    @Test("Another user name keeps the allocation of the first")
    func rotation() {
        let pair = ClientAndServer(more: ["second": "secret"])
        pair.client.start(now: pair.now)
        pair.run()
        pair.client.update(username: "second", password: "secret", now: pair.now)
        pair.run()
        pair.run(for: .seconds(1_000))
        #expect(pair.events.count == 1, "\(pair.events)")
        #expect(pair.server.allocationCount == 1)
    }

    @Test("A peer of a family that the relay lacks costs no time", arguments: [true, false])
    func otherFamily(isKnownBefore: Bool) throws {
        let pair = ClientAndServer()
        let other = TransportAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 9, port: 7_000)
        if isKnownBefore { pair.client.permit(other, now: pair.now) }
        pair.client.start(now: pair.now)
        pair.run()
        pair.client.permit(other, now: pair.now)
        pair.client.bindChannel(to: other, now: pair.now)
        pair.client.verify(now: pair.now)
        pair.run()
        #expect(pair.client.permissions.isEmpty && pair.client.channels.isEmpty)
        #expect(try #require(pair.client.nextTimeout) > pair.now)
    }

    @Test("Credentials that change while requests are out spoil none of them")
    func updateMeanwhile() {
        let pair = ClientAndServer(more: ["second": "secret"])
        pair.client.start(now: pair.now)
        pair.run()
        let peers = (1...4).map { TransportAddress(ipv4: 0xC633_6409, port: 7_000 + UInt16($0)) }
        pair.client.bindChannel(to: peers[0], now: pair.now)
        pair.client.update(username: "second", password: "secret", now: pair.now)
        for peer in peers.dropFirst() { pair.client.bindChannel(to: peer, now: pair.now) }
        pair.run()
        #expect(pair.client.channels.values.filter(\.isBound).count == 4)
        #expect(pair.client.counters.badIntegrity == 0)
        #expect(pair.events.count == 1, "\(pair.events)")
    }

    @Test("Credentials that change while the allocation is asked for are used for it")
    func updateWhileAllocating() {
        let pair = ClientAndServer(password: "old")
        pair.client.start(now: pair.now)
        // The challenge comes, and the first request with the old password is out.
        pair.step()
        pair.client.update(username: "user", password: "password", now: pair.now)
        pair.run()
        #expect(pair.client.allocation != nil, "\(pair.events)")
    }

    @Test("Wrong new credentials leave the allocation to the old ones")
    func wrongUpdate() {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.client.update(username: "user", password: "wrong", now: pair.now)
        pair.run(for: .seconds(1_000))
        #expect(pair.events.count == 1, "\(pair.events)")
        #expect(pair.server.allocationCount == 1)
    }

    @Test("A server in trouble for a moment is asked again before the allocation ends", arguments: [500, 438])
    func refreshRetried(code: Int) throws {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.isDeaf = true
        pair.client.verify(now: pair.now)
        for _ in 0..<6 {
            pair.run()
            let refresh = try #require(pair.sent.last { $0.message.method == .refresh })
            var builder = STUNMessageBuilder(.errorResponse, .refresh, refresh.message.transactionID)
            builder.appendErrorCode(code, reason: "later")
            if code == 438 {
                builder.append(.realm, text: "example.org")
                builder.append(.nonce, text: "another")
            }
            let bytes = Array(builder.finish().readableBytesView)
            _ = pair.client.receive(bytes.span.bytes, now: pair.now)
        }
        pair.isDeaf = false
        pair.run(for: .seconds(1_000))
        #expect(pair.events.count == 1, "\(pair.events)")
        #expect(pair.server.allocationCount == 1)
    }

    @Test("A server that names another is followed by a new client")
    func redirection() {
        let other = TransportAddress(ipv4: 0xCB00_7102, port: 3478)
        let pair = ClientAndServer { $0.alternateServer = other }
        pair.server.drain()
        pair.client.start(now: pair.now)
        pair.run()
        #expect(pair.events == [.redirected(to: other, domain: nil)])
        #expect(pair.client.nextTimeout == nil)
    }

    @Test("A server without IPv6 gives IPv4")
    func families() {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        #expect(pair.client.allocation?.relayed.map(\.family) == [.ipv4])
        let dual = ClientAndServer { $0.relayFamilies = [.ipv4, .ipv6] }
        dual.client.start(now: dual.now)
        dual.run()
        #expect(dual.client.allocation?.relayed.map(\.family) == [.ipv4, .ipv6])
    }

    @Test("What waits for permissions is bounded")
    func bounds() {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.isDeaf = true
        for _ in 0..<1_000 { pair.send("x", to: self.peer) }
        #expect(pair.client.waiting.count == 64)
        #expect(pair.client.counters.notSent == 936)
        for port in 0..<1_000 {
            pair.client.permit(TransportAddress(ipv4: 0x0100_0000 + UInt32(port), port: 1), now: pair.now)
        }
        #expect(pair.client.permissions.count == 128)
    }

    @Test("Noise neither traps nor answers", arguments: 0..<50 as Range<UInt64>)
    func noise(seed: UInt64) {
        let pair = ClientAndServer()
        pair.client.start(now: pair.now)
        pair.run()
        pair.client.bindChannel(to: self.peer, now: pair.now)
        pair.run()
        var random = RandomSource.seeded(seed)
        for _ in 0..<200 {
            var bytes = (0..<Int(random.next() % 80)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            // Half of it looks like something.
            if bytes.count > 8, random.next() & 1 == 0 {
                bytes[0] = [0x00, 0x01, 0x40][Int(random.next() % 3)]
                bytes.replaceSubrange(4..<8, with: [0x21, 0x12, 0xA4, 0x42])
            }
            _ = pair.client.receive(bytes.span.bytes, now: pair.now)
        }
        pair.run()
        #expect(pair.client.allocation != nil)
    }
}
