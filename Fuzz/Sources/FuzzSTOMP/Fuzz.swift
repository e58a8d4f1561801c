import CFuzzer
import FuzzInput
import NIOCore
import RTCBase
import RTCSignaling

/// Three clients of a broker, and a relay between clients and a broker: frames cut anywhere, time, and what was written, in any
/// order.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    if input.byte() & 1 == 0 { serve(&input) } else { relay(&input) }
    return 0
}

private func configuration() -> STOMPConfiguration {
    var configuration = STOMPConfiguration()
    configuration.maximumBodySize = 4096
    configuration.maximumUnsentBytes = 32 << 10
    configuration.maximumQueuedBytes = 32 << 10
    configuration.maximumQueues = 8
    configuration.maximumSubscriptions = 8
    return configuration
}

private func serve(_ input: inout FuzzInput) {
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var broker = STOMPBroker(configuration: configuration())
    var clients: [STOMPConnectionID] = []
    for _ in 0..<64 where !input.isEmpty {
        let action = input.byte()
        if clients.count < 3, let id = broker.open(now: now) { clients.append(id) }
        let client = clients[Int(action >> 4) % clients.count]
        switch action & 7 {
        case 0: now = now + .seconds(Int64(input.byte()))
        case 1: broker.connectionEnded(client, now: now)
        case 2:
            let destination = String(decoding: input.run().prefix(64), as: UTF8.self)
            broker.publish(to: destination, body: ByteBuffer(bytes: input.run()), now: now)
        default: broker.receive(ByteBuffer(bytes: input.run()), from: client, now: now)
        }
        broker.handleTimeout(now: now)
        while let output = broker.poll() {
            switch output {
            case .close(let id): clients.removeAll { $0 == id }
            case .transmit(let id, let bytes) where action & 8 == 0:
                broker.didTransmit(bytes.readableBytes, to: id, now: now)
            default: break
            }
        }
        require(broker.unsentBytes <= 3 * 32 << 10, "more waits than may")
    }
    for client in clients { broker.connectionEnded(client, now: now) }
    require(broker.connectionCount == 0, "a connection outlives its client")
}

private func relay(_ input: inout FuzzInput) {
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var relay = STOMPRelay(
        relay: STOMPRelayConfiguration(host: "broker"),
        configuration: configuration(),
        random: .seeded(1),
        now: now
    )
    var clients: [STOMPConnectionID] = []
    var links: [STOMPRelayLinkID] = []
    for _ in 0..<64 where !input.isEmpty {
        let action = input.byte()
        if clients.count < 3, let id = relay.open(now: now) { clients.append(id) }
        let client = clients[Int(action >> 4) % clients.count]
        let link = links.isEmpty ? nil : links[Int(action >> 4) % links.count]
        switch action & 7 {
        case 0: now = now + .seconds(Int64(input.byte()))
        case 1: relay.connectionEnded(client, now: now)
        case 2: relay.publish(to: "/user/a/queue/b", body: ByteBuffer(bytes: input.run()), now: now)
        case 3: if let link { relay.linkEnded(link, now: now) }
        case 4, 5: if let link { relay.receive(ByteBuffer(bytes: input.run()), fromBroker: link, now: now) }
        default: relay.receive(ByteBuffer(bytes: input.run()), from: client, now: now)
        }
        relay.handleTimeout(now: now)
        while let output = relay.poll() {
            switch output {
            case .close(let id): clients.removeAll { $0 == id }
            case .open(let id):
                links.append(id)
                relay.linkOpened(id, now: now)
                let connected = "CONNECTED\nversion:1.2\nsession:s\n\n\0"
                if action & 8 == 0 { relay.receive(ByteBuffer(string: connected), fromBroker: id, now: now) }
            case .closeLink(let id): links.removeAll { $0 == id }
            case .transmit(let id, let bytes) where action & 8 == 0:
                relay.didTransmit(bytes.readableBytes, to: id, now: now)
            case .transmitToBroker(let id, let bytes): relay.didTransmit(bytes.readableBytes, toBroker: id)
            default: break
            }
        }
        require(relay.unsentBytes <= 3 * 32 << 10, "more waits than may")
    }
    for client in clients { relay.connectionEnded(client, now: now) }
    require(relay.connectionCount == 0, "a connection outlives its client")
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzSTOMP_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
