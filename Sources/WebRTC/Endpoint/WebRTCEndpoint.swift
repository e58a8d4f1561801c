public import Logging
public import NIOCore
import NIOPosix
public import RTCBase
public import RTCCore
import Synchronization

/// All connections of a process on one UDP port.
///
/// The endpoint binds its port once for each event loop and local address; a connection lives on one of the loops and shares its sockets with
/// the others there. One open port in a firewall is all that a server needs.
///
/// ```swift
/// var configuration = WebRTCEndpoint.Configuration()
/// configuration.port = 3478
/// let endpoint = try await WebRTCEndpoint.bind(configuration)
/// let connection = try endpoint.makePeerConnection()
/// ```
///
/// Two endpoints cannot have two connections with each other at once: DTLS datagrams between the same two addresses say nothing of
/// the connection they belong to. Clients of an endpoint use ports of their own.
public final class WebRTCEndpoint: Sendable {
    /// What an endpoint is configured with.
    public struct Configuration: Sendable {
        /// The UDP port. Default 0: the system chooses one.
        public var port: UInt16 = 0
        /// Which local addresses are used and announced.
        public var addressPolicy = RTCAddressPolicy.defaults
        /// What the endpoint may keep.
        public var limits = Limits()
        /// Where the endpoint logs to.
        public var logger: Logger?

        /// The defaults.
        public init() {}
    }

    /// What an endpoint may keep on behalf of its peers.
    public struct Limits: Sendable, Hashable {
        /// The most connections at once. Default 100,000.
        public var connections = 100_000
        /// The most STUN requests without an answer, over all connections of one event loop. Default 65,536.
        public var pendingTransactions = 65_536

        /// The defaults.
        public init() {}
    }

    /// What an endpoint counted.
    public struct Counters: Sendable, Hashable {
        /// Datagrams that belong to no connection.
        public var unroutable: UInt64 = 0
        /// Datagrams that peers on TCP read too slowly for; of connections that have ended.
        public var droppedOverTCP: UInt64 = 0

        /// All zero.
        public init() {}
    }

    private struct State {
        var next = 0
        var isClosed = false
    }

    /// The UDP port that all connections share.
    public let port: UInt16
    private let configuration: Configuration
    private let certificate: SharedCertificate
    private let eventLoops: [any EventLoop]
    private let shards: [NIOLoopBound<UDPShard>]
    /// Kept for the shards, which hold it weakly because it holds them.
    private let table: ShardTable
    private let connectionCounter: ConnectionCounter
    private let state = Mutex(State())

    // MARK: Making one

    /// Binds an endpoint.
    ///
    /// - Parameters:
    ///   - configuration: Port, addresses, limits.
    ///   - group: The event loops to use, one shard on each. Default: all of the process's own.
    ///   - certificate: What its connections identify with when their configuration names nothing. Default: a new one.
    /// - Throws: `RTCError` for a bad configuration, or `RTCError.Code.network` if no socket can be bound.
    public static func bind(
        _ configuration: Configuration = Configuration(),
        group: (any EventLoopGroup)? = nil,
        certificate: RTCCertificate? = nil
    ) async throws(RTCError) -> WebRTCEndpoint {
        try configuration.addressPolicy.validate()
        let identity: SharedCertificate
        if let certificate {
            identity = try SharedCertificate(certificate)
        } else {
            identity = try SharedCertificate(try RTCCertificate.generate())
        }
        let loops = Array((group ?? MultiThreadedEventLoopGroup.singleton).makeIterator())
        let addresses = configuration.addressPolicy.localAddresses()
        guard !addresses.isEmpty else { throw RTCError(.network, "there is no local address to bind to") }
        let table = ShardTable()
        let shards = loops.enumerated().map { index, loop in
            table.makeShard(index: index, loop: loop, configuration: configuration)
        }
        do {
            let port = try await Self.bindAll(shards: shards, addresses: addresses, configuration)
            let bound = try await Self.collect(shards)
            let isOneOfMany = shards.count > 1
            for (shard, loop) in zip(bound, loops) {
                loop.execute { shard.value.watchInterfaces(port: port, isOnePortOfMany: isOneOfMany) }
            }
            return WebRTCEndpoint(port: port, configuration, identity, loops, bound, table)
        } catch {
            for shard in shards { shard.whenSuccess { $0.value.close() } }
            throw RTCError(.network, "cannot bind port \(configuration.port): \(error)")
        }
    }

    private static func collect(
        _ shards: [EventLoopFuture<NIOLoopBound<UDPShard>>]
    ) async throws -> [NIOLoopBound<UDPShard>] {
        var bound: [NIOLoopBound<UDPShard>] = []
        for shard in shards { bound.append(try await shard.get()) }
        return bound
    }

    /// Binds UDP, and TCP where it is wanted. A number that the system chose for UDP may be taken on TCP: then another one is tried.
    private static func bindAll(
        shards: [EventLoopFuture<NIOLoopBound<UDPShard>>],
        addresses: [TransportAddress],
        _ configuration: Configuration
    ) async throws -> UInt16 {
        var attempts = configuration.port == 0 ? 8 : 1
        while true {
            attempts -= 1
            let port = try await Self.bindUDP(shards: shards, addresses: addresses, port: configuration.port)
            guard configuration.addressPolicy.tcp.contains(.passive) else { return port }
            do {
                try await Self.bindTCP(shards: shards, addresses: addresses, port: port)
                return port
            } catch {
                guard attempts > 0 else { throw error }
                for shard in shards { try await shard.map { $0.value.removeSockets() }.get() }
            }
        }
    }

    private static func bindTCP(
        shards: [EventLoopFuture<NIOLoopBound<UDPShard>>],
        addresses: [TransportAddress],
        port: UInt16
    ) async throws {
        let isOneOfMany = shards.count > 1
        for shard in shards {
            for address in addresses {
                try await shard.flatMap { bound in
                    TCPListener.bind(
                        to: address.withPort(port),
                        on: bound.value.eventLoop,
                        isOnePortOfMany: isOneOfMany,
                        owner: bound.value
                    ).map { bound.value.add($0.value) }
                }.get()
            }
        }
    }

    /// Binds every address on every loop; all sockets have the port that the first one got.
    private static func bindUDP(
        shards: [EventLoopFuture<NIOLoopBound<UDPShard>>],
        addresses: [TransportAddress],
        port: UInt16
    ) async throws -> UInt16 {
        var port = port
        let reuse = shards.count > 1
        for shard in shards {
            for address in addresses {
                let wanted = address.withPort(port)
                port = try await shard.flatMap { bound in
                    UDPSocket.bind(
                        to: wanted,
                        on: bound.value.eventLoop,
                        use: .manyPeers(isOnePortOfMany: reuse),
                        owner: bound.value
                    ).map { socket in
                        bound.value.add(socket.value)
                        return socket.value.address.port
                    }
                }.get()
            }
        }
        return port
    }

    private init(
        port: UInt16,
        _ configuration: Configuration,
        _ certificate: SharedCertificate,
        _ eventLoops: [any EventLoop],
        _ shards: [NIOLoopBound<UDPShard>],
        _ table: ShardTable
    ) {
        self.port = port
        self.configuration = configuration
        self.certificate = certificate
        self.eventLoops = eventLoops
        self.shards = shards
        self.table = table
        self.connectionCounter = table.connectionCounter
        table.fill(shards: shards, eventLoops: eventLoops)
    }

    // MARK: Connections

    /// A connection that uses this endpoint's port.
    ///
    /// - Parameters:
    ///   - configuration: As for ``RTCPeerConnection``; its certificates take the place of the endpoint's.
    ///   - neighbour: A connection of this endpoint to share an event loop with, so that forwarding between the two never leaves the thread.
    /// - Throws: `RTCError.Code.operation` when there are too many connections, `RTCError.Code.invalidState` after
    ///   ``close()``, and what ``RTCPeerConnection`` throws.
    public func makePeerConnection(
        _ configuration: RTCConfiguration = RTCConfiguration(),
        near neighbour: RTCPeerConnection? = nil
    ) throws(RTCError) -> RTCPeerConnection {
        let index = try self.chooseShard(near: neighbour)
        let shard = self.shards[index]
        guard self.connectionCounter.reserve(limit: self.configuration.limits.connections) else {
            throw RTCError(.operation, "the endpoint has its \(self.configuration.limits.connections) connections")
        }
        do {
            return try RTCPeerConnection(
                configuration: configuration,
                certificate: self.certificate,
                ufragPrefix: Self.ufragPrefix(ofShard: index),
                eventLoop: self.eventLoops[index],
                logger: self.configuration.logger,
                network: { shard.value }
            )
        } catch {
            self.connectionCounter.release()
            throw error
        }
    }

    private func chooseShard(near neighbour: RTCPeerConnection?) throws(RTCError) -> Int {
        let near = neighbour.flatMap { connection in
            self.eventLoops.firstIndex { $0 === connection.eventLoop }
        }
        let count = self.shards.count
        let chosen = self.state.withLock { state -> Int? in
            guard !state.isClosed else { return nil }
            if let near { return near }
            state.next = (state.next + 1) % count
            return state.next
        }
        guard let chosen else { throw RTCError(.invalidState, "the endpoint is closed") }
        return chosen
    }

    /// How many connections there are.
    public func connectionCount() async -> Int {
        var count = 0
        for (loop, shard) in zip(self.eventLoops, self.shards) {
            count += (try? await loop.submit { shard.value.connectionCount }.get()) ?? 0
        }
        return count
    }

    /// What was counted so far.
    public func counters() async -> Counters {
        var sum = Counters()
        for (loop, shard) in zip(self.eventLoops, self.shards) {
            guard let counters = try? await loop.submit({ shard.value.counters }).get() else { continue }
            sum.unroutable += counters.unroutable
            sum.droppedOverTCP += counters.droppedOverTCP
        }
        return sum
    }

    /// Closes all connections, then the sockets.
    public func close() async {
        let isFirst = self.state.withLock { state in
            defer { state.isClosed = true }
            return !state.isClosed
        }
        guard isFirst else { return }
        for (loop, shard) in zip(self.eventLoops, self.shards) {
            try? await loop.submit { shard.value.close() }.get()
        }
    }
}

// MARK: - Shards and ufrags

extension WebRTCEndpoint {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    /// Two characters that name a shard: enough for 4,096 event loops.
    static func ufragPrefix(ofShard index: Int) -> String {
        String(decoding: [Self.alphabet[(index >> 6) & 63], Self.alphabet[index & 63]], as: UTF8.self)
    }

    static func shard(ofUfrag ufrag: String) -> Int? {
        var index = 0
        var count = 0
        for byte in ufrag.utf8.prefix(2) {
            guard let digit = Self.alphabet.firstIndex(of: byte) else { return nil }
            index = index << 6 | digit
            count += 1
        }
        return count == 2 ? index : nil
    }
}

/// Lets the shards of an endpoint reach each other.
private final class ShardTable: Sendable {
    private struct Entries {
        var shards: [NIOLoopBound<UDPShard>] = []
        var eventLoops: [any EventLoop] = []
    }

    private let entries = Mutex(Entries())
    let connectionCounter = ConnectionCounter()

    func makeShard(
        index: Int,
        loop: any EventLoop,
        configuration: WebRTCEndpoint.Configuration
    ) -> EventLoopFuture<NIOLoopBound<UDPShard>> {
        loop.submit { [connectionCounter = self.connectionCounter] in
            let shard = UDPShard(
                index: index,
                eventLoop: loop,
                policy: configuration.addressPolicy,
                limits: configuration.limits,
                connectionCounter: connectionCounter,
                forward: { [weak self] in self?.forward(to: $0, $1, from: $2, to: $3) ?? false },
                announce: { [weak self] in self?.announce($0, isOurs: $1, shard: index) },
                handOver: { [weak self] in self?.handOver(to: $0, $1, isOpen: $2) ?? false }
            )
            return NIOLoopBound(shard, eventLoop: loop)
        }
    }

    func fill(shards: [NIOLoopBound<UDPShard>], eventLoops: [any EventLoop]) {
        self.entries.withLock {
            $0.shards = shards
            $0.eventLoops = eventLoops
        }
    }

    /// Tells the other shards whose path this is.
    private func announce(_ path: PeerDriver.Path, isOurs: Bool, shard: Int) {
        let others = self.entries.withLock { entries in
            zip(entries.shards, entries.eventLoops).enumerated().filter { $0.offset != shard }.map(\.element)
        }
        for (other, loop) in others {
            loop.execute { other.value.learn(path, shard: shard, isItsOwn: isOurs) }
        }
    }

    /// Tells another shard of a TCP connection of one of its peers, that it is there or that it has ended.
    private func handOver(to index: Int, _ connection: TCPConnection, isOpen: Bool) -> Bool {
        let target = self.entries.withLock { entries in
            entries.shards.indices.contains(index) ? (entries.shards[index], entries.eventLoops[index]) : nil
        }
        guard let (shard, loop) = target else { return false }
        loop.execute {
            if isOpen {
                shard.value.adopt(connection)
            } else {
                shard.value.ended(connection)
            }
        }
        return true
    }

    private func forward(
        to index: Int,
        _ datagrams: DatagramBatch,
        from remote: TransportAddress,
        to base: TransportAddress
    ) -> Bool {
        let target = self.entries.withLock { entries in
            entries.shards.indices.contains(index) ? (entries.shards[index], entries.eventLoops[index]) : nil
        }
        guard let (shard, loop) = target else { return false }
        loop.execute {
            shard.value.receive(datagrams, from: remote, to: base, wasForwarded: true)
            shard.value.pumpTouched()
        }
        return true
    }
}
