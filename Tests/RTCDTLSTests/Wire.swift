import NIOCore
import RTCBase
import RTCDTLS

/// Two connections and the datagrams between them.
final class Wire {
    enum Side: Int, CaseIterable, Sendable {
        case client = 0
        case server = 1
        var other: Side { self == .client ? .server : .client }
    }

    let connections: [DTLSConnection]
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var events: [[DTLSConnection.Event]] = [[], []]
    var received: [[[UInt8]]] = [[], []]
    var inFlight: [(to: Side, bytes: [UInt8])] = []
    /// Decides what becomes of the datagrams one side just sent.
    var tamper: (Side, [[UInt8]]) -> [[UInt8]] = { _, datagrams in datagrams }

    var client: DTLSConnection { self.connections[0] }
    var server: DTLSConnection { self.connections[1] }

    init(client: DTLSConnection, server: DTLSConnection) {
        self.connections = [client, server]
    }

    convenience init(
        client: DTLSCertificate = Samples.ecdsa,
        server: DTLSCertificate = Samples.otherECDSA,
        clientConfiguration: DTLSConfiguration = .init(),
        serverConfiguration: DTLSConfiguration = .init(),
        clientKnows: [DTLSFingerprint]?? = .none,
        serverKnows: [DTLSFingerprint]?? = .none
    ) throws {
        let clientContext = try DTLSContext(certificate: client, configuration: clientConfiguration)
        let serverContext = try DTLSContext(certificate: server, configuration: serverConfiguration)
        let forClient: [DTLSFingerprint]? = clientKnows ?? [server.fingerprint()]
        let forServer: [DTLSFingerprint]? = serverKnows ?? [client.fingerprint()]
        self.init(
            client: try DTLSConnection(context: clientContext, role: .client, remoteFingerprints: forClient),
            server: try DTLSConnection(context: serverContext, role: .server, remoteFingerprints: forServer)
        )
    }

    func connection(_ side: Side) -> DTLSConnection { self.connections[side.rawValue] }

    func start() {
        self.server.start(now: self.now)
        self.client.start(now: self.now)
    }

    func startInRealTime() {
        self.now = .now()
        self.start()
    }

    /// Takes what both sides have to say.
    func collect() {
        for side in Side.allCases {
            var sent: [[UInt8]] = []
            while let output = self.connection(side).poll() {
                switch output {
                case .transmit(let batch):
                    batch.forEachDatagram { sent.append(Array($0.readableBytesView)) }
                case .event(let event):
                    self.events[side.rawValue].append(event)
                }
            }
            guard !sent.isEmpty else { continue }
            for datagram in self.tamper(side, sent) { self.inFlight.append((side.other, datagram)) }
        }
    }

    func give(_ datagram: [UInt8], to side: Side) {
        datagram.withUnsafeBytes { bytes in
            self.connection(side).receive(bytes.bytes, now: self.now) { record in
                self.received[side.rawValue].append(record.withUnsafeBytes { Array($0) })
            }
        }
    }

    /// Carries datagrams until nothing is under way.
    func settle(rounds: Int = 200) {
        for _ in 0..<rounds {
            self.collect()
            guard !self.inFlight.isEmpty else { return }
            let arriving = self.inFlight
            self.inFlight = []
            for (side, datagram) in arriving { self.give(datagram, to: side) }
        }
    }

    /// Carries datagrams and fires timers, in real time because the retransmission clock is OpenSSL's.
    func run(for limit: TimeAmount = .seconds(10), until done: () -> Bool) {
        let begin = NIODeadline.now()
        while !done(), NIODeadline.now() - begin < limit {
            self.now = NIODeadline.now()
            for connection in self.connections {
                if let due = connection.nextTimeout, due <= self.now { connection.handleTimeout(now: self.now) }
            }
            self.settle(rounds: 1)
        }
    }

    func connect() {
        self.start()
        self.settle()
    }

    var areConnected: Bool { self.client.state == .connected && self.server.state == .connected }

    func states(_ side: Side) -> [DTLSConnection.State] {
        self.events[side.rawValue].compactMap { if case .stateChanged(let state) = $0 { state } else { nil } }
    }

    func send(_ bytes: [UInt8], from side: Side) throws {
        try bytes.withUnsafeBytes { try self.connection(side).send($0.bytes) }
    }
}

/// Certificates made once: RSA keys take their time.
enum Samples {
    static let ecdsa = Self.make(.ecdsaP256)
    static let otherECDSA = Self.make(.ecdsaP256)
    static let rsa = Self.make(.rsa(bits: 2048))
    static let otherRSA = Self.make(.rsa(bits: 2048))

    private static func make(_ kind: DTLSCertificate.KeyKind) -> DTLSCertificate {
        do {
            return try DTLSCertificate.generate(kind)
        } catch {
            fatalError("no certificate: \(error)")
        }
    }
}
