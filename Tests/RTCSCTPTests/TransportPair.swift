import NIOCore
import RTCBase
import RTCSCTP
import Synchronization
import Testing

/// What one side of a pair saw.
final class Peer {
    let transport: DataChannelTransport
    var events: [DataChannelTransport.Event] = []
    private(set) var opened: [DataChannelHandle: StreamID] = [:]
    private(set) var incoming: [(handle: DataChannelHandle, id: StreamID, parameters: DataChannelParameters)] = []
    private(set) var messages: [(handle: DataChannelHandle, kind: DataChannelMessageKind, bytes: ByteBuffer)] = []
    private(set) var closing: [DataChannelHandle] = []
    private(set) var closed: [DataChannelHandle: RTCError?] = [:]
    private(set) var states: [DataChannelTransport.AssociationState] = []
    private(set) var amounts: [(handle: DataChannelHandle, amount: Int)] = []
    let wakes = WakeCounter()
    var keepsMessages = true
    private(set) var messageCount = 0
    private(set) var byteCount = 0

    init(_ configuration: SCTPConfiguration) {
        let wakes = self.wakes
        self.transport = DataChannelTransport(configuration: configuration) { wakes.increment() }
    }

    var isConnected: Bool { self.states.contains(.connected) }

    var closeState: DataChannelTransport.AssociationState? {
        self.states.last { if case .closed = $0 { return true } else { return false } }
    }

    func poll() {
        while let output = self.transport.poll() {
            guard case .event(let event) = output else { continue }
            self.note(event)
        }
    }

    private func note(_ event: DataChannelTransport.Event) {
        switch event {
        case .associationState(let state): self.states.append(state)
        case .channelOpened(let handle, let id): self.opened[handle] = id
        case .channelIncoming(let handle, let id, let parameters): self.incoming.append((handle, id, parameters))
        case .messages(let handle, let messages):
            self.messageCount += messages.count
            self.byteCount += messages.reduce(0) { $0 + $1.bytes.readableBytes }
            if self.keepsMessages { self.messages += messages.map { (handle, $0.kind, $0.bytes) } }
        case .channelClosing(let handle): self.closing.append(handle)
        case .channelClosed(let handle, let error): self.closed[handle] = error
        case .bufferedAmountChanged(let handle, let amount): self.amounts.append((handle, amount))
        }
    }

    func texts(on handle: DataChannelHandle? = nil) -> [String] {
        self.messages.filter { handle == nil || $0.handle == handle }.map { String(buffer: $0.bytes) }
    }

    func forgetMessages() { self.messages = [] }
}

final class WakeCounter: Sendable {
    private let counter = Atomic<Int>(0)
    func increment() { self.counter.wrappingAdd(1, ordering: .relaxed) }
    var count: Int { self.counter.load(ordering: .relaxed) }
}

/// Two transports with a network between them, in memory.
final class TransportPair {
    /// What happens to packets on their way.
    struct Network {
        /// Of 1000 packets, how many get lost, doubled, and exchanged with the next.
        var lost = 0
        var doubled = 0
        var reordered = 0
    }

    let client: Peer
    let server: Peer
    var network = Network()
    var isCut = false
    private var random: RandomSource
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private(set) var packets = 0
    private(set) var largestPacket = 0
    private var isQuiet = false
    /// Sees each packet, and may change it.
    var tap: ((inout [UInt8], _ fromClient: Bool) -> Void)?

    init(
        client: SCTPConfiguration = .init(),
        server: SCTPConfiguration = .init(),
        seed: UInt64 = 1
    ) {
        var configurations = [client, server]
        configurations[0].engine = EnginePair.current.client
        configurations[1].engine = EnginePair.current.server
        self.client = Peer(configurations[0])
        self.server = Peer(configurations[1])
        self.random = .seeded(seed)
    }

    deinit {
        self.client.transport.abort()
        self.server.transport.abort()
    }

    func start(clientMessageSize: Int = 262_144, serverMessageSize: Int = 262_144) {
        self.client.transport.start(
            isClient: true,
            remotePort: self.server.transport.configuration.localPort,
            remoteMaximumMessageSize: serverMessageSize,
            now: self.now
        )
        self.server.transport.start(
            isClient: false,
            remotePort: self.client.transport.configuration.localPort,
            remoteMaximumMessageSize: clientMessageSize,
            now: self.now
        )
    }

    /// Starts, and waits for the association.
    func connect() {
        self.start()
        self.run(until: { self.client.isConnected && self.server.isConnected })
        #expect(self.client.isConnected && self.server.isConnected)
    }

    /// Carries packets both ways until there are none.
    func pump(rounds: Int = 20_000) {
        defer { if rounds == 20_000 { #expect(self.isQuiet, "packets go back and forth without end") } }
        self.isQuiet = false
        for _ in 0..<rounds {
            self.client.poll()
            self.server.poll()
            let moved = self.carry(from: self.client, to: self.server) + self.carry(from: self.server, to: self.client)
            if moved == 0 {
                self.isQuiet = true
                return
            }
        }
    }

    private func carry(from: Peer, to: Peer) -> Int {
        var packets: [[UInt8]] = []
        from.transport.drainPackets { packets.append(Array($0)) }
        self.packets += packets.count
        for packet in packets { self.largestPacket = max(self.largestPacket, packet.count) }
        if self.isCut { return 0 }
        var arriving: [[UInt8]] = []
        for packet in packets {
            if self.chance(self.network.lost) { continue }
            arriving.append(packet)
            if self.chance(self.network.doubled) { arriving.append(packet) }
        }
        if self.network.reordered > 0, arriving.count > 1 {
            for index in 1..<arriving.count where self.chance(self.network.reordered) {
                arriving.swapAt(index - 1, index)
            }
        }
        for var packet in arriving {
            self.tap?(&packet, from === self.client)
            to.transport.receive(packet.span.bytes, now: self.now)
        }
        return packets.count
    }

    private func chance(_ perMille: Int) -> Bool {
        perMille > 0 && Int(self.random.next() % 1_000) < perMille
    }

    /// Lets time pass, with what the timers make happen.
    func advance(milliseconds: Int, step: Int = 10) {
        var left = milliseconds
        while left > 0 {
            let some = min(step, left)
            left -= some
            self.now = self.now + .milliseconds(Int64(some))
            SCTPRuntime.advance(milliseconds: some)
            self.client.transport.handleTimeout(now: self.now)
            self.server.transport.handleTimeout(now: self.now)
            self.pump()
        }
    }

    /// Pumps, and lets time pass while `condition` is not met.
    func run(until condition: () -> Bool, limit: Int = 60_000) {
        self.pump()
        var passed = 0
        while !condition(), passed < limit {
            self.advance(milliseconds: 10)
            passed += 10
        }
    }

    /// A channel from the client, with both its ends.
    func channel(
        _ parameters: DataChannelParameters = .init(label: "test"),
        from opener: Peer? = nil
    ) throws -> (near: DataChannelHandle, far: DataChannelHandle) {
        let near = opener ?? self.client
        let far = near === self.client ? self.server : self.client
        let before = far.incoming.count
        let handle = try near.transport.createChannel(parameters, id: nil)
        self.run(until: { far.incoming.count > before })
        let incoming = try #require(far.incoming.last)
        return (handle, incoming.handle)
    }
}

extension Peer {
    func send(_ text: String, on handle: DataChannelHandle) throws {
        try self.transport.send(ByteBuffer(string: text), kind: .text, on: handle)
    }

    func send(bytes count: Int, on handle: DataChannelHandle, fill: UInt8 = 7) throws {
        try self.transport.send(ByteBuffer(repeating: fill, count: count), kind: .binary, on: handle)
    }
}

/// All suites of this target: usrsctp's clock is the process's, so they take turns. Each test runs with each pair of engines.
@Suite("SCTP and data channels", .serialized, .engines(EnginePair.all))
enum SCTPTests {}
