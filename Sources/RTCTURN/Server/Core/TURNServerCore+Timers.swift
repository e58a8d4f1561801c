public import NIOCore
internal import RTCBase

extension TURNServerCore {
    /// What the wheel wakes.
    enum Timer {
        case allocation(TURNFiveTuple, TURNRelayID)
        case opening(TURNFiveTuple)
        case authentication(UInt64)
        case connection(UInt32)
        case client(TURNFiveTuple)
        case reservation(UInt64)
    }

    /// Does what is due.
    public func handleTimeout(now: NIODeadline) {
        for timer in self.wheel.takeExpired(now: now) {
            switch timer {
            case .allocation(let client, let relay): self.check(client, relay, now: now)
            case .opening(let client): self.giveUpOpening(client, now: now)
            case .authentication(let id): self.giveUpAuthentication(id, now: now)
            case .connection(let id): self.handleTimeout(connection: id, now: now)
            case .client(let client): self.checkIdle(client, now: now)
            case .reservation(let token): self.outputs.append(.releaseReservation(token))
            }
        }
    }

    /// Ends every allocation, at once.
    public func close(now: NIODeadline) {
        for allocation in Array(self.allocations.values) { self.end(allocation, .closed, now: now) }
        for client in self.clients.keys { self.outputs.append(.closeClient(client)) }
        self.clients = [:]
    }

    /// Puts a new allocation into the wheel, in which it stays in one place until it ends.
    func watch(_ allocation: TURNAllocation, now: NIODeadline) {
        if let token = allocation.reservationToken {
            self.wheel.insert(.reservation(token), at: now + Self.reservationLifetime)
        }
        self.schedule(allocation)
    }

    /// How long a reserved port waits (RFC 8656 section 7.2).
    private static let reservationLifetime = TimeAmount.seconds(30)

    func schedule(_ allocation: TURNAllocation) {
        guard let first = allocation.relays.first else { return }
        let deadline = allocation.relays.map(\.expiresAt).min() ?? first.expiresAt
        let next = min(deadline, allocation.peers.nextExpiry ?? deadline)
        self.wheel.insert(.allocation(allocation.client, first.id), at: next)
    }

    private func check(_ client: TURNFiveTuple, _ relay: TURNRelayID, now: NIODeadline) {
        // Another allocation may have the client by now; that one has an entry of its own.
        guard let allocation = self.allocations[client], allocation.relays.first?.id == relay else { return }
        allocation.peers.purge(now: now)
        self.expireRelays(of: allocation, .expired, now: now)
        if !allocation.isGone { self.schedule(allocation) }
    }

    /// Closes the relays whose time has passed, and with the last one the allocation.
    func expireRelays(of allocation: TURNAllocation, _ reason: TURNAllocationEnd, now: NIODeadline) {
        let isAlive = allocation.relays.contains { $0.expiresAt > now && $0.address != nil }
        guard isAlive else { return self.end(allocation, reason, now: now) }
        let wasFirst = allocation.relays.first?.id
        for relay in allocation.relays where relay.expiresAt <= now { self.close(relay) }
        allocation.relays.removeAll { $0.expiresAt <= now }
        // The entry in the wheel goes by the first relay.
        if reason == .released, allocation.relays.first?.id != wasFirst { self.schedule(allocation) }
    }

    private func giveUpOpening(_ client: TURNFiveTuple, now: NIODeadline) {
        guard let allocation = self.allocations[client], !allocation.isAnswered,
            now - allocation.createdAt >= self.configuration.pendingTimeout
        else { return }
        self.end(allocation, .closed, now: now)
    }

    private func giveUpAuthentication(_ id: UInt64, now: NIODeadline) {
        guard let pending = self.takePending(id) else { return }
        self.outputs.append(.cancelAuthentication(id))
        guard self.isReachable(pending.request.client) else { return }
        self.refuseUnauthenticated(pending.request, .serverError, now: now)
    }

    private func checkIdle(_ client: TURNFiveTuple, now: NIODeadline) {
        guard let connection = self.clients[client] else { return }
        let isBusy = connection.joined != nil || self.allocations[client] != nil
        let deadline = connection.idleSince + self.configuration.idleConnectionTimeout
        if isBusy || deadline > now {
            let next = isBusy ? now + self.configuration.idleConnectionTimeout : deadline
            return self.wheel.insert(.client(client), at: next)
        }
        self.clients[client] = nil
        self.outputs.append(.closeClient(client))
    }
}
