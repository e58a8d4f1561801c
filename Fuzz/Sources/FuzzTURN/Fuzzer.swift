import CFuzzer
import FuzzInput
import NIOCore
import RTCBase
import RTCTURN

/// A TURN server without credentials, so that every request gets as far as it can: messages of three clients, datagrams of
/// peers, connections and time, in any order. And the framing of streams.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    if input.byte() & 1 == 0 {
        decode(input.rest())
    } else {
        Session().run(&input)
    }
    return 0
}

private func decode(_ bytes: [UInt8]) {
    var decoder = TURNStreamDecoder(maximumMessageSize: 4_096)
    for start in stride(from: 0, to: bytes.count, by: 7) {
        decoder.append(ByteBuffer(bytes: bytes[start..<min(start + 7, bytes.count)]))
        while true {
            let frame = decoder.next()
            if frame == .incomplete || frame == .broken { break }
        }
        require(decoder.bufferedBytes < 4_200, "a stream keeps more than a message")
    }
}

private final class Session {
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private let core: TURNServerCore
    private var relays: [TURNRelayID] = []
    private var connections: [UInt32] = []

    init() {
        var configuration = TURNServerCoreConfiguration()
        configuration.authentication = .anyone
        configuration.relayFamilies = [.ipv4, .ipv6]
        configuration.peerFilter.deniesSpecialRanges = false
        configuration.permissionsPerAllocation = 4
        configuration.channelsPerAllocation = 4
        self.core = TURNServerCore(
            configuration: configuration,
            ledger: TURNQuotaLedger(),
            random: .seeded(1),
            unixTime: 0,
            now: self.now
        )
    }

    func run(_ input: inout FuzzInput) {
        for _ in 0..<64 where !input.isEmpty { self.step(&input) }
        require(self.core.allocationCount <= 3, "more allocations than clients")
        self.now = self.now + .hours(2)
        self.core.handleTimeout(now: self.now)
        self.drain()
        self.core.close(now: self.now)
        require(self.core.allocationCount == 0, "an allocation outlives its server")
    }

    private func step(_ input: inout FuzzInput) {
        let action = input.byte()
        let client = Self.clients[Int(action >> 4) % Self.clients.count]
        switch action & 7 {
        case 0, 1, 2, 3: self.receive(input.run(), from: client)
        case 4: self.deliver(input.byte())
        case 5: self.now = self.now + .seconds(Int64(input.byte()) * 4)
        case 6: self.connect(input.byte(), client)
        default: self.core.clientConnected(client, now: self.now)
        }
        self.core.handleTimeout(now: self.now)
        self.drain()
    }

    private func receive(_ bytes: [UInt8], from client: TURNFiveTuple) {
        guard let forward = self.core.receive(bytes.span.bytes, from: client, now: self.now) else { return }
        require(forward.payload.upperBound <= bytes.count, "data beyond its datagram")
    }

    private func deliver(_ choice: UInt8) {
        guard let relay = self.relays.last else { return }
        let peer = TransportAddress(ipv4: 0x0808_0800 | UInt32(choice & 3), port: UInt16(choice) + 1)
        guard let delivery = self.core.deliver(relay, from: peer, count: Int(choice), now: self.now) else { return }
        withUnsafeTemporaryAllocation(byteCount: delivery.headerSize, alignment: 8) { head in
            delivery.writeHeader(to: head, payloadCount: Int(choice))
        }
    }

    private func connect(_ choice: UInt8, _ client: TURNFiveTuple) {
        switch choice & 3 {
        case 0: self.core.clientDisconnected(client, now: self.now)
        case 1: if let id = self.connections.popLast() { self.core.peerConnected(id, now: self.now) }
        case 2: if let id = self.connections.popLast() { self.core.peerConnectionFailed(id, now: self.now) }
        default:
            guard let relay = self.relays.last else { return }
            let peer = TransportAddress(ipv4: 0x0808_0808, port: 9)
            _ = self.core.peerAccepted(on: relay, from: peer, now: self.now)
        }
    }

    private func drain() {
        while let output = self.core.poll() {
            switch output {
            case .openRelay(let request):
                self.relays.append(request.id)
                let address = TransportAddress(ipv4: 0x0909_0909, port: 50_000)
                self.core.relayOpened(request.id, at: address, now: self.now)
            case .connectPeer(let connection, _, _): self.connections.append(connection)
            default: break
            }
        }
    }

    private static let clients: [TURNFiveTuple] = (0..<3).map { number in
        TURNFiveTuple(
            client: TransportAddress(ipv4: 0x0102_0304, port: 1_000 + UInt16(number)),
            server: TransportAddress(ipv4: 0x0505_0505, port: 3478),
            transport: number == 0 ? .udp : .tcp
        )
    }
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzTURN_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
