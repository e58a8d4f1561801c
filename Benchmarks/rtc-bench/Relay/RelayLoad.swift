import NIOCore
import RTCBase
import RTCSockets
import RTCTURN

/// Packets through a server's relays: from clients to a peer, which sends each back to where it came from.
final class RelayLoad {
    struct Result {
        var sent = 0
        /// Packets that reached the peer, and that came back: each was relayed once.
        var relayed = 0
        var seconds = 0.0
    }

    private let server: TransportAddress
    private let peer: DatagramSocket
    private let clients: [RelayClient]
    private let arena: DatagramArena
    private let sender: DatagramSender
    private let poller: Poller
    private let packet: [UInt8]
    private let echoes: Bool
    private var next = 0
    private var result = Result()

    private static let peerTag = UInt64.max

    init(_ server: TransportAddress, allocations: Int, size: Int, echoes: Bool) throws {
        self.server = server
        self.echoes = echoes
        self.peer = try DatagramSocket(boundTo: TransportAddress(ipv4: 0x7F00_0001, port: 0), for: .listener)
        self.arena = try DatagramArena(slots: 32)
        self.sender = try DatagramSender(capacity: 64)
        self.poller = try Poller()
        try self.poller.add(self.peer, tag: Self.peerTag)
        let exchange = try RelayExchange()
        let peer = self.peer.address
        self.clients = try (0..<allocations).map { _ in try RelayClient(server, peer: peer, exchange) }
        for (index, client) in self.clients.enumerated() { try self.poller.add(client.socket, tag: UInt64(index)) }
        var packet = ByteBuffer()
        let payload = [UInt8](repeating: 1, count: size)
        if let channel = TURNChannelNumber(rawValue: RelayClient.channel) {
            TURNChannelData.write(payload.span.bytes, on: channel, to: &packet, isPadded: false)
        }
        self.packet = Array(packet.readableBytesView)
    }

    /// Sends `rate` packets a second, evenly over the allocations, for so long.
    func run(rate: Int, seconds: Double) -> Result {
        self.result = Result()
        let begin = NIODeadline.now()
        let end = begin + .nanoseconds(Int64(seconds * 1e9))
        var now = begin
        while now < end {
            let due = Int(Double((now - begin).nanoseconds) / 1e9 * Double(rate))
            while self.result.sent < due { self.sendOne() }
            self.poller.wait(milliseconds: 1) { event in self.receive(event.tag) }
            now = .now()
        }
        // What is still under way, also where others have the processor: the next run is not to find it.
        var rest = now + .milliseconds(100)
        while NIODeadline.now() < min(rest, end + .seconds(2)) {
            self.poller.wait(milliseconds: 10) { event in
                self.receive(event.tag)
                rest = .now() + .milliseconds(100)
            }
        }
        self.result.seconds = Double((end - begin).nanoseconds) / 1e9
        return self.result
    }

    private func sendOne() {
        let client = self.clients[self.next]
        self.next = (self.next + 1) % self.clients.count
        self.packet.withUnsafeBytes { bytes in
            _ = self.sender.add(to: self.server, body: bytes)
            _ = self.sender.flush(on: client.socket)
        }
        self.result.sent += 1
    }

    private func receive(_ tag: UInt64) {
        let socket = tag == Self.peerTag ? self.peer : self.clients[Int(tag)].socket
        let count = self.arena.receive(on: socket, first: 0, limit: self.arena.slots)
        for slot in 0..<count {
            let read = self.arena.read(at: slot)
            var start = 0
            repeat {
                let end = min(start + max(1, read.segmentSize), read.bytes.count)
                self.result.relayed += 1
                if tag == Self.peerTag, self.echoes { self.echo(read, start..<end) }
                start = end
            } while start < read.bytes.count
        }
        _ = self.sender.flush(on: self.peer)
    }

    private func echo(_ read: DatagramArena.Read, _ range: Range<Int>) {
        let bytes = UnsafeRawBufferPointer(rebasing: read.bytes[range])
        if self.sender.add(to: read.source, body: bytes) { return }
        _ = self.sender.flush(on: self.peer)
        _ = self.sender.add(to: read.source, body: bytes)
    }

    func close() {
        self.peer.close()
        for client in self.clients { client.socket.close() }
    }
}
