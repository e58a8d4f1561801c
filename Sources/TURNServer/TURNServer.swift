public import Logging
public import NIOCore
public import NIOPosix
internal import NIOSSL
public import RTCBase
internal import RTCSockets
public import RTCTURN

/// A STUN and TURN server to embed: RFC 8656 over UDP, TCP and TLS, RFC 6062, RFC 8489 and RFC 5780.
///
/// UDP and relays are served by threads of its own, connections over TCP and TLS by event loops. All methods may be called
/// from anywhere. Linux only: elsewhere ``start(_:logger:eventLoopGroup:)`` throws.
public final class TURNServer: Sendable {
    /// An address that the server listens on.
    public struct Address: Sendable, Hashable {
        /// The transport.
        public let transport: TURNTransport
        /// The address, with the port that the system chose.
        public let address: TransportAddress
    }

    /// Where the server listens.
    public let addresses: [Address]
    /// How it was configured.
    public let configuration: TURNServerConfiguration

    private let mailboxes: [ShardMailbox]
    private let ledger: TURNQuotaLedger
    private let reservedPorts: ReservedPorts
    private let threads: NIOThreadPool
    private let ends: [EventLoopFuture<Void>]
    private let channels: [any Channel]
    private let group: any EventLoopGroup

    private init(
        configuration: TURNServerConfiguration,
        addresses: [Address],
        mailboxes: [ShardMailbox],
        ledger: TURNQuotaLedger,
        reservedPorts: ReservedPorts,
        threads: NIOThreadPool,
        ends: [EventLoopFuture<Void>],
        channels: [any Channel],
        group: any EventLoopGroup
    ) {
        self.configuration = configuration
        self.addresses = addresses
        self.mailboxes = mailboxes
        self.ledger = ledger
        self.reservedPorts = reservedPorts
        self.threads = threads
        self.ends = ends
        self.channels = channels
        self.group = group
    }

    /// Starts a server.
    ///
    /// - Parameter eventLoopGroup: For TCP and TLS; the process's own by default.
    /// - Throws: ``TURNServerConfigurationError`` if the configuration cannot be served, ``TURNServerStartError`` if an address
    ///   cannot be listened on or the process has too few descriptors.
    public static func start(
        _ configuration: TURNServerConfiguration,
        logger: Logger = Logger(label: "TURNServer"),
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws -> TURNServer {
        let valid = try configuration.validated()
        ProcessLimits.raiseFileLimit()
        let mailboxes = try (0..<valid.threads).map { _ in
            try Self.explain("a thread") { try ShardMailbox() }
        }
        let bound = try BoundListeners.bind(valid)
        let services = StreamServices(
            group: eventLoopGroup,
            mailboxes: mailboxes,
            places: ConnectionPlaces(
                limit: configuration.connections,
                limitPerNetwork: configuration.connectionsPerAddress
            )
        )
        var channels: [any Channel] = []
        var addresses = bound.addresses.map { Address(transport: .udp, address: $0) }
        do {
            for (listener, address) in try BoundListeners.streams(configuration) {
                let tls = try listener.tls.map { try NIOSSLContext(configuration: $0) }
                let channel = try await services.listen(on: address, listener.transport, tls: tls)
                channels.append(channel)
                let local = channel.localAddress.flatMap { TransportAddress($0) } ?? address
                addresses.append(Address(transport: listener.transport, address: local))
            }
        } catch {
            bound.close()
            for channel in channels { try? await channel.close() }
            throw TURNServerStartError(description: "a listener could not be opened: \(error)")
        }
        let threads = NIOThreadPool(numberOfThreads: valid.threads)
        threads.start()
        let ledger = TURNQuotaLedger(limits: configuration.limits)
        let reservedPorts = ReservedPorts()
        var random = RandomSource.system
        let secret = random.bytes(count: 32)
        let servers = addresses.map(\.address)
        let started = mailboxes.map { _ in eventLoopGroup.next().makePromise(of: Void.self) }
        let ends = mailboxes.enumerated().map { index, mailbox in
            var core = valid.core(index: index, secret: secret, servers: servers)
            core.otherAddresses = bound.otherAddresses
            let setting = TURNShard.Setting(
                index: index,
                configuration: valid,
                core: core,
                ledger: ledger,
                reservedPorts: reservedPorts,
                mailbox: mailbox,
                streams: services,
                listeners: bound.sockets[index],
                logger: logger
            )
            return threads.runIfActive(eventLoop: eventLoopGroup.next()) {
                do {
                    let shard = try TURNShard(setting)
                    started[index].succeed()
                    shard.run()
                } catch {
                    // The process has no file descriptor or memory left for a thread's own.
                    for message in mailbox.close() { TURNShard.refuse(message, TURNServerCounters()) }
                    for socket in setting.listeners { socket.close() }
                    started[index].fail(error)
                }
            }
        }
        let server = TURNServer(
            configuration: configuration,
            addresses: addresses,
            mailboxes: mailboxes,
            ledger: ledger,
            reservedPorts: reservedPorts,
            threads: threads,
            ends: ends,
            channels: channels,
            group: eventLoopGroup
        )
        do {
            for promise in started { try await promise.futureResult.get() }
        } catch {
            await server.shutdown()
            throw TURNServerStartError(description: "a thread could not be started: \(error)")
        }
        return server
    }

    /// How many allocations there are.
    public var allocationCount: Int { self.ledger.allocationCount }

    /// What all threads have counted.
    public func counters() async -> TURNServerCounters {
        var sum = TURNServerCounters()
        for mailbox in self.mailboxes {
            let promise = self.group.next().makePromise(of: TURNServerCounters.self)
            guard mailbox.post(.count(promise)) else {
                promise.succeed(TURNServerCounters())
                continue
            }
            if let counters = try? await promise.futureResult.get() { sum.add(counters) }
        }
        return sum
    }

    /// Mints a time-limited credential with the first shared secret, `nil` if there is none.
    ///
    /// - Parameters:
    ///   - user: Who it is for; quotas count by this.
    ///   - lifetime: How long allocations can be made with it.
    public func mintCredential(for user: String, lifetime: Duration = .seconds(86_400)) -> TURNRESTCredential? {
        guard let secret = self.configuration.sharedSecrets.first else { return nil }
        let expiresAt = WallClock.unixSeconds() + lifetime.components.seconds
        return TURNRESTCredential(user: user, secret: secret, expiresAt: expiresAt)
    }

    /// The URIs of the server, as `RTCIceServer.urls` takes them (RFC 7064, RFC 7065).
    ///
    /// - Parameter host: A name in place of the addresses; TLS clients need the one that the certificate has.
    public func uris(host: String? = nil) -> [String] {
        let relays = !self.configuration.relayAddresses.isEmpty
        return self.addresses.map { listening in
            let address = listening.address
            let authority = host.map { "\($0):\(address.port)" } ?? address.description
            switch listening.transport {
            case .udp: return relays ? "turn:\(authority)?transport=udp" : "stun:\(authority)"
            case .tcp: return relays ? "turn:\(authority)?transport=tcp" : "stun:\(authority)?transport=tcp"
            case .tls: return relays ? "turns:\(authority)?transport=tcp" : "stuns:\(authority)"
            }
        }
    }

    /// Takes no new allocations, and returns when the last one has ended or `deadline` has passed.
    ///
    /// - Returns: How many allocations are left.
    @discardableResult
    public func drain(deadline: NIODeadline) async -> Int {
        let loop = self.group.next()
        let drained = self.mailboxes.compactMap { mailbox -> EventLoopFuture<Void>? in
            let promise = loop.makePromise(of: Void.self)
            if mailbox.post(.drain(promise)) { return promise.futureResult }
            promise.succeed()
            return nil
        }
        let done = loop.makePromise(of: Void.self)
        let timer = loop.scheduleTask(deadline: deadline) { done.succeed() }
        EventLoopFuture.andAllComplete(drained, on: loop).whenComplete { _ in done.succeed() }
        try? await done.futureResult.get()
        timer.cancel()
        return self.allocationCount
    }

    /// Ends every allocation and stops. Nothing can be started again.
    public func shutdown() async {
        for channel in self.channels { try? await channel.close() }
        for mailbox in self.mailboxes { mailbox.post(.close) }
        for end in self.ends { try? await end.get() }
        self.reservedPorts.closeAll()
        try? await self.threads.shutdownGracefully()
    }

    private static func explain<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
        do {
            return try body()
        } catch {
            throw TURNServerStartError(description: "\(what) could not be started: \(error)")
        }
    }
}

extension TURNServerCounters {
    mutating func add(_ other: TURNServerCounters) {
        self.requests += other.requests
        self.successes += other.successes
        self.errors.merge(other.errors, uniquingKeysWith: +)
        self.bindings += other.bindings
        self.allocations += other.allocations
        self.datagramsToPeers += other.datagramsToPeers
        self.bytesToPeers += other.bytesToPeers
        self.datagramsToClients += other.datagramsToClients
        self.bytesToClients += other.bytesToClients
        self.malformed += other.malformed
        self.strangers += other.strangers
        self.unpermitted += other.unpermitted
        self.overBandwidth += other.overBandwidth
        self.suppressedResponses += other.suppressedResponses
        self.authenticationsDropped += other.authenticationsDropped
        self.unsent += other.unsent
        self.slowReaders += other.slowReaders
        self.stalledReaders += other.stalledReaders
    }
}
