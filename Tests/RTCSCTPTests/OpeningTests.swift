import NIOCore
import RTCBase
import RTCSCTP
import Testing

extension SCTPTests {
    @Suite("Opening channels", .serialized)
    struct OpeningTests {
        @Test("two associations come up and exchange messages both ways")
        func exchange() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            #expect(pair.client.opened[near] == StreamID(rawValue: 0))
            try pair.client.send("hello", on: near)
            try pair.server.send("and back", on: far)
            pair.pump()
            #expect(pair.server.texts() == ["hello"])
            #expect(pair.client.texts() == ["and back"])
        }

        @Test("a transport that follows another knows none of its handles")
        func successor() throws {
            let first = DataChannelTransport {}
            let old = try first.createChannel(DataChannelParameters(label: "old"), id: nil)
            first.abort()
            let second = DataChannelTransport(replacing: first) {}
            let new = try second.createChannel(DataChannelParameters(label: "new"), id: nil)
            #expect(old != new)
            #expect(second.parameters(old) == nil)
            #expect(second.parameters(new)?.label == "new")
        }

        @Test("no packet exceeds the size that fits a DTLS record")
        func packetSize() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, _) = try pair.channel()
            try pair.client.send(bytes: 100_000, on: near)
            pair.pump()
            #expect(pair.largestPacket <= 1163)
            #expect(pair.largestPacket > 1150)
        }

        @Test("every packet carries the checksum RFC 9260 asks for")
        func checksum() throws {
            let pair = TransportPair()
            var wrong = 0
            pair.tap = { packet, _ in
                let carried = packet[8..<12].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
                var zeroed = packet
                zeroed.replaceSubrange(8..<12, with: [0, 0, 0, 0])
                if crc32c(zeroed) != carried { wrong += 1 }
            }
            pair.connect()
            let (near, _) = try pair.channel()
            try pair.client.send(bytes: 5_001, on: near)
            pair.pump()
            #expect(pair.packets > 8)
            #expect(wrong == 0)
        }

        @Test("the client gets even ids, the server odd ones")
        func parity() throws {
            let pair = TransportPair()
            pair.connect()
            for index in 0..<5 {
                let (near, _) = try pair.channel()
                let (far, _) = try pair.channel(from: pair.server)
                #expect(pair.client.transport.id(near)?.rawValue == UInt16(2 * index))
                #expect(pair.server.transport.id(far)?.rawValue == UInt16(2 * index + 1))
            }
        }

        @Test("channels created before the start get their ids when the role is known, and open")
        func beforeStart() throws {
            let pair = TransportPair()
            let one = try pair.client.transport.createChannel(.init(label: "one"), id: nil)
            let two = try pair.server.transport.createChannel(.init(label: "two"), id: nil)
            #expect(pair.client.transport.id(one) == nil)
            pair.connect()
            pair.pump()
            #expect(pair.client.opened[one] == StreamID(rawValue: 0))
            #expect(pair.server.opened[two] == StreamID(rawValue: 1))
            #expect(pair.server.incoming.map(\.parameters.label) == ["one"])
            #expect(pair.client.incoming.map(\.parameters.label) == ["two"])
        }

        static let kinds: [DataChannelParameters] = [
            .init(),
            .init(label: "l", protocol: "p"),
            .init(label: "unordered", ordered: false),
            .init(label: "rexmit", maxRetransmits: 0),
            .init(label: "rexmit", ordered: false, maxRetransmits: 65_535),
            .init(label: "timed", maxPacketLifeTime: 500),
            .init(label: "timed", ordered: false, maxPacketLifeTime: 0),
            .init(label: "priority", priority: 1_024),
            .init(label: "größer 🦊", protocol: "протокол"),
            .init(label: String(repeating: "l", count: 65_535), protocol: String(repeating: "p", count: 65_535)),
        ]

        @Test("the peer learns all parameters of a channel", arguments: kinds)
        func parameters(_ parameters: DataChannelParameters) throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel(parameters)
            #expect(pair.server.transport.parameters(far) == parameters)
            try pair.client.send("x", on: near)
            try pair.server.send("y", on: far)
            pair.pump()
            #expect(pair.server.texts() == ["x"])
            #expect(pair.client.texts() == ["y"])
        }

        @Test("a negotiated channel opens without a word and works both ways")
        func negotiated() throws {
            let pair = TransportPair()
            pair.connect()
            let id = StreamID(rawValue: 7)
            let near = try pair.client.transport.createChannel(.init(negotiated: true), id: id)
            let far = try pair.server.transport.createChannel(.init(negotiated: true), id: id)
            pair.pump()
            #expect(pair.client.opened[near] == id)
            #expect(pair.server.opened[far] == id)
            try pair.client.send("a", on: near)
            try pair.server.send("b", on: far)
            pair.pump()
            #expect(pair.server.texts(on: far) == ["a"])
            #expect(pair.client.texts(on: near) == ["b"])
            #expect(pair.server.incoming.isEmpty)
        }

        @Test("a message right behind the OPEN of an unordered channel is not lost")
        func rightBehindOpen() throws {
            let pair = TransportPair()
            pair.connect()
            let near = try pair.client.transport.createChannel(.init(label: "u", ordered: false), id: nil)
            for index in 0..<50 { try pair.client.send("\(index)", on: near) }
            pair.pump()
            #expect(pair.server.texts() == (0..<50).map(String.init))
            #expect(pair.server.transport.statistics.droppedEarlyMessages == 0)
        }

        @Test("what comes for a negotiated channel before its creation is delivered at its creation")
        func earlyData() throws {
            let pair = TransportPair()
            pair.connect()
            let id = StreamID(rawValue: 10)
            let near = try pair.client.transport.createChannel(.init(negotiated: true), id: id)
            try pair.client.send("first", on: near)
            try pair.client.send("", on: near)
            try pair.client.send(bytes: 100_000, on: near)
            pair.pump()
            let far = try pair.server.transport.createChannel(.init(negotiated: true), id: id)
            pair.pump()
            #expect(pair.server.messages.map(\.bytes.readableBytes) == [5, 0, 100_000])
            #expect(pair.server.messages.allSatisfy { $0.handle == far })
        }

        @Test("data for channels that are never created is bounded")
        func earlyDataIsBounded() throws {
            let pair = TransportPair()
            pair.connect()
            let near = try pair.client.transport.createChannel(
                .init(negotiated: true),
                id: StreamID(rawValue: 10)
            )
            for _ in 0..<40 { try pair.client.send(bytes: 10_000, on: near) }
            pair.pump()
            #expect(pair.server.transport.statistics.droppedEarlyMessages == 14)
            _ = try pair.server.transport.createChannel(.init(negotiated: true), id: StreamID(rawValue: 10))
            pair.pump()
            #expect(pair.server.messageCount == 26)
        }

        @Test("a negotiated channel that the peer has used and closed already still delivers, then closes")
        func earlyDataAndClose() throws {
            let pair = TransportPair()
            pair.connect()
            let id = StreamID(rawValue: 10)
            let near = try pair.client.transport.createChannel(.init(negotiated: true), id: id)
            try pair.client.send("last words", on: near)
            pair.pump()
            pair.client.transport.close(near)
            pair.run(until: { pair.client.closed[near] != nil })
            let far = try pair.server.transport.createChannel(.init(negotiated: true), id: id)
            pair.run(until: { pair.server.closed[far] != nil })
            #expect(pair.server.texts() == ["last words"])
            #expect(pair.server.closed[far] == .some(nil))
        }

        @Test("100 channels opened at once from each side all work")
        func hundred() throws {
            let pair = TransportPair()
            pair.connect()
            let near = try (0..<100).map { try pair.client.transport.createChannel(.init(label: "c\($0)"), id: nil) }
            let far = try (0..<100).map { try pair.server.transport.createChannel(.init(label: "s\($0)"), id: nil) }
            for handle in near { try pair.client.send("from client", on: handle) }
            for handle in far { try pair.server.send("from server", on: handle) }
            pair.run(until: { pair.client.messageCount == 100 && pair.server.messageCount == 100 })
            #expect(pair.client.messageCount == 100)
            #expect(pair.server.messageCount == 100)
            #expect(pair.client.transport.channelCount == 200)
        }

        @Test("more channels than streams at the start: streams are added")
        func addsStreams() throws {
            // usrsctp's engine asks only peers that it knows to answer.
            guard EnginePair.current.client == EnginePair.current.server else { return }
            var configuration = SCTPConfiguration()
            configuration.outgoingStreams = 16
            let pair = TransportPair(client: configuration, server: configuration)
            pair.connect()
            let handles = try (0..<200).map {
                try pair.client.transport.createChannel(.init(label: "\($0)"), id: nil)
            }
            pair.run(until: { pair.server.incoming.count == 200 }, limit: 20_000)
            #expect(pair.server.incoming.count == 200)
            for incoming in pair.server.incoming { try pair.server.send("hi", on: incoming.handle) }
            pair.run(until: { pair.client.messageCount == 200 }, limit: 20_000)
            #expect(pair.client.messageCount == 200)
            #expect(handles.allSatisfy { pair.client.opened[$0] != nil })
            #expect(pair.client.closed.isEmpty)
        }

        @Test("ids up to 65534 work when they are known at the start")
        func highestID() throws {
            let pair = TransportPair()
            let id = StreamID.maximum
            let near = try pair.client.transport.createChannel(.init(negotiated: true), id: id)
            let far = try pair.server.transport.createChannel(.init(negotiated: true), id: id)
            pair.connect()
            #expect(pair.client.transport.maxChannels == 65_535)
            try pair.client.send("high", on: near)
            try pair.server.send("higher", on: far)
            pair.pump()
            #expect(pair.server.texts() == ["high"])
            #expect(pair.client.texts() == ["higher"])
            pair.client.transport.close(near)
            pair.run(until: { pair.client.closed[near] != nil && pair.server.closed[far] != nil })
            #expect(pair.client.closed[near] == .some(nil))
        }

        @Test("an id beyond the association's streams is refused")
        func idOutOfRange() throws {
            let pair = TransportPair()
            pair.connect()
            guard EnginePair.current == .usrsctp else {
                let expected =
                    EnginePair.current == .native ? 65_535 : EnginePair.current.client == .native ? 1_024 : 256
                #expect(pair.client.transport.maxChannels == expected)
                return
            }
            #expect(pair.client.transport.maxChannels == 1_024)
            let error = #expect(throws: RTCError.self) {
                try pair.client.transport.createChannel(.init(negotiated: true), id: StreamID(rawValue: 2_000))
            }
            #expect(error?.code == .operation)
            _ = try pair.client.transport.createChannel(.init(negotiated: true), id: StreamID(rawValue: 1_023))
        }

        @Test("parameters no channel can have are refused with a type error")
        func badParameters() {
            let pair = TransportPair()
            let transport = pair.client.transport
            defer { withExtendedLifetime(pair) {} }
            let bad: [(DataChannelParameters, StreamID?)] = [
                (.init(maxRetransmits: 1, maxPacketLifeTime: 1), nil),
                (.init(negotiated: true), nil),
                (.init(), StreamID(rawValue: 65_535)),
                (.init(label: String(repeating: "x", count: 65_536)), nil),
                (.init(protocol: String(repeating: "x", count: 65_536)), nil),
            ]
            for (parameters, id) in bad {
                let error = #expect(throws: RTCError.self) { try transport.createChannel(parameters, id: id) }
                #expect(error?.code == .type)
            }
        }

        @Test("an id in use and one channel too many are refused")
        func inUse() throws {
            var configuration = SCTPConfiguration()
            configuration.maximumChannels = 3
            let pair = TransportPair(client: configuration)
            let transport = pair.client.transport
            defer { withExtendedLifetime(pair) {} }
            _ = try transport.createChannel(.init(), id: StreamID(rawValue: 4))
            let again = #expect(throws: RTCError.self) {
                try transport.createChannel(.init(), id: StreamID(rawValue: 4))
            }
            #expect(again?.code == .operation)
            _ = try transport.createChannel(.init(), id: nil)
            _ = try transport.createChannel(.init(), id: nil)
            let fourth = #expect(throws: RTCError.self) { try transport.createChannel(.init(), id: nil) }
            #expect(fourth?.code == .operation)
        }

        @Test("channels the peer opens beyond the limit are refused by a reset")
        func tooManyFromPeer() throws {
            var configuration = SCTPConfiguration()
            configuration.maximumChannels = 2
            let pair = TransportPair(server: configuration)
            pair.connect()
            let handles = try (0..<3).map { try pair.client.transport.createChannel(.init(label: "\($0)"), id: nil) }
            pair.run(until: { pair.client.closed.count == 1 }, limit: 5_000)
            #expect(pair.server.incoming.count == 2)
            #expect(pair.client.closed[handles[2]] != nil)
            #expect(pair.server.transport.statistics.refusedChannels == 1)
        }

        @Test("the association comes up under heavy loss", arguments: [1, 2, 3, 4] as [UInt64])
        func connectsUnderLoss(seed: UInt64) throws {
            let pair = TransportPair(seed: seed)
            pair.network.lost = 300
            pair.connect()
            pair.network.lost = 0
            let (near, _) = try pair.channel()
            try pair.client.send("there", on: near)
            pair.pump()
            #expect(pair.server.texts() == ["there"], "seed \(seed)")
        }

        @Test("packets that come before the start are kept for it")
        func peerIsEarlier() throws {
            let pair = TransportPair()
            pair.server.transport.start(
                isClient: false,
                remotePort: 5_000,
                remoteMaximumMessageSize: 65_536,
                now: pair.now
            )
            pair.pump()
            pair.client.transport.start(
                isClient: true,
                remotePort: 5_000,
                remoteMaximumMessageSize: 65_536,
                now: pair.now
            )
            pair.pump()
            // No time has passed: nothing had to be sent again.
            #expect(pair.client.isConnected && pair.server.isConnected)
        }
    }
}

/// CRC32c bit by bit, as a check on the processor's.
private func crc32c(_ bytes: [UInt8]) -> UInt32 {
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
    }
    return ~crc
}
