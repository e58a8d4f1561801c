import NIOCore
import RTCBase
import RTCSTUN
import Testing

@testable import RTCTURN

/// A core with a driver that binds relays at once, in virtual time.
final class VirtualServer {
    static let serverAddress = address("198.18.0.1", 3478)
    static let peer = address("8.8.8.8", 5_000)
    static let relayIP = "9.9.9.9"

    let core: TURNServerCore
    let ledger: TURNQuotaLedger
    private(set) var now = NIODeadline.uptimeNanoseconds(1_000_000_000_000)
    let unixTime: Int64 = 1_700_000_000
    /// What the core sent, newest last.
    var sent: [(bytes: [UInt8], client: TURNFiveTuple, origin: TransportAddress)] = []
    var questions: [TURNAuthenticationRequest] = []
    var cancelledQuestions: [UInt64] = []
    var relays: [TURNRelayID: TransportAddress] = [:]
    var reserved: [UInt64: TransportAddress] = [:]
    var connecting: [(connection: UInt32, peer: TransportAddress)] = []
    var joined: [UInt32] = []
    var closedConnections: [UInt32] = []
    var closedClients: [TURNFiveTuple] = []
    var ends: [TURNAllocationEnd] = []
    /// The error that the driver answers with for a family, in place of a relay.
    var relayErrors: [TransportAddress.Family: TURNErrorCode] = [:]
    /// Whether the driver keeps the core waiting for relays.
    var holdsRelays = false
    private var nextPort: UInt16 = 50_000

    static func address(_ ip: String, _ port: UInt16) -> TransportAddress {
        TransportAddress(ip: ip, port: port) ?? TransportAddress(ipv4: 0, port: 0)
    }

    static func client(_ number: UInt16 = 1, _ transport: TURNTransport = .udp) -> TURNFiveTuple {
        TURNFiveTuple(
            client: self.address("1.2.3.4", 10_000 + number),
            server: self.serverAddress,
            transport: transport
        )
    }

    static func standard() -> TURNServerCoreConfiguration {
        var configuration = TURNServerCoreConfiguration()
        configuration.authentication = .credentials(
            TURNCredentialSources(users: ["alice": "wonder", "bob": "builder"])
        )
        configuration.realm = "example.org"
        configuration.relayFamilies = [.ipv4, .ipv6]
        configuration.nonceSecret = [1, 2, 3]
        return configuration
    }

    init(
        _ configuration: TURNServerCoreConfiguration = VirtualServer.standard(),
        limits: TURNQuotaLedger.Limits = .init()
    ) {
        self.ledger = TURNQuotaLedger(limits: limits)
        self.core = TURNServerCore(
            configuration: configuration,
            ledger: self.ledger,
            random: .seeded(7),
            unixTime: self.unixTime,
            now: self.now
        )
    }

    @discardableResult
    func receive(_ bytes: [UInt8], from client: TURNFiveTuple) -> TURNForward? {
        let forward = self.core.receive(bytes.span.bytes, from: client, now: self.now)
        self.drain()
        return forward
    }

    func advance(seconds: Int64) {
        let end = self.now + .seconds(seconds)
        while let due = self.core.nextTimeout, due <= end {
            self.now = max(self.now, due)
            self.core.handleTimeout(now: self.now)
            self.drain()
        }
        self.now = end
    }

    func drain() {
        while let output = self.core.poll() { self.handle(output) }
    }

    private func handle(_ output: TURNServerOutput) {
        switch output {
        case .send(let message, let client, let origin): self.sent.append((message.bytes, client, origin))
        case .authenticate(let question): self.questions.append(question)
        case .cancelAuthentication(let id): self.cancelledQuestions.append(id)
        case .openRelay(let request): self.open(request)
        case .closeRelay(let id): self.relays[id] = nil
        case .releaseReservation(let token): self.reserved[token] = nil
        case .connectPeer(let connection, _, let peer): self.connecting.append((connection, peer))
        case .joinConnections(_, let connection): self.joined.append(connection)
        case .closePeerConnection(let connection): self.closedConnections.append(connection)
        case .closeClient(let client): self.closedClients.append(client)
        case .allocated: break
        case .deallocated(_, let reason): self.ends.append(reason)
        }
    }

    private func open(_ request: TURNRelayRequest) {
        if self.holdsRelays { return }
        if let code = self.relayErrors[request.family] {
            return self.core.relayFailed(request.id, code, now: self.now)
        }
        var port = self.nextPort
        var family = request.family
        switch request.port {
        case .any: break
        case .even: port += port % 2
        case .evenReservingNext(let token):
            port += port % 2
            self.reserved[token] = Self.address(family == .ipv4 ? Self.relayIP : "2600::9", port + 1)
        case .reserved(let token):
            guard let reserved = self.reserved.removeValue(forKey: token) else {
                return self.core.relayFailed(request.id, now: self.now)
            }
            port = reserved.port
            family = reserved.family
        }
        self.nextPort = max(self.nextPort, port) + 2
        let address = Self.address(family == .ipv4 ? Self.relayIP : "2600::9", port)
        self.relays[request.id] = address
        self.core.relayOpened(request.id, at: address, now: self.now)
    }
}

/// A client that knows how to ask.
final class VirtualClient {
    let server: VirtualServer
    let tuple: TURNFiveTuple
    var username: String
    var password: String
    var algorithm: STUNPasswordAlgorithm?
    var sendsUserhash = false
    var nonce: String?
    private var nextID: UInt64

    init(
        _ server: VirtualServer,
        _ tuple: TURNFiveTuple = VirtualServer.client(),
        _ username: String = "alice",
        _ password: String = "wonder"
    ) {
        self.server = server
        self.tuple = tuple
        self.username = username
        self.password = password
        self.nextID = UInt64(tuple.client.port) << 32
    }

    var credential: STUNLongTermCredential {
        STUNLongTermCredential(username: self.username, realm: "example.org", password: self.password)!
    }

    func newID() -> STUNTransactionID {
        self.nextID += 1
        return STUNTransactionID(high: self.nextID, low: 5)
    }

    /// The bytes of a request, with credentials once there is a nonce.
    func request(
        _ method: STUNMethod,
        _ id: STUNTransactionID? = nil,
        _ build: (inout STUNMessageBuilder) -> Void = { _ in }
    ) -> [UInt8] {
        var builder = STUNMessageBuilder(.request, method, id ?? self.newID())
        build(&builder)
        if let nonce = self.nonce {
            if self.sendsUserhash {
                builder.append(.userhash, bytes: self.credential.userhash)
            } else {
                builder.append(.username, text: self.username)
            }
            builder.append(.realm, text: "example.org")
            builder.append(.nonce, text: nonce)
            if let algorithm = self.algorithm {
                builder.appendPasswordAlgorithms([.sha256, .md5])
                builder.appendPasswordAlgorithm(algorithm)
            }
            builder.appendIntegrity(
                self.credential.integrityKey(self.algorithm ?? .md5),
                sha256: self.algorithm == .sha256
            )
        }
        return builder.finish().bytes
    }

    /// Sends and returns the answer.
    @discardableResult
    func send(_ bytes: [UInt8]) -> ReadMessage? {
        self.server.sent.removeAll()
        self.server.receive(bytes, from: self.tuple)
        return self.server.sent.last.flatMap { ReadMessage($0.bytes) }
    }

    /// Asks, with one more try when a nonce is due.
    @discardableResult
    func ask(
        _ method: STUNMethod,
        _ build: (inout STUNMessageBuilder) -> Void = { _ in }
    ) -> ReadMessage? {
        let answer = self.send(self.request(method, nil, build))
        guard let answer, self.nonce == nil, answer.message.errorCode == 401 else { return answer }
        self.nonce = answer.nonce
        return self.send(self.request(method, nil, build))
    }

    /// Allocates; a relay for UDP unless `build` says otherwise.
    @discardableResult
    func allocate(
        _ transport: TURNRelayTransport = .udp,
        _ build: (inout STUNMessageBuilder) -> Void = { _ in }
    ) -> ReadMessage? {
        self.ask(.allocate) { builder in
            builder.appendRequestedTransport(transport)
            build(&builder)
        }
    }

    @discardableResult
    func permit(_ peers: TransportAddress...) -> ReadMessage? {
        self.ask(.createPermission) { builder in
            for peer in peers { builder.append(.xorPeerAddress, address: peer) }
        }
    }

    @discardableResult
    func bind(_ channel: UInt16, _ peer: TransportAddress) -> ReadMessage? {
        self.ask(.channelBind) { builder in
            builder.append(.channelNumber, integer: UInt32(channel) << 16)
            builder.append(.xorPeerAddress, address: peer)
        }
    }

    func refresh(_ seconds: UInt32) -> ReadMessage? {
        self.ask(.refresh) { $0.appendLifetime(seconds) }
    }

    func sendIndication(_ data: [UInt8], to peer: TransportAddress) -> [UInt8] {
        var builder = STUNMessageBuilder(.indication, .send, self.newID())
        builder.append(.xorPeerAddress, address: peer)
        builder.append(.data, bytes: data)
        return builder.finish().bytes
    }

    func channelData(_ data: [UInt8], on channel: UInt16) -> [UInt8] {
        [UInt8(channel >> 8), UInt8(channel & 0xFF), UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
    }
}

extension ReadMessage {
    var isSuccess: Bool { self.message.messageClass == .successResponse }
    var code: Int? { self.message.errorCode }
}

extension VirtualClient {
    /// A client that a server of its own knows.
    static func fresh(
        _ transport: TURNTransport = .udp,
        _ change: (inout TURNServerCoreConfiguration) -> Void = { _ in }
    ) -> VirtualClient {
        var configuration = VirtualServer.standard()
        change(&configuration)
        let client = VirtualClient(VirtualServer(configuration), VirtualServer.client(1, transport))
        client.server.core.clientConnected(client.tuple, now: client.server.now)
        return client
    }

    /// The same, with an allocation.
    static func allocated(
        _ transport: TURNTransport = .udp,
        _ relay: TURNRelayTransport = .udp,
        _ change: (inout TURNServerCoreConfiguration) -> Void = { _ in }
    ) -> VirtualClient {
        let client = Self.fresh(transport, change)
        #expect(client.allocate(relay)?.isSuccess == true)
        return client
    }
}
