#if os(Linux)
import RTCBase
import RTCSockets
import Testing

/// Waiting for many sockets, as a shard does.
@Suite struct PollerTests {
    /// Sockets that come and go under one poller, and who sends to them.
    private final class Sockets {
        let poller: Poller
        let arena: DatagramArena
        let sender: DatagramSender
        let source: DatagramSocket
        var open: [DatagramSocket] = []
        var generations: [UInt64] = []
        var unread: [Int] = []

        init(count: Int) throws {
            self.poller = try Poller()
            self.arena = try DatagramArena(slots: 8)
            self.sender = try DatagramSender(capacity: 64)
            self.source = try DatagramSocket(boundTo: TransportAddress(ipv4: 0x7F00_0001, port: 0), for: .listener)
            for index in 0..<count {
                self.generations.append(0)
                self.unread.append(0)
                self.open.append(try self.bind(index))
            }
        }

        private func bind(_ index: Int) throws -> DatagramSocket {
            let socket = try DatagramSocket(boundTo: TransportAddress(ipv4: 0x7F00_0001, port: 0), for: .relay)
            try self.poller.add(socket, tag: self.generations[index] << 32 | UInt64(index))
            return socket
        }

        /// Closes a socket, with what is unread, and opens another, which gets the same descriptor.
        func replace(_ index: Int) throws {
            self.open[index].close()
            self.generations[index] += 1
            self.unread[index] = 0
            self.open[index] = try self.bind(index)
        }

        func send(to index: Int, count: Int) {
            [UInt8](repeating: 1, count: 100).withUnsafeBytes { bytes in
                for _ in 0..<count {
                    _ = self.sender.add(to: self.open[index].address, body: bytes)
                    // One by one, or the kernel puts them together.
                    #expect(self.sender.flush(on: self.source) == 0)
                }
            }
            self.unread[index] += count
        }

        /// Reads `limit` of what each reported socket has.
        ///
        /// - Returns: How many sockets were reported.
        func look(limit: Int) -> Int {
            var reported = 0
            self.poller.wait(milliseconds: 0) { event in
                reported += 1
                let index = Int(event.tag & 0xFFFF_FFFF)
                guard self.generations[index] == event.tag >> 32 else { return }
                self.unread[index] -= self.arena.receive(on: self.open[index], first: 0, limit: limit)
            }
            return reported
        }

        func close() {
            for socket in self.open { socket.close() }
            self.source.close()
        }
    }

    @Test("Every socket that has something unread is reported, however many there are and whichever were replaced")
    func nothingForgotten() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = RandomSource.seeded(seed)
        // More than one look reports.
        let sockets = try Sockets(count: 600)
        for _ in 0..<40 {
            for index in 0..<600 where random.next() % 2 == 0 {
                sockets.send(to: index, count: Int(1 + random.next() % 3))
            }
            // Some are read in part, and some are replaced while they are reported.
            _ = sockets.look(limit: 1)
            for _ in 0..<30 { try sockets.replace(Int(random.next() % 600)) }
        }
        while sockets.look(limit: 2) > 0 {}
        #expect(sockets.unread.allSatisfy { $0 == 0 }, "seed \(seed)")
        sockets.close()
    }
}
#endif
