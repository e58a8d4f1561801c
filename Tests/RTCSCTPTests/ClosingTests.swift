import NIOCore
import RTCBase
import RTCSCTP
import Testing

extension SCTPTests {
    @Suite("Closing", .serialized)
    struct ClosingTests {
        @Test("closing a channel closes both ends without an error", arguments: [true, false])
        func close(byOpener: Bool) throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            if byOpener { pair.client.transport.close(near) } else { pair.server.transport.close(far) }
            pair.run(until: { pair.client.closed[near] != nil && pair.server.closed[far] != nil })
            #expect(pair.client.closed[near] == .some(nil))
            #expect(pair.server.closed[far] == .some(nil))
            #expect((byOpener ? pair.server.closing : pair.client.closing).count == 1)
            #expect(pair.client.transport.channelCount == 0 && pair.server.transport.channelCount == 0)
            let error = #expect(throws: RTCError.self) { try pair.client.send("late", on: near) }
            #expect(error?.code == .invalidState)
        }

        @Test("both ends may close at the same time")
        func simultaneous() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            try pair.client.send("last from client", on: near)
            try pair.server.send("last from server", on: far)
            pair.client.transport.close(near)
            pair.server.transport.close(far)
            pair.run(until: { pair.client.closed[near] != nil && pair.server.closed[far] != nil })
            #expect(pair.client.closed[near] == .some(nil) && pair.server.closed[far] == .some(nil))
            #expect(pair.client.texts() == ["last from server"])
            #expect(pair.server.texts() == ["last from client"])
        }

        @Test("what was accepted before closing arrives, also through loss", arguments: [1, 2, 3] as [UInt64])
        func flushes(seed: UInt64) throws {
            let pair = TransportPair(seed: seed)
            pair.connect()
            let (near, far) = try pair.channel()
            pair.network = .init(lost: 30, doubled: 10, reordered: 50)
            for _ in 0..<100 { try pair.client.send(bytes: 30_000, on: near) }
            try pair.client.send("the last", on: near)
            pair.client.transport.close(near)
            // usrsctp measures round trips by the real clock: on a busy machine it waits long for what is lost.
            let isClosed = { pair.client.closed[near] != nil && pair.server.closed[far] != nil }
            pair.run(until: isClosed, limit: 600_000)
            #expect(pair.server.messageCount == 101, "seed \(seed)")
            #expect(pair.server.texts().last == "the last", "seed \(seed)")
            #expect(pair.server.closed[far] == .some(nil), "seed \(seed)")
        }

        @Test("a channel opened, used once and closed at once delivers its one message")
        func openSendClose() throws {
            let pair = TransportPair()
            pair.connect()
            let near = try pair.client.transport.createChannel(.init(label: "brief"), id: nil)
            try pair.client.send("only", on: near)
            pair.client.transport.close(near)
            pair.run(until: { pair.client.closed[near] != nil })
            #expect(pair.server.incoming.count == 1)
            #expect(pair.server.texts() == ["only"])
            #expect(pair.server.transport.channelCount == 0)
        }

        @Test("aborting a channel drops what waits")
        func abortChannel() throws {
            var configuration = SCTPConfiguration()
            configuration.sendBuffer = 128 << 10
            let pair = TransportPair(client: configuration)
            pair.connect()
            let (near, far) = try pair.channel()
            for _ in 0..<100 { try pair.client.send(bytes: 30_000, on: near) }
            pair.client.transport.abort(near)
            #expect(pair.client.transport.bufferedAmount(near) == 0)
            pair.run(until: { pair.client.closed[near] != nil && pair.server.closed[far] != nil })
            #expect(pair.server.messageCount == 0)
        }

        @Test("aborting amid a message that goes in pieces leaves the association in order")
        func abortInPieces() throws {
            var configuration = SCTPConfiguration()
            configuration.sendBuffer = 128 << 10
            configuration.maximumMessageSize = 4 << 20
            let pair = TransportPair(client: configuration, server: configuration)
            pair.start(clientMessageSize: 4 << 20, serverMessageSize: 4 << 20)
            pair.run(until: { pair.client.isConnected && pair.server.isConnected })
            let (near, _) = try pair.channel()
            let (other, _) = try pair.channel()
            try pair.client.send(bytes: 2_000_000, on: near)
            pair.pump(rounds: 2)
            pair.client.transport.abort(near)
            try pair.client.send("goes on", on: other)
            pair.run(until: { pair.client.closed[near] != nil && pair.server.texts().last == "goes on" })
            #expect(pair.server.messages.map(\.bytes.readableBytes).allSatisfy { $0 == 2_000_000 || $0 == 7 })
        }

        @Test("an id is used again 1000 times")
        func reuse() throws {
            let pair = TransportPair()
            pair.connect()
            for round in 0..<1_000 {
                let near = try pair.client.transport.createChannel(.init(label: "\(round)"), id: nil)
                #expect(pair.client.transport.id(near) == StreamID(rawValue: 0))
                try pair.client.send("m\(round)", on: near)
                pair.client.transport.close(near)
                pair.run(until: { pair.client.closed[near] != nil && pair.server.transport.channelCount == 0 })
                #expect(pair.server.texts().last == "m\(round)")
            }
            #expect(pair.server.incoming.count == 1_000)
            #expect(pair.client.transport.channelCount == 0 && pair.server.transport.channelCount == 0)
        }

        @Test("ids are used again through loss", arguments: [1, 2] as [UInt64])
        func reuseUnderLoss(seed: UInt64) throws {
            let pair = TransportPair(seed: seed)
            pair.connect()
            pair.network = .init(lost: 50, doubled: 20, reordered: 50)
            for round in 0..<40 {
                let near = try pair.client.transport.createChannel(.init(label: "\(round)"), id: nil)
                try pair.client.send("m\(round)", on: near)
                pair.client.transport.close(near)
                pair.run(until: { pair.client.closed[near] != nil })
                #expect(pair.client.closed[near] == .some(nil), "seed \(seed)")
            }
            pair.run(until: { pair.server.messageCount == 40 })
            #expect(pair.server.texts() == (0..<40).map { "m\($0)" }, "seed \(seed)")
        }

        @Test("200 channels closed at once all close")
        func closeMany() throws {
            let pair = TransportPair()
            pair.connect()
            let handles = try (0..<100).map { try pair.client.transport.createChannel(.init(label: "\($0)"), id: nil) }
            let others = try (0..<100).map { try pair.server.transport.createChannel(.init(label: "\($0)"), id: nil) }
            pair.pump()
            for handle in handles { pair.client.transport.close(handle) }
            for handle in others { pair.client.transport.close(handle) }
            for incoming in pair.client.incoming { pair.client.transport.close(incoming.handle) }
            pair.run(until: { pair.client.closed.count == 200 && pair.server.closed.count == 200 })
            #expect(pair.client.closed.count == 200 && pair.server.closed.count == 200)
        }

        @Test("shutting down delivers everything, then both sides end without an error")
        func shutdown() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, _) = try pair.channel()
            for _ in 0..<50 { try pair.client.send(bytes: 50_000, on: near) }
            pair.client.transport.shutdown(now: pair.now)
            pair.run(until: { pair.client.closeState != nil && pair.server.closeState != nil })
            #expect(pair.server.messageCount == 50)
            #expect(pair.client.closeState == .closed(nil) && pair.server.closeState == .closed(nil))
            #expect(pair.client.closed.count == 1 && pair.server.closed.count == 1)
        }

        @Test("aborting ends the peer's channels with an error that carries the cause")
        func abort() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            pair.client.transport.abort()
            pair.pump()
            #expect(pair.client.closed[near] == .some(nil))
            #expect(pair.client.closeState == .closed(nil))
            let error = try #require(pair.server.closed[far] ?? nil)
            #expect(error.detail == .sctpFailure)
            guard case .closed(let end?) = pair.server.closeState else {
                Issue.record("the server's association ended without an error")
                return
            }
            #expect(end.sctpCauseCode == 12)
            #expect(throws: RTCError.self) { try pair.server.transport.createChannel(.init(), id: nil) }
        }

        @Test("a peer that vanishes is noticed when messages stay unanswered")
        func peerVanishes() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, _) = try pair.channel()
            pair.isCut = true
            try pair.client.send("anybody?", on: near)
            let before = pair.client.wakes.count
            pair.run(until: { pair.client.closeState != nil }, limit: 200_000)
            // Only usrsctp has timers that its owner does not see.
            #expect((pair.client.wakes.count > before) == (EnginePair.current.client == .usrsctp))
            guard case .closed(_?) = pair.client.closeState else {
                Issue.record("the association did not end")
                return
            }
            #expect((pair.client.closed[near] ?? nil)?.detail == .sctpFailure)
        }

        @Test("a peer that is never there is noticed")
        func neverThere() throws {
            let pair = TransportPair()
            pair.isCut = true
            let handle = try pair.client.transport.createChannel(.init(), id: nil)
            pair.start()
            pair.run(until: { pair.client.closeState != nil }, limit: 200_000)
            guard case .closed(_?) = pair.client.closeState else {
                Issue.record("the association did not end")
                return
            }
            #expect(pair.client.closed[handle] != nil)
        }

        @Test("a peer that never closes its half is given up, and the id not used again")
        func unansweredClose() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, _) = try pair.channel()
            // The server reads nothing, so it never learns of the close.
            pair.server.transport.pauseReading()
            pair.client.transport.close(near)
            pair.run(until: { pair.client.transport.nextTimeout != nil }, limit: 5_000)
            #expect(pair.client.closed[near] == nil)
            pair.advance(milliseconds: 11_000, step: 100)
            #expect(pair.client.closed[near] == .some(nil))
            let next = try pair.client.transport.createChannel(.init(), id: nil)
            #expect(pair.client.transport.id(next) == StreamID(rawValue: 2))
            // Once the peer has answered the id is free again.
            pair.server.transport.resumeReading()
            pair.advance(milliseconds: 1_000)
            let after = try pair.client.transport.createChannel(.init(), id: nil)
            #expect(pair.client.transport.id(after) == StreamID(rawValue: 0))
        }

        @Test("ending at any step, in any way, from either side, leaves nothing behind")
        func everyStep() throws {
            let before = SCTPRuntime.activeAssociations
            for step in 0..<14 {
                for way in 0..<6 {
                    let pair = TransportPair(seed: UInt64(step))
                    let early = try pair.client.transport.createChannel(.init(label: "early"), id: nil)
                    if step > 0 { pair.start() }
                    pair.pump(rounds: max(0, min(step - 1, 6)))
                    if step > 7 {
                        try? pair.client.send(bytes: 200_000, on: early)
                        pair.pump(rounds: step - 7)
                    }
                    let ending = way % 2 == 0 ? pair.client : pair.server
                    switch way / 2 {
                    case 0: ending.transport.abort()
                    case 1: ending.transport.shutdown(now: pair.now)
                    default:
                        pair.client.transport.close(early)
                        pair.pump(rounds: 1)
                        ending.transport.abort()
                    }
                    pair.run(until: { ending.closeState != nil }, limit: 120_000)
                    #expect(ending.closeState != nil, "step \(step), way \(way)")
                    ending.transport.abort()
                    ending.transport.shutdown(now: pair.now)
                    ending.transport.close(early)
                    #expect(
                        { if case .none = ending.transport.poll() { return true } else { return false } }(),
                        "something came after the end"
                    )
                    pair.advance(milliseconds: 300, step: 100)
                }
            }
            SCTPRuntime.advance(milliseconds: 1_000)
            #expect(SCTPRuntime.activeAssociations == before)
        }

        @Test("a transport that is simply let go of frees its association")
        func released() {
            let before = SCTPRuntime.activeAssociations
            for _ in 0..<20 {
                let pair = TransportPair()
                pair.connect()
                #expect(SCTPRuntime.activeAssociations == before + 2)
            }
            #expect(SCTPRuntime.activeAssociations == before)
            for _ in 0..<100 { SCTPRuntime.advance(milliseconds: 1_000) }
        }
    }
}
