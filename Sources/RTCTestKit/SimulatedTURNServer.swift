public import NIOCore
public import RTCBase
import RTCTURN

/// A STUN and TURN server in memory, in virtual time.
public final class SimulatedTURNServer {
    /// A datagram that the server sends.
    public struct Datagram: Sendable {
        /// What it is.
        public var bytes: ByteBuffer
        /// The server's address, or one of its relays'.
        public var source: TransportAddress
        /// Whom it is for.
        public var destination: TransportAddress
    }

    /// The address that clients ask.
    public let address: TransportAddress
    /// The user name that it knows.
    public static let username = "user"
    /// The password.
    public static let password = "password"
    /// Whether nothing is answered.
    public var isDead = false

    private var core: TURNServerCore
    private let configuration: TURNServerCoreConfiguration
    private let seed: UInt64
    private var relays: [TransportAddress: TURNRelayID] = [:]
    private var addresses: [TURNRelayID: TransportAddress] = [:]
    private var nextPort: UInt16 = 50_000
    private var connected: Set<TURNFiveTuple> = []
    private var outgoing: [Datagram] = []

    /// A server.
    ///
    /// - Parameter lifetime: How long allocations, permissions aside, last at most, in seconds.
    public init(
        at address: TransportAddress,
        seed: UInt64,
        lifetime: Int64 = 600,
        nonceLifetime: TimeAmount = .minutes(10),
        offersSHA256: Bool = true,
        now: NIODeadline
    ) {
        var configuration = TURNServerCoreConfiguration()
        configuration.realm = "example.org"
        configuration.authentication = .credentials(TURNCredentialSources(users: [Self.username: Self.password]))
        configuration.defaultLifetime = lifetime
        configuration.maximumLifetime = lifetime
        configuration.nonceLifetime = nonceLifetime
        configuration.offersPasswordAlgorithms = offersSHA256
        configuration.nonceSecret = [1, 2, 3, 4]
        configuration.peerFilter.deniesSpecialRanges = false
        self.configuration = configuration
        self.seed = seed
        self.address = address
        self.core = Self.makeCore(configuration, seed, now)
    }

    private static func makeCore(
        _ configuration: TURNServerCoreConfiguration,
        _ seed: UInt64,
        _ now: NIODeadline
    ) -> TURNServerCore {
        TURNServerCore(
            configuration: configuration,
            ledger: TURNQuotaLedger(limits: TURNQuotaLedger.Limits()),
            random: .seeded(seed),
            unixTime: 1_700_000_000,
            now: now
        )
    }

    /// How many allocations there are.
    public var allocationCount: Int { self.core.allocationCount }

    /// Forgets everything, as a server does that is started anew.
    public func restart(now: NIODeadline) {
        self.core = Self.makeCore(self.configuration, self.seed &+ 1, now)
        self.relays = [:]
        self.addresses = [:]
        self.connected = []
    }

    /// Whether a datagram is for the server or one of its relays.
    public func owns(_ address: TransportAddress) -> Bool {
        address.over(.udp) == self.address || self.relays[address] != nil
    }

    /// Takes a datagram; what it sends for it comes from ``takeOutgoing(now:)``.
    public func receive(
        _ bytes: ByteBuffer,
        from source: TransportAddress,
        to destination: TransportAddress,
        now: NIODeadline
    ) {
        guard !self.isDead else { return }
        if let relay = self.relays[destination] {
            return self.deliver(bytes, from: source, to: relay, now: now)
        }
        let client = TURNFiveTuple(
            client: source,
            server: destination,
            transport: destination.transport == .tcp ? .tcp : .udp
        )
        guard client.transport.isStream else { return self.take(bytes, from: client, now: now) }
        if self.connected.insert(client).inserted { self.core.clientConnected(client, now: now) }
        // A stream arrives here as it was written: whole messages.
        var decoder = TURNStreamDecoder()
        decoder.append(bytes)
        while true {
            switch decoder.next() {
            case .stun(let message), .channelData(let message): self.take(message, from: client, now: now)
            case .incomplete, .broken: return
            }
        }
    }

    private func take(_ message: ByteBuffer, from client: TURNFiveTuple, now: NIODeadline) {
        let forward = self.core.receive(message.readableBytesSpan, from: client, now: now)
        guard let forward, let relay = self.addresses[forward.relay],
            let payload = message.getSlice(
                at: message.readerIndex + forward.payload.lowerBound,
                length: forward.payload.count
            )
        else { return }
        self.outgoing.append(Datagram(bytes: payload, source: relay, destination: forward.peer))
    }

    private func deliver(_ bytes: ByteBuffer, from peer: TransportAddress, to relay: TURNRelayID, now: NIODeadline) {
        let count = bytes.readableBytes
        guard let delivery = self.core.deliver(relay, from: peer, count: count, now: now) else { return }
        var buffer = ByteBuffer()
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: delivery.headerSize) { target in
            let header = UnsafeMutableRawBufferPointer(rebasing: target[..<delivery.headerSize])
            delivery.writeHeader(to: header, payloadCount: count)
            return delivery.headerSize
        }
        buffer.writeImmutableBuffer(bytes)
        buffer.writeRepeatingByte(0, count: delivery.paddingSize(forPayloadOf: count))
        self.outgoing.append(
            Datagram(bytes: buffer, source: delivery.client.server, destination: delivery.client.client)
        )
    }

    /// What the server has to send.
    public func takeOutgoing(now: NIODeadline) -> [Datagram] {
        while let output = self.core.poll() {
            switch output {
            case .send(let bytes, let client, _):
                self.outgoing.append(Datagram(bytes: bytes, source: client.server, destination: client.client))
            case .openRelay(let request) where request.family == .ipv4:
                let relay = self.address.withPort(self.nextPort)
                self.nextPort += 1
                self.relays[relay] = request.id
                self.addresses[request.id] = relay
                self.core.relayOpened(request.id, at: relay, now: now)
            case .openRelay(let request):
                self.core.relayFailed(request.id, .addressFamilyNotSupported, now: now)
            case .closeRelay(let id):
                if let relay = self.addresses.removeValue(forKey: id) { self.relays[relay] = nil }
            case .closeClient(let client): self.connected.remove(client)
            default:
                break
            }
        }
        defer { self.outgoing = [] }
        return self.isDead ? [] : self.outgoing
    }

    /// When ``handleTimeout(now:)`` is due.
    public var nextTimeout: NIODeadline? { self.core.nextTimeout }

    /// Does what is due.
    public func handleTimeout(now: NIODeadline) { self.core.handleTimeout(now: now) }
}
