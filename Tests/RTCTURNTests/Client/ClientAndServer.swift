import NIOCore
import RTCBase
import RTCSTUN

@testable import RTCTURN

/// A client that faces a server core, in virtual time and without loss.
final class ClientAndServer {
    let client: TURNClient
    private(set) var server: TURNServerCore
    let address = TransportAddress(ipv4: 0xC000_0201, port: 4_000)
    let serverAddress = TransportAddress(ipv4: 0xCB00_7101, port: 3_478)
    private let configuration: TURNServerCoreConfiguration
    private let tuple: TURNFiveTuple
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    private(set) var events: [TURNClient.Event] = []
    private(set) var firstEventAt: NIODeadline?
    /// Whether the server hears nothing.
    var isDeaf = false
    /// What reached peers.
    var atPeers: [String] = []
    private(set) var received: [(text: String, peer: TransportAddress, relayed: TransportAddress)] = []
    /// The requests that the client sent.
    private(set) var sent: [(message: STUNMessage, hasValidIntegrity: Bool, usesSHA256: Bool)] = []
    var sentBytes: [[UInt8]] = []
    private var relays: [TURNRelayID: TransportAddress] = [:]
    private var nextPort: UInt16 = 50_000

    init(
        password: String = "password",
        isReliable: Bool = false,
        more: [String: String] = [:],
        _ adjust: (inout TURNServerCoreConfiguration) -> Void = { _ in }
    ) {
        var configuration = TURNServerCoreConfiguration()
        configuration.realm = "example.org"
        var users = more
        users["user"] = "password"
        configuration.authentication = .credentials(TURNCredentialSources(users: users))
        configuration.peerFilter.deniesSpecialRanges = false
        adjust(&configuration)
        self.configuration = configuration
        self.tuple = TURNFiveTuple(
            client: self.address,
            server: self.serverAddress,
            transport: isReliable ? .tcp : .udp
        )
        self.client = TURNClient(
            configuration: TURNClientConfiguration(username: "user", password: password, isReliable: isReliable),
            random: .seeded(5)
        )
        self.server = Self.makeServer(configuration, self.now)
        if isReliable { self.server.clientConnected(self.tuple, now: self.now) }
    }

    private static func makeServer(_ configuration: TURNServerCoreConfiguration, _ now: NIODeadline) -> TURNServerCore {
        TURNServerCore(
            configuration: configuration,
            ledger: TURNQuotaLedger(limits: TURNQuotaLedger.Limits()),
            random: .seeded(6),
            unixTime: 1_700_000_000,
            now: now
        )
    }

    func restartServer() {
        self.server = Self.makeServer(self.configuration, self.now)
        if self.tuple.transport.isStream { self.server.clientConnected(self.tuple, now: self.now) }
        self.relays = [:]
    }

    func send(_ text: String, to peer: TransportAddress) {
        self.client.send(DatagramBatch(ByteBuffer(string: text)), to: peer, now: self.now)
    }

    /// A peer sends to the first relay.
    func deliver(_ text: String, from peer: TransportAddress) {
        guard let relay = self.relays.keys.first,
            let delivery = self.server.deliver(relay, from: peer, count: text.utf8.count, now: self.now)
        else { return }
        var bytes = [UInt8](repeating: 0, count: delivery.headerSize)
        bytes.withUnsafeMutableBytes { delivery.writeHeader(to: $0, payloadCount: text.utf8.count) }
        bytes += Array(text.utf8)
        bytes += [UInt8](repeating: 0, count: delivery.paddingSize(forPayloadOf: text.utf8.count))
        self.toClient(bytes)
    }

    private func toClient(_ bytes: [UInt8]) {
        guard case .data(let range, let peer, let relayed) = self.client.receive(bytes.span.bytes, now: self.now) else {
            return
        }
        self.received.append((String(decoding: bytes[range], as: UTF8.self), peer, relayed))
    }

    /// Lets both say all they have to say.
    func run() {
        var isBusy = true
        while isBusy {
            isBusy = false
            while let output = self.client.poll() {
                isBusy = true
                switch output {
                case .transmit(let batch): self.toServer(batch)
                case .event(let event):
                    self.firstEventAt = self.firstEventAt ?? self.now
                    self.events.append(event)
                }
            }
            while let output = self.server.poll() {
                isBusy = true
                self.handle(output)
            }
        }
    }

    /// What the client has to say reaches the server, and the answers come back; what follows from those waits.
    func step() {
        while let output = self.client.poll() {
            if case .transmit(let batch) = output { self.toServer(batch) }
        }
        while let output = self.server.poll() { self.handle(output) }
    }

    private func toServer(_ batch: DatagramBatch) {
        let bytes = Array(batch.bytes.readableBytesView)
        self.sentBytes.append(bytes)
        if let message = STUNMessage(bytes.span.bytes), message.messageClass == .request {
            let attributes = TURNAttributes(of: message, in: bytes.span.bytes)
            let algorithm = attributes.passwordAlgorithm ?? .md5
            let credential = STUNLongTermCredential(username: "user", realm: "example.org", password: "password")
            let key = credential?.integrityKey(algorithm)
            self.sent.append(
                (
                    message,
                    key.map { message.hasValidIntegrity(in: bytes.span.bytes, key: $0) } ?? false,
                    attributes.hasMessageIntegritySHA256
                )
            )
        }
        guard !self.isDeaf, let forward = self.server.receive(bytes.span.bytes, from: self.tuple, now: self.now) else {
            return
        }
        self.atPeers.append(String(decoding: bytes[forward.payload], as: UTF8.self))
    }

    private func handle(_ output: TURNServerOutput) {
        switch output {
        case .send(let bytes, _, _):
            self.toClient(Array(bytes.readableBytesView))
        case .openRelay(let request):
            let ip =
                request.family == .ipv4
                ? TransportAddress(ipv4: 0xCB00_7101, port: self.nextPort)
                : TransportAddress(ipv6High: 0x2001_0DB8_0000_0000, low: 1, port: self.nextPort)
            self.nextPort += 1
            self.relays[request.id] = ip
            self.server.relayOpened(request.id, at: ip, now: self.now)
        case .closeRelay(let id):
            self.relays[id] = nil
        default:
            break
        }
    }

    /// Lets time pass.
    func run(for duration: TimeAmount) {
        let end = self.now + duration
        self.run()
        while let due = [self.client.nextTimeout, self.server.nextTimeout].compactMap({ $0 }).min(), due <= end {
            self.now = max(self.now, due)
            self.client.handleTimeout(now: self.now)
            self.server.handleTimeout(now: self.now)
            self.run()
        }
        self.now = end
    }
}
