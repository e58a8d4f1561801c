import NIOCore
import RTCBase
import RTCICE
import RTCSTUN

/// Addresses, delays and losses between agents, on one virtual clock.
final class SimulatedNetwork {
    struct Conditions {
        var delay = TimeAmount.milliseconds(10)
        var jitter = TimeAmount.zero
        var loss = 0.0
        var duplication = 0.0
    }

    struct Datagram {
        var payload: ByteBuffer
        var from: TransportAddress
        var to: TransportAddress
        var arrival: NIODeadline
        var order: Int
    }

    var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    var conditions = Conditions()
    var random: RandomSource
    /// Decides per datagram whether it passes.
    var filter: (TransportAddress, TransportAddress) -> Bool = { _, _ in true }
    /// Public addresses that stand for private ones: private -> public. Inbound only for known flows.
    var nats: [TransportAddress: TransportAddress] = [:]
    /// Servers: called with payload and source, answer goes back.
    var servers: [TransportAddress: (RawSpan, TransportAddress) -> ByteBuffer?] = [:]
    var endpoints: [Endpoint] = []
    var sentCount = 0
    private(set) var flying: [Datagram] = []
    private var order = 0

    init(seed: UInt64) { self.random = .seeded(seed) }

    func send(_ payload: ByteBuffer, from: TransportAddress, to: TransportAddress) {
        self.sentCount += 1
        guard self.filter(from, to) else { return }
        let source = self.nats[from] ?? from
        let copies = self.chance(self.conditions.duplication) ? 2 : 1
        for _ in 0..<copies where !self.chance(self.conditions.loss) {
            let extra =
                self.conditions.jitter.nanoseconds > 0
                ? Int64(self.random.next() % UInt64(self.conditions.jitter.nanoseconds)) : 0
            self.order += 1
            self.flying.append(
                Datagram(
                    payload: payload,
                    from: source,
                    to: to,
                    arrival: self.now + self.conditions.delay + .nanoseconds(extra),
                    order: self.order
                )
            )
        }
    }

    private func chance(_ probability: Double) -> Bool {
        probability > 0 && Double(self.random.next() >> 11) / Double(UInt64(1) << 53) < probability
    }

    /// Runs for a while, or until `condition` holds; whether it did.
    @discardableResult
    func run(for duration: TimeAmount, until condition: () -> Bool = { false }) -> Bool {
        let end = self.now + duration
        self.drain()
        var steps = 0
        while !condition() {
            steps += 1
            guard steps < 200_000 else { return false }
            let arrival = self.flying.map(\.arrival).min()
            let timeout = self.endpoints.compactMap(\.agent.nextTimeout).min()
            let candidates = [arrival, timeout].compactMap { $0 }
            guard let next = candidates.min(), next <= end else {
                self.now = end
                return condition()
            }
            self.now = max(self.now, next)
            self.deliver()
            for endpoint in self.endpoints {
                if let due = endpoint.agent.nextTimeout, due <= self.now { endpoint.agent.handleTimeout(now: self.now) }
            }
            self.drain()
        }
        return true
    }

    private func deliver() {
        let due = self.flying.filter { $0.arrival <= self.now }.sorted {
            ($0.arrival, $0.order) < ($1.arrival, $1.order)
        }
        self.flying.removeAll { $0.arrival <= self.now }
        for datagram in due {
            if let server = self.servers[datagram.to] {
                if let answer = server(datagram.payload.readableBytesSpan, datagram.from) {
                    self.send(answer, from: datagram.to, to: datagram.from)
                }
                continue
            }
            let target = self.nats.first { $0.value == datagram.to }?.key ?? datagram.to
            for endpoint in self.endpoints where endpoint.bases.contains(target) {
                endpoint.receive(datagram, base: target)
            }
        }
    }

    func drain() {
        // What one endpoint says may give another one something to say.
        for _ in 0..<3 {
            for endpoint in self.endpoints { endpoint.drain() }
        }
    }
}

/// An agent, what it said, and a way for its candidates to the other one.
final class Endpoint {
    // The network holds its endpoints; holding it here too would keep both for ever.
    unowned let network: SimulatedNetwork
    let agent: ICEAgent
    var bases: [TransportAddress]
    var events: [ICEAgent.Event] = []
    var transmissions: [(STUNMessage, TransportAddress, TransportAddress)] = []
    var receivedData: [(TransportAddress, ByteBuffer)] = []
    var refusedData = 0
    var names: [String: [TransportAddress]] = [:]
    weak var peer: Endpoint?
    var tricklesCandidates = true

    init(
        _ network: SimulatedNetwork,
        role: ICERole,
        addresses: [TransportAddress],
        seed: UInt64,
        configuration: ICEConfiguration = ICEConfiguration()
    ) {
        self.network = network
        self.bases = addresses
        var random = RandomSource.seeded(seed &* 7919 &+ (role == .controlling ? 1 : 2))
        let credentials = ICECredentials.random(using: &random)
        self.agent = ICEAgent(configuration: configuration, role: role, localCredentials: credentials, random: random)
        network.endpoints.append(self)
    }

    var now: NIODeadline { self.network.now }
    var states: [ICEConnectionState] {
        self.events.compactMap { event in
            if case .stateChanged(let state) = event { return state }
            return nil
        }
    }

    func gather(stunServers: [ICEServerAddress] = []) {
        self.agent.gather(hosts: self.bases.map { ICEHostAddress(base: $0) }, stunServers: stunServers, now: self.now)
    }

    func learnPeer(isLite: Bool = false) {
        guard let peer = self.peer else { return }
        self.agent.setRemote(credentials: peer.agent.localCredentials, isLite: isLite, now: self.now)
    }

    func addCandidates(of other: Endpoint) {
        for candidate in other.agent.localCandidates where candidate.type != .peerReflexive {
            self.agent.addRemoteCandidate(candidate, now: self.now)
        }
    }

    func receive(_ datagram: SimulatedNetwork.Datagram, base: TransportAddress) {
        if STUNMessage.isSTUN(datagram.payload.readableBytesSpan) {
            self.agent.receive(datagram.payload.readableBytesSpan, from: datagram.from, to: base, now: self.now)
        } else if self.agent.isValidated(remote: datagram.from, base: base) {
            self.receivedData.append((datagram.from, datagram.payload))
            self.agent.noteReceived(
                bytes: datagram.payload.readableBytes,
                remote: datagram.from,
                base: base,
                now: self.now
            )
        } else {
            self.refusedData += 1
        }
        self.drain()
    }

    @discardableResult
    func sendData(_ text: String) -> Bool {
        guard let path = self.agent.selectedPath else { return false }
        self.agent.noteSent(bytes: text.utf8.count, remote: path.remote, base: path.base, now: self.now)
        self.network.send(ByteBuffer(string: text), from: path.base, to: path.remote)
        return true
    }

    func drain() {
        while let output = self.agent.poll() {
            switch output {
            case .transmit(let payload, let from, let to, _):
                if let message = STUNMessage(payload.readableBytesSpan) {
                    self.transmissions.append((message, from, to))
                }
                self.network.send(payload, from: from, to: to)
            case .event(let event):
                self.events.append(event)
                self.handle(event)
            }
        }
    }

    private func handle(_ event: ICEAgent.Event) {
        switch event {
        case .localCandidate(let candidate):
            if self.tricklesCandidates { self.peer?.agent.addRemoteCandidate(candidate, now: self.now) }
        case .gatheringStateChanged(.complete):
            if self.tricklesCandidates { self.peer?.agent.setRemoteEndOfCandidates(now: self.now) }
        case .resolve(let hostname):
            self.agent.addResolved(hostname: hostname, addresses: self.names[hostname] ?? [], now: self.now)
        default:
            break
        }
    }
}

/// Two endpoints that know of each other.
struct Duo {
    let network: SimulatedNetwork
    let left: Endpoint
    let right: Endpoint

    init(
        seed: UInt64 = 1,
        left: [String] = ["192.0.2.1"],
        right: [String] = ["192.0.2.2"],
        roles: (ICERole, ICERole) = (.controlling, .controlled),
        configuration: ICEConfiguration = ICEConfiguration(),
        rightConfiguration: ICEConfiguration? = nil
    ) {
        self.network = SimulatedNetwork(seed: seed)
        self.left = Endpoint(
            self.network,
            role: roles.0,
            addresses: left.map { address($0, 1000) },
            seed: seed,
            configuration: configuration
        )
        self.right = Endpoint(
            self.network,
            role: roles.1,
            addresses: right.map { address($0, 2000) },
            seed: seed &+ 1_000_003,
            configuration: rightConfiguration ?? configuration
        )
        self.left.peer = self.right
        self.right.peer = self.left
    }

    /// Exchanges credentials and gathers on both sides, candidates trickling.
    func start() {
        self.left.learnPeer()
        self.right.learnPeer()
        self.left.gather()
        self.right.gather()
    }

    func isSettled() -> Bool {
        self.left.agent.state == .completed && self.right.agent.state == .completed
    }

    func isConnected() -> Bool {
        [self.left, self.right].allSatisfy { $0.agent.state == .connected || $0.agent.state == .completed }
    }

    /// Whether both sides send over the same pair.
    var pathsAgree: Bool {
        guard let left = self.left.agent.selectedPath, let right = self.right.agent.selectedPath else { return false }
        return left.base == right.remote && left.remote == right.base
    }
}

func address(_ ip: String, _ port: UInt16) -> TransportAddress {
    TransportAddress(ip: ip, port: port) ?? TransportAddress(ipv4: 0, port: 0)
}
