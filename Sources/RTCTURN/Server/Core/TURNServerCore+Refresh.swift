internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension TURNServerCore {
    /// Handles a Refresh request (RFC 8656 section 8.2).
    func refresh(
        _ allocation: TURNAllocation,
        _ request: TURNRequest,
        _ attributes: TURNAttributes,
        now: NIODeadline
    ) {
        var family: TransportAddress.Family?
        if let number = attributes.requestedAddressFamily {
            family = TURNAddressFamily(rawValue: number)?.family
            guard let family, allocation.relay(family) != nil else {
                return self.refuse(request, .peerAddressFamilyMismatch)
            }
        }
        let seconds = attributes.lifetime == 0 ? 0 : self.lifetime(attributes.lifetime)
        let before = allocation.relays.map(\.expiresAt).min()
        for index in allocation.relays.indices where family == nil || allocation.relays[index].family == family {
            allocation.relays[index].expiresAt = now + .seconds(seconds)
        }
        if seconds == 0 {
            self.expireRelays(of: allocation, .released, now: now)
        } else if let before, now + .seconds(seconds) < before {
            self.schedule(allocation)
        }
        self.grant(request) { $0.appendLifetime(UInt32(seconds)) }
    }

    /// Handles a CreatePermission request (RFC 8656 section 10.2): all peers are permitted, or none.
    func createPermission(
        _ allocation: TURNAllocation,
        _ request: TURNRequest,
        _ attributes: TURNAttributes,
        now: NIODeadline
    ) {
        let peers = attributes.peerAddresses
        guard !peers.isEmpty else { return self.refuse(request, .badRequest) }
        for peer in peers {
            if let code = self.objection(to: peer, of: allocation) { return self.refuse(request, code) }
        }
        let limit = self.configuration.permissionsPerAllocation
        guard allocation.peers.hasRoom(forPermissions: peers, limit: limit, now: now) else {
            return self.refuse(request, .insufficientCapacity)
        }
        for peer in peers { self.permit(peer, in: allocation, now: now) }
        self.grant(request)
    }

    /// Handles a ChannelBind request (RFC 8656 section 12.2).
    func bindChannel(
        _ allocation: TURNAllocation,
        _ request: TURNRequest,
        _ attributes: TURNAttributes,
        now: NIODeadline
    ) {
        guard let peer = attributes.peerAddress, attributes.furtherPeerAddresses.isEmpty,
            let number = attributes.channelNumber.flatMap(TURNChannelNumber.init(rawValue:))
        else { return self.refuse(request, .badRequest) }
        // RFC 6062 section 5 has no channels.
        guard allocation.transport == .udp else { return self.refuse(request, .forbidden) }
        if let code = self.objection(to: peer, of: allocation) ?? self.objection(toPortOf: peer) {
            return self.refuse(request, code)
        }
        let bound = allocation.peers.channel(number, now: now)
        let before = allocation.peers.channel(to: peer, now: now)
        guard bound == nil || bound?.peer == peer, before == nil || before?.number == number else {
            return self.refuse(request, .badRequest)
        }
        let limits = self.configuration
        let channels = allocation.peers.channels.count(where: { $0.expiresAt > now })
        guard bound != nil || channels < limits.channelsPerAllocation,
            allocation.peers.hasRoom(forPermissions: [peer], limit: limits.permissionsPerAllocation, now: now)
        else { return self.refuse(request, .insufficientCapacity) }
        allocation.peers.bind(number, to: peer, until: now + .seconds(Self.channelLifetime))
        self.permit(peer, in: allocation, now: now)
        self.grant(request)
    }

    /// Why a peer cannot be permitted.
    func objection(to peer: TransportAddress, of allocation: TURNAllocation) -> TURNErrorCode? {
        guard allocation.relay(peer.family) != nil else { return .peerAddressFamilyMismatch }
        return self.configuration.peerFilter.verdict(for: peer) == .denied ? .forbidden : nil
    }

    /// Why a peer's port cannot be used: none, or a service of this server's.
    func objection(toPortOf peer: TransportAddress) -> TURNErrorCode? {
        self.configuration.peerFilter.allows(peer) ? nil : .forbidden
    }

    private func permit(_ peer: TransportAddress, in allocation: TURNAllocation, now: NIODeadline) {
        let verdict = self.configuration.peerFilter.verdict(for: peer)
        let deadline = now + .seconds(Self.permissionLifetime)
        allocation.peers.purge(now: now)
        allocation.peers.permit(peer, isOwn: verdict == .allowedOnRelayPorts, until: deadline)
    }

    /// How long a permission lasts, in seconds (RFC 8656 section 9).
    private static let permissionLifetime: Int64 = 300
    /// How long a channel lasts, in seconds (RFC 8656 section 12).
    private static let channelLifetime: Int64 = 600
}
