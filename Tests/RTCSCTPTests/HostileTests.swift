import NIOCore
import RTCBase
import Testing

@testable import RTCSCTP

extension SCTPTests {
    @Suite("Hostile peers", .serialized)
    struct HostileTests {
        @Test("random packets do no harm", arguments: [1, 2, 3] as [UInt64])
        func randomPackets(seed: UInt64) throws {
            let pair = TransportPair()
            pair.connect()
            let (near, _) = try pair.channel()
            var random = RandomSource.seeded(seed)
            for _ in 0..<3_000 {
                let packet = random.bytes(count: Int(random.next() % 1_400))
                pair.server.transport.receive(packet.span.bytes, now: pair.now)
            }
            pair.pump()
            try pair.client.send("alive", on: near)
            pair.pump()
            #expect(pair.server.texts() == ["alive"], "seed \(seed)")
        }

        @Test(
            "valid packets with changed bytes or a changed end do no harm",
            arguments: [1, 2, 3, 4, 5, 6, 7, 8] as [UInt64]
        )
        func mutatedPackets(seed: UInt64) throws {
            let before = SCTPRuntime.activeAssociations
            for round in 0..<40 as Range<UInt64> {
                let pair = TransportPair(seed: seed &* 1_000 &+ round)
                var random = RandomSource.seeded(seed &* 7_919 &+ round)
                pair.tap = { packet, _ in
                    guard random.next() % 4 == 0 else { return }
                    for _ in 0...(random.next() % 4) {
                        // The verification tag stays, or nothing would look at the rest.
                        let place = 12 + Int(random.next() % UInt64(max(1, packet.count - 12)))
                        if place < packet.count { packet[place] = UInt8(truncatingIfNeeded: random.next()) }
                    }
                    if random.next() % 4 == 0 { packet.removeLast(Int(random.next() % UInt64(packet.count))) }
                }
                let handle = try pair.client.transport.createChannel(.init(label: "m"), id: nil)
                _ = try pair.server.transport.createChannel(.init(label: "n"), id: nil)
                pair.start()
                pair.pump(rounds: 10)
                for size in [10, 3_000, 100, 20_000] { try? pair.client.send(bytes: size, on: handle) }
                for _ in 0..<30 { pair.advance(milliseconds: 100, step: 100) }
                pair.client.transport.close(handle)
                for _ in 0..<30 { pair.advance(milliseconds: 100, step: 100) }
            }
            SCTPRuntime.advance(milliseconds: 1_000)
            #expect(SCTPRuntime.activeAssociations == before, "seed \(seed)")
        }

        @Test("packets after the end, and before the beginning, do no harm")
        func afterTheEnd() throws {
            let pair = TransportPair()
            var seen: [[UInt8]] = []
            pair.tap = { packet, _ in seen.append(packet) }
            for packet in seen { pair.server.transport.receive(packet.span.bytes, now: pair.now) }
            pair.connect()
            let (near, _) = try pair.channel()
            try pair.client.send(bytes: 10_000, on: near)
            pair.pump()
            pair.server.transport.abort()
            for packet in seen { pair.server.transport.receive(packet.span.bytes, now: pair.now) }
            pair.server.poll()
            SCTPRuntime.advance(milliseconds: 10_000)
            #expect(pair.server.closeState == .closed(nil))
        }

        @Test("a peer that begins anew amid the association ends it")
        func restart() throws {
            let pair = TransportPair()
            pair.connect()
            let (_, far) = try pair.channel()
            let other = TransportPair()
            other.client.transport.start(
                isClient: true,
                remotePort: 5_000,
                remoteMaximumMessageSize: 0,
                now: pair.now
            )
            for _ in 0..<10 {
                other.client.poll()
                var packets: [[UInt8]] = []
                other.client.transport.drainPackets { packets.append(Array($0)) }
                for packet in packets { pair.server.transport.receive(packet.span.bytes, now: pair.now) }
                pair.server.poll()
                packets = []
                pair.server.transport.drainPackets { packets.append(Array($0)) }
                for packet in packets { other.client.transport.receive(packet.span.bytes, now: pair.now) }
            }
            #expect((pair.server.closed[far] ?? nil)?.detail == .sctpFailure)
        }

        static let malformed: [(name: String, bytes: [UInt8])] = [
            ("unknown type", [9]),
            ("OPEN of one byte", [3]),
            ("OPEN without its last byte", [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("label beyond the end", [3, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 65]),
            ("protocol beyond the end", [3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 255, 255, 65]),
            ("unknown channel type", [3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("unknown unordered channel type", [3, 0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        ]

        @Test("a malformed OPEN is counted, opens nothing and is answered by a reset")
        func malformedOpen() throws {
            for (name, bytes) in Self.malformed {
                let pair = TransportPair()
                pair.connect()
                let near = try pair.client.inject(bytes, payloadProtocol: PayloadProtocol.control, stream: 2)
                pair.run(until: { pair.client.closed[near] != nil }, limit: 5_000)
                #expect(pair.server.incoming.isEmpty, "\(name)")
                #expect(pair.server.transport.statistics.malformedControlMessages == 1, "\(name)")
                #expect(pair.client.closed[near] == .some(nil), "\(name)")
                // The association goes on, and so does the stream.
                let (again, _) = try pair.channel()
                try pair.client.send("fine", on: again)
                pair.pump()
                #expect(pair.server.texts() == ["fine"], "\(name)")
            }
        }

        @Test("an OPEN with the wrong parity is refused")
        func wrongParity() throws {
            let pair = TransportPair()
            pair.connect()
            let open = DCEPMessage.open(.init(label: "x")).encoded
            let near = try pair.client.inject(
                Array(open.readableBytesView),
                payloadProtocol: PayloadProtocol.control,
                stream: 3
            )
            pair.run(until: { pair.client.closed[near] != nil }, limit: 5_000)
            #expect(pair.server.incoming.isEmpty)
            #expect(pair.client.closed[near] == .some(nil))
        }

        @Test("an OPEN for a channel that is there closes it with an error")
        func openTwice() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            let channel = try #require(pair.client.transport.channels[near])
            pair.client.transport.enqueueControl(.open(.init(label: "again")), on: channel)
            pair.run(until: { pair.server.closed[far] != nil && pair.client.closed[near] != nil }, limit: 5_000)
            #expect((pair.server.closed[far] ?? nil)?.detail == .dataChannelFailure)
        }

        @Test("an acknowledgement nobody asked for is counted and dropped")
        func strayAcknowledgement() throws {
            let pair = TransportPair()
            pair.connect()
            let (near, far) = try pair.channel()
            let channel = try #require(pair.client.transport.channels[near])
            pair.client.transport.enqueueControl(.acknowledge, on: channel)
            try pair.client.send("goes on", on: near)
            pair.pump()
            #expect(pair.server.transport.statistics.malformedControlMessages == 1)
            #expect(pair.server.texts(on: far) == ["goes on"])
        }

        @Test("unknown payload protocols are counted and dropped, deprecated ones put together")
        func payloadProtocols() throws {
            let pair = TransportPair()
            pair.connect()
            let near = try pair.client.transport.createChannel(.init(negotiated: true), id: StreamID(rawValue: 1))
            _ = try pair.server.transport.createChannel(.init(negotiated: true), id: StreamID(rawValue: 1))
            func send(_ text: String, _ payloadProtocol: UInt32) {
                pair.client.transport.enqueue(Array(text.utf8), payloadProtocol: payloadProtocol, on: near)
            }
            send("?", 0)
            send("?", 99)
            send("one ", PayloadProtocol.textPartial)
            send("two ", PayloadProtocol.textPartial)
            send("three", PayloadProtocol.text)
            send("a", PayloadProtocol.binaryPartial)
            send("b", PayloadProtocol.binary)
            send("whole", PayloadProtocol.text)
            send("ignored", PayloadProtocol.emptyText)
            pair.pump()
            #expect(pair.server.texts() == ["one two three", "ab", "whole", ""])
            #expect(pair.server.messages.map(\.kind) == [.text, .binary, .text, .text])
            #expect(pair.server.transport.statistics.unknownMessages == 2)
        }

        @Test("an establishment message reads back as it was written, and tolerates a longer end")
        func roundTrip() throws {
            for parameters in OpeningTests.kinds {
                var bytes = DCEPMessage.open(parameters).encoded
                bytes.writeBytes([1, 2, 3])
                let read = bytes.withUnsafeReadableBytes { DCEPMessage($0) }
                #expect(read == .open(parameters))
            }
            #expect(DCEPMessage.acknowledge.encoded.withUnsafeReadableBytes { DCEPMessage($0) } == .acknowledge)
        }

        @Test("a reset of a stream nobody uses is answered once")
        func strayReset() throws {
            let pair = TransportPair()
            pair.connect()
            for _ in 0..<3 {
                pair.client.transport.requestReset(of: 6)
                pair.advance(milliseconds: 500)
            }
            #expect(pair.packets < 40)
            let (near, _) = try pair.channel()
            try pair.client.send("fine", on: near)
            pair.pump()
            #expect(pair.server.texts() == ["fine"])
        }

        @Test("a peer without stream resets: the channel closes on this side alone, its id is not used again")
        func withoutResets() throws {
            let pair = TransportPair()
            // Takes RE-CONFIG (130) out of the lists of supported chunks (parameter 0x8008).
            pair.tap = { packet, _ in
                guard packet.count > 36, packet[12] == 1 || packet[12] == 2 else { return }
                var place = 32
                while place + 4 <= packet.count {
                    let length = Int(packet[place + 2]) << 8 | Int(packet[place + 3])
                    let end = min(place + length, packet.count)
                    if packet[place] == 0x80, packet[place + 1] == 0x08 {
                        for index in place + 4..<end where packet[index] == 130 { packet[index] = 0 }
                    }
                    place += (max(length, 4) + 3) & ~3
                }
            }
            pair.connect()
            let (near, _) = try pair.channel()
            try pair.client.send("last", on: near)
            pair.client.transport.close(near)
            pair.pump()
            #expect(pair.client.closed[near] == .some(nil))
            #expect(pair.server.texts() == ["last"])
            let next = try pair.client.transport.createChannel(.init(), id: nil)
            #expect(pair.client.transport.id(next) == StreamID(rawValue: 2))
        }
    }
}

extension Peer {
    /// Sends bytes as they are on a stream of a channel made for it, of which the other side knows nothing.
    func inject(_ bytes: [UInt8], payloadProtocol: UInt32, stream: UInt16) throws -> DataChannelHandle {
        let handle = try self.transport.createChannel(.init(negotiated: true), id: StreamID(rawValue: stream))
        self.transport.enqueue(bytes, payloadProtocol: payloadProtocol, on: handle)
        return handle
    }
}

extension DataChannelTransport {
    func enqueue(_ bytes: [UInt8], payloadProtocol: UInt32, on handle: DataChannelHandle) {
        guard let channel = self.channels[handle] else { return }
        channel.queue.append(.init(bytes: ByteBuffer(bytes: bytes), payloadProtocol: payloadProtocol))
        channel.bufferedAmount += bytes.count
        self.schedule(channel)
    }
}
