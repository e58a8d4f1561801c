import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite struct HostileTests {
    /// Random bytes, broken messages, forged integrity and repeated allocations, from ever new addresses.
    private static func datagram(
        _ number: Int,
        _ samples: [[UInt8]],
        _ random: inout RandomSource
    ) -> [UInt8] {
        var bytes = samples[Int(random.next() % UInt64(samples.count))]
        switch number % 5 {
        case 0: return random.bytes(count: Int(random.next() % 120))
        case 1: return Array(bytes.prefix(Int(random.next() % UInt64(bytes.count + 1))))
        case 2: bytes[Int(random.next() % UInt64(bytes.count))] ^= UInt8(truncatingIfNeeded: random.next() | 1)
        case 3: bytes[bytes.count - 1] ^= 1
        default: break
        }
        return bytes
    }

    @Test("A million hostile datagrams leave nothing behind, and the service answering")
    func flood() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = RandomSource.seeded(seed)
        var configuration = VirtualServer.standard()
        configuration.authentication = .credentials(
            TURNCredentialSources(users: ["alice": "wonder"], asksOwner: true)
        )
        let server = VirtualServer(configuration, limits: .init(allocations: 100))
        let client = VirtualClient(server)
        client.nonce = client.send(client.request(.allocate))?.nonce
        let allocate = client.request(.allocate) { $0.appendRequestedTransport(.udp) }
        #expect(client.send(allocate)?.isSuccess == true)
        client.bind(0x4000, VirtualServer.peer)
        client.username = "mallory"
        let samples = [
            allocate, client.request(.allocate) { $0.appendRequestedTransport(.udp) }, client.request(.refresh),
            client.request(.binding), client.sendIndication([1, 2, 3], to: VirtualServer.peer),
            client.channelData([UInt8](repeating: 0, count: 60), on: 0x4000),
            client.request(.channelBind) { $0.append(.xorPeerAddress, address: VirtualServer.peer) },
        ]
        client.username = "alice"
        var before = 0
        for number in 0..<1_000_000 {
            let bytes = Self.datagram(number, samples, &random)
            let source = VirtualServer.client(UInt16(random.next() % 50_000))
            server.receive(bytes, from: number % 3 == 0 ? client.tuple : source)
            server.sent.removeAll(keepingCapacity: true)
            server.questions.removeAll(keepingCapacity: true)
            if number % 1_000 == 0 { server.advance(seconds: 0) }
            if number == 100_000 { before = Self.residentBytes() }
        }
        #expect(server.core.allocationCount == 1, "seed \(seed)")
        #expect(server.core.pendingAuthentications.count <= configuration.pendingAuthentications)
        #expect(server.core.slots.count <= 2)
        if before > 0 { #expect(Self.residentBytes() - before < 8 << 20, "seed \(seed)") }
        #expect(client.refresh(600)?.isSuccess == true)
        let data = client.channelData([1], on: 0x4000)
        #expect(server.receive(data, from: client.tuple) != nil)
        server.advance(seconds: 10)
        #expect(server.core.pendingAuthentications.isEmpty)
    }

    /// Resident memory; 0 where there is no `/proc`.
    private static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 128)
        guard fgets(&line, CInt(line.count), file) != nil else { return 0 }
        let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return (text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4_096
    }

    @Test("Ten thousand allocations cost a second's tick no more than one does")
    func wheel() {
        var wheel = TimerWheel<Int>(now: .uptimeNanoseconds(0))
        for entry in 0..<10_000 { wheel.insert(entry, at: .uptimeNanoseconds(0) + .seconds(600)) }
        wheel.insert(-1, at: .uptimeNanoseconds(0) + .seconds(5))
        wheel.insert(-2, at: .uptimeNanoseconds(0) + .seconds(5_000))
        #expect(wheel.takeExpired(now: .uptimeNanoseconds(4_999_999_999)).isEmpty)
        #expect(wheel.takeExpired(now: .uptimeNanoseconds(5_000_000_000)) == [-1])
        #expect(wheel.takeExpired(now: .uptimeNanoseconds(599_000_000_000)).isEmpty)
        #expect(wheel.takeExpired(now: .uptimeNanoseconds(600_000_000_000)).count == 10_000)
        #expect(wheel.count == 1 && wheel.takeExpired(now: .uptimeNanoseconds(9_000_000_000_000)) == [-2])
        #expect(wheel.nextTimeout == nil)
    }
}
