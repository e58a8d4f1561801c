public import NIOCore
public import RTCBase
internal import RTCSTUN

extension TURNServerCore {
    /// Handles an Allocate request (RFC 8656 section 7.2, RFC 6062 section 5.1).
    func allocate(_ request: TURNRequest, _ attributes: TURNAttributes, _ user: TURNUser, now: NIODeadline) {
        if let existing = self.allocations[request.client] {
            guard existing.request.transactionID == request.transactionID else {
                return self.refuse(request, .allocationMismatch)
            }
            // A retransmission: the answer is the same, or still to come.
            if existing.isAnswered { self.answer(existing) }
            return
        }
        switch self.plan(request, attributes) {
        case .failure(let refusal):
            let other = refusal.code == .tryAlternate ? self.configuration.alternateServer : nil
            self.refuse(request, refusal.code) { builder in
                if let other { builder.append(.alternateServer, address: other) }
            }
        case .success(let plan): self.begin(plan, request, user, now: now)
        }
    }

    private struct Refusal: Error {
        let code: TURNErrorCode
    }

    /// What an Allocate request asks for.
    private struct Plan {
        var transport = TURNRelayTransport.udp
        var families: [TransportAddress.Family] = []
        var addressError: TURNAddressError?
        var port = TURNRelayRequest.Port.any
        var reservationToken: UInt64?
        var lifetime: Int64 = 0
    }

    private func plan(_ request: TURNRequest, _ attributes: TURNAttributes) -> Result<Plan, Refusal> {
        var plan = Plan()
        guard let number = attributes.requestedTransport else { return .failure(Refusal(code: .badRequest)) }
        guard let transport = TURNRelayTransport(rawValue: number), transport == .udp || self.configuration.relaysTCP
        else { return .failure(Refusal(code: .unsupportedTransportProtocol)) }
        plan.transport = transport
        if let refusal = self.contradiction(request, attributes, transport) { return .failure(refusal) }
        if let refusal = self.chooseFamilies(attributes, &plan) { return .failure(refusal) }
        self.choosePort(attributes, &plan)
        plan.lifetime = self.lifetime(attributes.lifetime)
        if self.isDraining {
            return .failure(
                Refusal(code: self.configuration.alternateServer == nil ? .insufficientCapacity : .tryAlternate)
            )
        }
        return .success(plan)
    }

    private func contradiction(
        _ request: TURNRequest,
        _ attributes: TURNAttributes,
        _ transport: TURNRelayTransport
    ) -> Refusal? {
        let hasFamily = attributes.requestedAddressFamily != nil || attributes.additionalAddressFamily != nil
        let asksForUDP =
            attributes.evenPort != nil || attributes.reservationToken != nil || attributes.dontFragment
        let isContradictory =
            attributes.requestedAddressFamily != nil && attributes.additionalAddressFamily != nil
            || attributes.reservationToken != nil && (attributes.evenPort != nil || hasFamily)
            || attributes.evenPort == true && attributes.additionalAddressFamily != nil
            || transport == .tcp && (!request.client.transport.isStream || asksForUDP)
        return isContradictory ? Refusal(code: .badRequest) : nil
    }

    private func chooseFamilies(_ attributes: TURNAttributes, _ plan: inout Plan) -> Refusal? {
        let available = self.configuration.relayFamilies
        if let number = attributes.additionalAddressFamily {
            // Only IPv6 can be additional (RFC 8656 section 7.2).
            guard TURNAddressFamily(rawValue: number) == .ipv6 else { return Refusal(code: .badRequest) }
            plan.families = [.ipv4, .ipv6].filter(available.contains)
            guard !plan.families.isEmpty else { return Refusal(code: .addressFamilyNotSupported) }
            if plan.families.count == 1 {
                let missing: TURNAddressFamily = plan.families == [.ipv4] ? .ipv6 : .ipv4
                plan.addressError = TURNAddressError(family: missing, code: .addressFamilyNotSupported)
            }
            return nil
        }
        let family: TransportAddress.Family?
        if let number = attributes.requestedAddressFamily {
            family = TURNAddressFamily(rawValue: number)?.family
        } else if attributes.reservationToken != nil {
            // The reserved port is of whatever family it is.
            family = available.contains(.ipv4) ? .ipv4 : .ipv6
        } else {
            family = .ipv4
        }
        guard let family, available.contains(family) else { return Refusal(code: .addressFamilyNotSupported) }
        plan.families = [family]
        return nil
    }

    private func choosePort(_ attributes: TURNAttributes, _ plan: inout Plan) {
        if let token = attributes.reservationToken {
            plan.port = .reserved(token: token)
        } else if attributes.evenPort == true {
            let token = self.random.next()
            plan.reservationToken = token
            plan.port = .evenReservingNext(token: token)
        } else if attributes.evenPort == false {
            plan.port = .even
        }
    }

    /// The lifetime that is granted, in seconds (RFC 8656 section 7.2).
    func lifetime(_ wanted: UInt32?) -> Int64 {
        let wanted = Int64(wanted ?? 0)
        return max(self.configuration.defaultLifetime, min(wanted, self.configuration.maximumLifetime))
    }

    private func begin(_ plan: Plan, _ request: TURNRequest, _ user: TURNUser, now: NIODeadline) {
        switch self.ledger.reserve(for: user.account, now: now) {
        case .user: return self.refuse(request, .allocationQuotaReached)
        case .total: return self.refuse(request, .insufficientCapacity)
        case nil: break
        }
        let deadline = now + .seconds(plan.lifetime)
        let relays = plan.families.map { family in
            TURNAllocation.Relay(id: self.takeSlot(), family: family, state: .opening, expiresAt: deadline)
        }
        let allocation = TURNAllocation(
            request: request,
            user: user,
            transport: plan.transport,
            lifetime: plan.lifetime,
            reservationToken: plan.reservationToken,
            addressError: plan.addressError,
            relays: relays,
            bucket: RateBucket(burst: self.configuration.bytesPerSecondPerAllocation ?? 0, now: now),
            now: now
        )
        self.allocations[request.client] = allocation
        for relay in relays {
            self.slots[relay.id.slot].allocation = allocation
            self.outputs.append(
                .openRelay(
                    TURNRelayRequest(id: relay.id, family: relay.family, transport: plan.transport, port: plan.port)
                )
            )
        }
        self.wheel.insert(.opening(request.client), at: now + self.configuration.pendingTimeout)
    }

    private func takeSlot() -> TURNRelayID {
        if let slot = self.freeSlots.popLast() {
            self.slots[slot].generation &+= 1
            return TURNRelayID(slot: slot, generation: self.slots[slot].generation)
        }
        self.slots.append(RelaySlot())
        return TURNRelayID(slot: self.slots.count - 1, generation: 0)
    }

    // MARK: Answers of the owner

    /// A relay that ``TURNServerOutput/openRelay(_:)`` asked for is bound.
    ///
    /// - Parameter address: The relayed transport address as peers see it.
    public func relayOpened(_ id: TURNRelayID, at address: TransportAddress, now: NIODeadline) {
        self.settle(id, .open(address), now: now)
    }

    /// A relay could not be bound; the client gets this error code, or ADDRESS-ERROR-CODE if it asked for two families.
    public func relayFailed(
        _ id: TURNRelayID,
        _ code: TURNErrorCode = .insufficientCapacity,
        now: NIODeadline
    ) {
        self.settle(id, .failed(code), now: now)
    }

    private func settle(_ id: TURNRelayID, _ state: TURNAllocation.Relay.State, now: NIODeadline) {
        guard let allocation = self.allocation(of: id),
            let index = allocation.relays.firstIndex(where: { $0.id == id })
        else { return self.outputs.append(.closeRelay(id)) }
        guard case .opening = allocation.relays[index].state else { return }
        allocation.relays[index].state = state
        if case .open(let address) = state { allocation.relays[index].family = address.family }
        let isOpening = allocation.relays.contains {
            if case .opening = $0.state { return true }
            return false
        }
        guard !isOpening else { return }
        guard !allocation.relayedAddresses.isEmpty else { return self.fail(allocation, now: now) }
        allocation.isAnswered = true
        self.counters.allocations += 1
        self.watch(allocation, now: now)
        self.answer(allocation)
        self.outputs.append(.allocated(allocation.summary(now: now)))
    }

    /// The allocation of a relay, unless the relay is gone.
    func allocation(of id: TURNRelayID) -> TURNAllocation? {
        guard id.slot < self.slots.count, self.slots[id.slot].generation == id.generation else { return nil }
        return self.slots[id.slot].allocation
    }

    private func fail(_ allocation: TURNAllocation, now: NIODeadline) {
        var code = TURNErrorCode.insufficientCapacity
        for relay in allocation.relays {
            if case .failed(let reason) = relay.state { code = reason }
        }
        self.forget(allocation, now: now)
        self.refuse(allocation.request, code)
    }

    private func answer(_ allocation: TURNAllocation) {
        self.grant(allocation.request) { builder in
            for address in allocation.relayedAddresses { builder.append(.xorRelayedAddress, address: address) }
            builder.appendLifetime(UInt32(allocation.lifetime))
            if let token = allocation.reservationToken { builder.append(.reservationToken, integer: token) }
            builder.append(.xorMappedAddress, address: allocation.client.client)
            if let error = allocation.addressError { builder.appendAddressErrorCode(error) }
            for relay in allocation.relays {
                guard case .failed(let code) = relay.state else { continue }
                builder.appendAddressErrorCode(TURNAddressError(family: TURNAddressFamily(relay.family), code: code))
            }
        }
    }

    // MARK: The end

    /// Ends an allocation with everything that belongs to it.
    func end(_ allocation: TURNAllocation, _ reason: TURNAllocationEnd, now: NIODeadline) {
        guard !allocation.isGone else { return }
        let summary = allocation.summary(now: now)
        self.forget(allocation, now: now)
        if allocation.isAnswered { self.outputs.append(.deallocated(summary, reason)) }
        if reason != .disconnected, allocation.client.transport.isStream {
            self.clients[allocation.client]?.idleSince = now
        }
    }

    private func forget(_ allocation: TURNAllocation, now: NIODeadline) {
        allocation.isGone = true
        if self.lastAllocation === allocation { self.lastAllocation = nil }
        self.allocations[allocation.client] = nil
        self.ledger.release(allocation.user.account, now: now)
        for id in allocation.connections { self.drop(connection: id, now: now) }
        allocation.connections = []
        for relay in allocation.relays { self.close(relay) }
        allocation.relays = []
        // A port that outlived the allocation would count for nobody's quota.
        if let token = allocation.reservationToken { self.outputs.append(.releaseReservation(token)) }
    }

    func close(_ relay: TURNAllocation.Relay) {
        self.slots[relay.id.slot].allocation = nil
        self.freeSlots.append(relay.id.slot)
        if case .failed = relay.state { return }
        self.outputs.append(.closeRelay(relay.id))
    }
}
