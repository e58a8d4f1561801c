public import NIOCore
public import RTCBase
public import RTCCore
import RTCDTLS
import RTCICE
import RTCSCTP
import Synchronization

/// Two peer sessions on one clock, with a simulated network between them.
///
/// Everything happens in virtual time: nothing waits, and the same seed gives the same run. Two libraries keep a clock of their own
/// (OpenSSL its retransmission timer, usrsctp its round-trip times); loss inside a handshake is therefore best tested in real time.
/// usrsctp's timers are one list for the process: run suites with pairs one after the other.
public final class PeerPair {
    /// One of the two peers.
    public final class Peer {
        /// Its session.
        public let session: PeerSession
        /// Its address on the network, at the beginning.
        public let address: TransportAddress
        /// Its addresses now. Changing them tells its session nothing: that hears of it by `addHost` and `removeHost`.
        public var addresses: [TransportAddress]
        /// What stands between it and the network; `nil` for nothing.
        public internal(set) var nat: SimulatedNAT?
        /// The sockets to servers, by number and by address.
        fileprivate var flows: [ServerFlowID: (local: TransportAddress, server: TransportAddress)] = [:]
        fileprivate var flowsByAddress: [TransportAddress: ServerFlowID] = [:]
        /// What it reported so far.
        public fileprivate(set) var events: [PeerSession.Event] = []
        /// Whether its candidates are handed to the other peer as they come. Default `true`.
        public var trickles = true
        fileprivate var wakes = WakeFlag()
        fileprivate var inFlightCandidates: [RTCIceCandidate?] = []

        fileprivate init(session: PeerSession, address: TransportAddress, wakes: WakeFlag) {
            self.session = session
            self.address = address
            self.addresses = [address]
            self.wakes = wakes
        }

        /// Forgets the events so far.
        public func clearEvents() { self.events = [] }
    }

    /// Set from any thread, read by the pair.
    fileprivate final class WakeFlag: Sendable {
        let isSet = Mutex(false)
    }

    /// The peer that usually offers.
    public let left: Peer
    /// The peer that usually answers.
    public let right: Peer
    /// The network between them.
    public var network: SimulatedNetwork
    /// The STUN and TURN server on the network, if there is one.
    public private(set) var server: SimulatedTURNServer?
    /// The virtual time.
    public private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private var sctpClock: NIODeadline

    /// Two peers that do not know each other yet.
    public init(
        seed: UInt64,
        link: SimulatedNetwork.Link = SimulatedNetwork.Link(),
        leftConfiguration: RTCConfiguration = RTCConfiguration(),
        rightConfiguration: RTCConfiguration = RTCConfiguration(),
        leftAddress: TransportAddress = TransportAddress(ipv4: 0x0A00_0001, port: 5001),
        rightAddress: TransportAddress = TransportAddress(ipv4: 0x0A00_0002, port: 5002)
    ) throws {
        self.network = SimulatedNetwork(link: link, seed: seed)
        self.left = try Self.makePeer(
            leftConfiguration,
            leftAddress,
            seed &* 2 &+ 1
        )
        self.right = try Self.makePeer(
            rightConfiguration,
            rightAddress,
            seed &* 2 &+ 2
        )
        self.sctpClock = self.now
    }

    /// Puts the peers behind translators, each on a network of its own, and a STUN and TURN server on the network. To be called
    /// before they negotiate.
    public func place(
        left: SimulatedNAT.Behavior,
        right: SimulatedNAT.Behavior,
        server: SimulatedTURNServer?,
        seed: UInt64
    ) {
        self.left.nat = SimulatedNAT(left, outside: TransportAddress(ipv4: 0xC633_6401, port: 0), seed: seed)
        self.right.nat = SimulatedNAT(
            right,
            outside: TransportAddress(ipv4: 0xC633_6402, port: 0),
            seed: seed &+ 7_919
        )
        self.server = server
    }

    private static func makePeer(
        _ configuration: RTCConfiguration,
        _ address: TransportAddress,
        _ seed: UInt64
    ) throws -> Peer {
        let certificate = try configuration.certificates.first ?? RTCCertificate.generate()
        let wakes = WakeFlag()
        let environment = PeerSession.Environment(
            certificate: certificate,
            dtlsContext: try DTLSContext(certificate: certificate.dtls, configuration: DTLSConfiguration()),
            random: .seeded(seed),
            wake: { wakes.isSet.withLock { $0 = true } }
        )
        let session = PeerSession(configuration: configuration, environment: environment)
        return Peer(session: session, address: address, wakes: wakes)
    }

    /// Exchanges an offer of `offerer` and the other's answer.
    public func negotiate(offerer: Peer? = nil) throws {
        let offerer = offerer ?? self.left
        let answerer = offerer === self.left ? self.right : self.left
        try offerer.session.setLocalDescription(nil, now: self.now)
        self.settle()
        guard let offer = offerer.session.pendingLocalDescription else { return }
        try answerer.session.setRemoteDescription(offer, now: self.now)
        try answerer.session.setLocalDescription(nil, now: self.now)
        self.settle()
        guard let answer = answerer.session.currentLocalDescription else { return }
        try offerer.session.setRemoteDescription(answer, now: self.now)
        self.settle()
    }

    /// Does what is due now, without moving the clock.
    public func settle() {
        var isBusy = true
        while isBusy {
            isBusy = false
            for peer in [self.left, self.right] where self.drain(peer) { isBusy = true }
            for delivery in self.network.deliver(now: self.now) {
                isBusy = true
                self.arrive(delivery)
            }
            for datagram in self.server?.takeOutgoing(now: self.now) ?? [] {
                isBusy = true
                self.network.send(datagram.bytes, from: datagram.source, to: datagram.destination, now: self.now)
            }
        }
    }

    /// Moves the clock to the next thing that is due, and does it.
    ///
    /// - Returns: `false` if nothing is due before `limit`; the clock stands there then.
    @discardableResult
    public func step(until limit: NIODeadline) -> Bool {
        self.settle()
        // SCTP's timers say nothing of when they are due: the clock never jumps over one of their ticks.
        let tick = self.sctpClock + .milliseconds(10)
        let due =
            [
                self.left.session.nextTimeout, self.right.session.nextTimeout, self.network.nextDelivery,
                self.server?.nextTimeout, tick,
            ].compactMap { $0 }.min() ?? limit
        guard due <= limit else {
            self.now = max(self.now, limit)
            return false
        }
        self.now = max(self.now, due)
        if self.now >= tick {
            let milliseconds = Int((self.now - self.sctpClock).nanoseconds / 1_000_000)
            self.sctpClock = self.sctpClock + .milliseconds(Int64(milliseconds))
            SCTPRuntime.advance(milliseconds: milliseconds)
        }
        if let server = self.server, let due = server.nextTimeout, due <= self.now {
            server.handleTimeout(now: self.now)
        }
        for peer in [self.left, self.right] {
            let woken = peer.wakes.isSet.withLock { flag in
                defer { flag = false }
                return flag
            }
            if woken || peer.session.nextTimeout.map({ $0 <= self.now }) == true {
                peer.session.handleTimeout(now: self.now)
            }
        }
        self.settle()
        return true
    }

    /// Lets virtual time pass until `condition` holds or `duration` is over.
    ///
    /// - Returns: Whether the condition holds.
    public func run(for duration: TimeAmount, until condition: () -> Bool = { false }) -> Bool {
        let limit = self.now + duration
        self.settle()
        while !condition() {
            guard self.step(until: limit) else { return condition() }
        }
        return true
    }

    /// Hands over what has come out of the network.
    private func arrive(_ delivery: SimulatedNetwork.Delivery) {
        if let server = self.server, server.owns(delivery.destination) {
            server.receive(delivery.bytes, from: delivery.source, to: delivery.destination, now: self.now)
            return
        }
        for peer in [self.left, self.right] {
            var local = delivery.destination
            if let nat = peer.nat {
                guard nat.behavior.mapping == nil || nat.outside.ip == local.ip,
                    let inner = nat.inbound(from: delivery.source, to: local)
                else { continue }
                local = inner
            }
            guard peer.addresses.contains(where: { $0.ip == local.ip }) else { continue }
            if let flow = peer.flowsByAddress[local] {
                guard peer.flows[flow]?.server == delivery.source else { continue }
                peer.session.receive(DatagramBatch(delivery.bytes), over: flow, now: self.now)
            } else if peer.addresses.contains(local) {
                let bytes = delivery.bytes.readableBytesSpan
                peer.session.receive(bytes, from: delivery.source, to: local, now: self.now)
            }
        }
    }

    /// Lets a peer send, through what stands in front of it.
    private func send(_ bytes: ByteBuffer, of peer: Peer, from source: TransportAddress, to target: TransportAddress) {
        var source = source
        // A host cannot send from an address that it has no longer.
        guard peer.addresses.contains(where: { $0.ip == source.ip }) else { return }
        if peer.nat != nil {
            guard let outer = peer.nat?.outbound(from: source, to: target) else { return }
            source = outer
        }
        self.network.send(bytes, from: source, to: target, now: self.now)
    }

    private func openFlow(_ id: ServerFlowID, _ target: ServerFlowTarget, of peer: Peer) {
        let transport: TransportAddress.Transport = target.transport == .udp ? .udp : .tcp
        guard self.server?.address == target.address, transport == .tcp || peer.nat?.behavior.passesUDP != false else {
            // Nothing tells a UDP socket that nobody is there.
            if transport == .tcp { peer.session.flowClosed(id, reason: "Nobody listens.", now: self.now) }
            if transport == .udp { peer.session.flowOpened(id, local: peer.addresses.first, now: self.now) }
            return
        }
        let local = (peer.addresses.first ?? peer.address).withPort(6_000 + UInt16(id.number)).over(transport)
        peer.flows[id] = (local, target.address.over(transport))
        peer.flowsByAddress[local] = id
        peer.session.flowOpened(id, local: local, now: self.now)
    }

    private func other(than peer: Peer) -> Peer { peer === self.left ? self.right : self.left }

    private func drain(_ peer: Peer) -> Bool {
        var didSomething = false
        while let output = peer.session.poll(now: self.now) {
            didSomething = true
            switch output {
            case .transmit(let batch, let source, let destination):
                batch.forEachDatagram { self.send($0, of: peer, from: source, to: destination) }
            case .transmitSTUN(let bytes, let source, let destination, _):
                self.send(bytes, of: peer, from: source, to: destination)
            case .gatherAddresses(let ufrag):
                peer.session.provideAddresses(
                    for: ufrag,
                    hosts: peer.addresses.map { ICEHostAddress(base: $0) },
                    now: self.now
                )
            case .resolve(let hostname):
                peer.session.provideResolution(of: hostname, addresses: [], now: self.now)
            case .resolveServer(let lookup):
                peer.session.provideServer(lookup, addresses: [], now: self.now)
            case .openFlow(let id, let target):
                self.openFlow(id, target, of: peer)
            case .transmitFlow(let id, let batch):
                guard let flow = peer.flows[id] else { break }
                batch.forEachDatagram { self.send($0, of: peer, from: flow.local, to: flow.server) }
            case .closeFlow(let id):
                if let flow = peer.flows.removeValue(forKey: id) { peer.flowsByAddress[flow.local] = nil }
            case .registerUfrag, .unregisterUfrag, .registerPath:
                break
            case .event(let event):
                peer.events.append(event)
                if peer.trickles, case .iceCandidate(let candidate) = event { self.pass(candidate, from: peer) }
            }
        }
        return didSomething
    }

    /// Hands a candidate to the other peer, when that knows the description it belongs to.
    private func pass(_ candidate: RTCIceCandidate?, from peer: Peer) {
        peer.inFlightCandidates.append(candidate)
        let other = self.other(than: peer)
        guard other.session.currentRemoteDescription ?? other.session.pendingRemoteDescription != nil else { return }
        let waiting = peer.inFlightCandidates
        peer.inFlightCandidates = []
        for candidate in waiting {
            // A candidate of a description that was rolled back meanwhile is of no use to anybody.
            try? other.session.addICECandidate(candidate?.toInit(), now: self.now)
        }
    }
}
