import NIOCore
import RTCBase
import RTCSCTP
import Testing

extension SCTPTests {
    @Suite("Messages", .serialized)
    struct MessageTests {
        @Test(
            "a message of each size and kind arrives whole",
            arguments: [0, 1, 2, 1_119, 1_120, 1_200, 2_047, 2_048, 2_049, 16_384, 65_535, 65_536, 131_083, 262_144]
        )
        func sizes(_ size: Int) throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            for kind in [DataChannelMessageKind.binary, .text] {
                var random = RandomSource.seeded(UInt64(size))
                let sent = ByteBuffer(bytes: random.bytes(count: size))
                pair.server.forgetMessages()
                try pair.client.transport.send(sent, kind: kind, on: near)
                pair.pump()
                #expect(pair.server.messages.count == 1)
                #expect(pair.server.messages.first?.bytes == sent)
                #expect(pair.server.messages.first?.kind == kind)
                #expect(pair.server.messages.first?.handle == far)
            }
            #expect(pair.client.transport.bufferedAmount(near) == 0)
        }

        @Test("a message larger than the peer takes is refused with a type error, and the channel goes on")
        func oversizeSend() throws {
            let pair = TransportPair()
            pair.start(serverMessageSize: 1_000)
            pair.run(until: { pair.client.isConnected && pair.server.isConnected })
            let (near, _) = try pair.channel()
            let error = #expect(throws: RTCError.self) { try pair.client.send(bytes: 1_001, on: near) }
            #expect(error?.code == .type)
            try pair.client.send(bytes: 1_000, on: near)
            pair.pump()
            #expect(pair.server.byteCount == 1_000)
        }

        @Test(
            "a peer that sends more than allowed loses the channel, and the others go on",
            arguments: [5_000, 900_000]
        )
        func oversizeReceive(_ size: Int) throws {
            var small = SCTPConfiguration()
            small.maximumMessageSize = 4_000
            let pair = TransportPair(server: small)
            pair.start(serverMessageSize: 0)
            pair.run(until: { pair.client.isConnected && pair.server.isConnected })
            let (near, far) = try pair.channel()
            let (other, _) = try pair.channel()
            try pair.client.send(bytes: size, on: near)
            try pair.client.send("still here", on: other)
            pair.run(until: { pair.server.closed[far] != nil && pair.client.closed[near] != nil })
            let error = try #require(pair.server.closed[far] ?? nil)
            #expect(error.detail == .dataChannelFailure)
            #expect(pair.server.transport.statistics.oversizeMessages == 1)
            #expect(pair.server.texts() == ["still here"])
        }

        @Test("a message larger than all buffers goes through in pieces, between messages of other channels")
        func hugeMessage() throws {
            var configuration = SCTPConfiguration()
            configuration.sendBuffer = 256 << 10
            configuration.receiveBuffer = 512 << 10
            configuration.maximumMessageSize = 8 << 20
            let pair = TransportPair(client: configuration, server: configuration)
            pair.start(clientMessageSize: 8 << 20, serverMessageSize: 8 << 20)
            pair.run(until: { pair.client.isConnected && pair.server.isConnected })
            let (near, far) = try pair.channel()
            let (other, otherFar) = try pair.channel()
            var random = RandomSource.seeded(5)
            let huge = ByteBuffer(bytes: random.bytes(count: 1_500_001))
            try pair.client.send("before", on: near)
            try pair.client.transport.send(huge, kind: .binary, on: near)
            for index in 0..<100 { try pair.client.send("\(index)", on: other) }
            try pair.client.transport.send(huge, kind: .binary, on: other)
            try pair.client.send("after", on: near)
            pair.run(until: { pair.server.messageCount == 104 }, limit: 20_000)
            #expect(pair.server.messages.filter { $0.handle == far }.map(\.bytes.readableBytes) == [6, 1_500_001, 5])
            #expect(pair.server.messages.filter { $0.bytes == huge }.count == 2)
            #expect(pair.server.texts(on: otherFar).prefix(100) == ArraySlice((0..<100).map(String.init)))
            #expect(pair.client.closed.isEmpty && pair.server.closed.isEmpty)
        }

        @Test("10,000 small messages arrive in order and share packets")
        func manySmall() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, _) = try pair.channel()
            let before = pair.packets
            for index in 0..<10_000 { try pair.client.send("message \(index)", on: near) }
            pair.run(until: { pair.server.messageCount == 10_000 })
            #expect(pair.server.texts() == (0..<10_000).map { "message \($0)" })
            #expect(pair.packets - before < 1_500)
        }

        @Test("a lone small message leaves at once")
        func noDelay() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, _) = try pair.channel()
            for _ in 0..<20 {
                try pair.client.send("a", on: near)
                pair.client.poll()
                var left = 0
                pair.client.transport.drainPackets { _ in left += 1 }
                #expect(left == 1)
                pair.isCut = true
            }
        }

        @Test("everything arrives in order through loss, doubling and reordering", arguments: [1, 2, 3] as [UInt64])
        func lossyOrdered(seed: UInt64) throws {
            let pair = TransportPair(seed: seed)
            pair.connect()
            pair.network = .init(lost: 50, doubled: 30, reordered: 100)
            let (near, _) = try pair.channel()
            for index in 0..<300 {
                try pair.client.send("\(index) " + String(repeating: "x", count: index * 13 % 5_000), on: near)
            }
            pair.run(until: { pair.server.messageCount == 300 })
            let numbers = pair.server.texts().compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
            #expect(numbers == Array(0..<300), "seed \(seed)")
        }

        @Test("an unordered channel loses nothing through loss", arguments: [1, 2, 3] as [UInt64])
        func lossyUnordered(seed: UInt64) throws {
            let pair = TransportPair(seed: seed)
            pair.connect()
            let (near, _) = try pair.channel(.init(label: "u", ordered: false))
            pair.network = .init(lost: 50, doubled: 30, reordered: 100)
            for index in 0..<500 { try pair.client.send("\(index)" + String(repeating: " ", count: 700), on: near) }
            pair.run(until: { pair.server.messageCount == 500 })
            let numbers = pair.server.texts().compactMap { Int($0.prefix { $0 != " " }) }
            #expect(numbers.sorted() == Array(0..<500), "seed \(seed)")
            #expect(numbers != Array(0..<500), "seed \(seed): nothing overtook, so nothing was shown")
        }

        @Test(
            "without retransmissions lost messages stay lost, the others keep their order",
            arguments: [1, 2] as [UInt64]
        )
        func partialReliability(seed: UInt64) throws {
            let pair = TransportPair(seed: seed)
            pair.connect()
            let (near, far) = try pair.channel(.init(label: "p", maxRetransmits: 0))
            let (reliable, _) = try pair.channel()
            pair.network.lost = 100
            for index in 0..<300 { try pair.client.send("\(index) " + String(repeating: "y", count: 900), on: near) }
            try pair.client.send("end", on: reliable)
            pair.run(until: { pair.server.texts().contains("end") })
            pair.network.lost = 0
            // usrsctp's timer has backed off by then.
            pair.advance(milliseconds: 60_000)
            let numbers = pair.server.texts(on: far).compactMap { $0.split(separator: " ").first.flatMap { Int($0) } }
            #expect(numbers == numbers.sorted(), "seed \(seed)")
            #expect(numbers.count < 300 && numbers.count > 150, "seed \(seed): \(numbers.count) arrived")
            try pair.client.send("again", on: near)
            pair.run(until: { pair.server.texts(on: far).last == "again" }, limit: 20_000)
            #expect(pair.server.texts(on: far).last?.prefix(5) == "again")
        }

        @Test("a message whose time is over is given up, and the channel goes on")
        func lifetime() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel(.init(label: "t", maxPacketLifeTime: 1))
            pair.isCut = true
            for _ in 0..<50 { try pair.client.send(bytes: 1_000, on: near) }
            pair.pump()
            // usrsctp compares lifetimes with the system's clock, not with the one tests drive: that one must not run away
            // meanwhile, or the association is lost.
            let deadline = NIODeadline.now() + .milliseconds(5)
            while NIODeadline.now() < deadline {}
            pair.advance(milliseconds: 20)
            pair.isCut = false
            pair.advance(milliseconds: 4_000)
            try pair.client.send("late", on: near)
            pair.run(until: { pair.server.texts(on: far).contains("late") }, limit: 5_000)
            #expect(pair.server.texts(on: far).contains("late"))
            #expect(pair.server.messageCount < 51)
        }

        @Test("while nobody reads the sender's messages wait, and none is lost")
        func backPressure() throws {
            var configuration = SCTPConfiguration()
            configuration.sendBuffer = 256 << 10
            configuration.receiveBuffer = 256 << 10
            let pair = TransportPair(client: configuration, server: configuration)
            pair.connect()
            let (near, _) = try pair.channel()
            pair.server.transport.pauseReading()
            for _ in 0..<1_000 { try pair.client.send(bytes: 10_000, on: near) }
            pair.advance(milliseconds: 3_000)
            #expect(pair.server.messageCount < 30)
            #expect(pair.client.transport.bufferedAmount(near) > 9_000_000)
            pair.server.transport.resumeReading()
            pair.run(until: { pair.server.messageCount == 1_000 })
            #expect(pair.server.byteCount == 10_000_000)
            #expect(pair.client.transport.bufferedAmount(near) == 0)
            #expect(pair.client.amounts.last?.amount == 0)
        }

        @Test("a paused reader gets the messages, then the end, of an association that was lost")
        func pausedAndLost() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, _) = try pair.channel()
            pair.server.transport.pauseReading()
            try pair.client.send("unread", on: near)
            pair.pump()
            pair.client.transport.abort()
            pair.pump()
            #expect(pair.server.texts() == ["unread"])
            #expect(pair.server.closeState != nil)
        }

        @Test("beyond the limit of waiting bytes sending is refused")
        func quota() throws {
            var configuration = SCTPConfiguration()
            configuration.maximumBufferedAmount = 100_000
            let pair = TransportPair(client: configuration)
            pair.connect()
            let (near, _) = try pair.channel()
            try pair.client.send(bytes: 200_000, on: near)
            let error = #expect(throws: RTCError.self) { try pair.client.send(bytes: 1, on: near) }
            #expect(error?.code == .quotaExceeded)
            pair.pump()
            try pair.client.send(bytes: 1, on: near)
        }

        @Test("a channel of higher priority gets more of a full association")
        func priority() throws {
            var configuration = SCTPConfiguration()
            configuration.sendBuffer = 128 << 10
            let pair = TransportPair(client: configuration)
            pair.connect()
            let (low, lowFar) = try pair.channel(.init(label: "low", priority: 128))
            let (high, highFar) = try pair.channel(.init(label: "high", priority: 1_024))
            for _ in 0..<2_000 {
                try pair.client.send(bytes: 1_000, on: low)
                try pair.client.send(bytes: 1_000, on: high)
            }
            pair.run(until: { pair.server.messages.filter { $0.handle == highFar }.count == 2_000 })
            let lowPosition = pair.server.messages.lastIndex { $0.handle == lowFar } ?? 0
            let highPosition = pair.server.messages.lastIndex { $0.handle == highFar } ?? 0
            #expect(highPosition < lowPosition)
            let among = pair.server.messages.prefix(1_500).filter { $0.handle == highFar }.count
            #expect(among > 1_000)
            pair.run(until: { pair.server.messageCount == 4_000 })
            #expect(pair.server.messageCount == 4_000)
        }

        @Test("counters tell what went over a channel")
        func statistics() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            for _ in 0..<10 { try pair.client.send(bytes: 100, on: near) }
            try pair.client.send("", on: near)
            pair.pump()
            let sent = try #require(pair.client.transport.statistics(near))
            let received = try #require(pair.server.transport.statistics(far))
            #expect(sent.messagesSent == 11 && sent.bytesSent == 1_000)
            #expect(received.messagesReceived == 11 && received.bytesReceived == 1_000)
            let association = pair.client.transport.statistics
            #expect(association.congestionWindow > 0)
            #expect(association.packetsSent > 0 && association.packetsReceived > 0)
            #expect(association.channelsOpened == 1)
        }
    }
}
