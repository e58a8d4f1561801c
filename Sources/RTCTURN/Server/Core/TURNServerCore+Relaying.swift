public import NIOCore
public import RTCBase
internal import RTCSTUN

extension TURNServerCore {
    /// Where a ChannelData message goes (RFC 8656 section 12.6).
    func receiveChannelData(_ datagram: RawSpan, from client: TURNFiveTuple, now: NIODeadline) -> TURNForward? {
        guard let message = TURNChannelData(datagram) else {
            self.counters.malformed += 1
            return nil
        }
        guard let allocation = self.findAllocation(of: client) else {
            self.counters.strangers += 1
            return nil
        }
        guard let channel = allocation.peers.channel(message.channel, now: now) else {
            self.counters.unpermitted += 1
            return nil
        }
        return self.forward(allocation, to: channel.peer, message.payloadRange, dontFragment: false, now: now)
    }

    /// Where a Send indication goes (RFC 8656 section 11.2).
    func receiveSend(
        _ message: STUNMessage,
        _ datagram: RawSpan,
        from client: TURNFiveTuple,
        now: NIODeadline
    ) -> TURNForward? {
        guard let allocation = self.findAllocation(of: client), allocation.transport == .udp else {
            self.counters.strangers += 1
            return nil
        }
        let attributes = TURNAttributes(of: message, in: datagram)
        guard let peer = attributes.peerAddress, let data = attributes.dataRange, attributes.malformed.isEmpty,
            attributes.unknownRequired.isEmpty
        else {
            self.counters.malformed += 1
            return nil
        }
        return self.forward(allocation, to: peer, data, dontFragment: attributes.dontFragment, now: now)
    }

    private func forward(
        _ allocation: TURNAllocation,
        to peer: TransportAddress,
        _ payload: Range<Int>,
        dontFragment: Bool,
        now: NIODeadline
    ) -> TURNForward? {
        guard let relay = allocation.relay(peer.family),
            let permission = allocation.peers.permission(for: peer, now: now), peer.port != 0,
            !permission.isOwn || self.configuration.peerFilter.mayBeRelay(peer)
        else {
            self.counters.unpermitted += 1
            return nil
        }
        guard self.mayPass(payload.count, allocation, toPeers: true, now: now) else { return nil }
        allocation.bytesToPeers &+= UInt64(payload.count)
        self.counters.datagramsToPeers += 1
        self.counters.bytesToPeers += payload.count
        return TURNForward(relay: relay.id, peer: peer, payload: payload, dontFragment: dontFragment)
    }

    /// How a peer's datagram goes to the client (RFC 8656 sections 11.3 and 12.7).
    ///
    /// - Parameter count: The size of the datagram, in bytes.
    /// - Returns: `nil` if it is dropped: no permission, or too much for the client's bandwidth.
    public func deliver(
        _ relay: TURNRelayID,
        from peer: TransportAddress,
        count: Int,
        now: NIODeadline
    ) -> TURNDelivery? {
        guard let allocation = self.allocation(of: relay) else { return nil }
        guard count <= Self.largestPayload, allocation.peers.permission(for: peer, now: now) != nil else {
            self.counters.unpermitted += 1
            return nil
        }
        guard self.mayPass(count, allocation, toPeers: false, now: now) else { return nil }
        allocation.bytesToClient &+= UInt64(count)
        self.counters.datagramsToClients += 1
        self.counters.bytesToClients += count
        let channel = allocation.peers.channel(to: peer, now: now)?.number
        return TURNDelivery(
            client: allocation.client,
            channel: channel,
            peer: peer,
            transactionID: channel == nil ? self.nextIndicationID() : STUNTransactionID(high: 0, low: 0)
        )
    }

    /// The most that fits into a Data indication with its header.
    private static let largestPayload = 65_000

    /// Tells the client of an ICMP packet about something that it sent (RFC 8656 section 11.5).
    public func receiveICMP(_ icmp: TURNICMP, about peer: TransportAddress, on relay: TURNRelayID, now: NIODeadline) {
        guard let allocation = self.allocation(of: relay), Self.isTold(icmp, peer.family),
            allocation.peers.permission(for: peer, now: now) != nil
        else { return }
        var builder = STUNMessageBuilder(.indication, .data, self.nextIndicationID())
        builder.append(.xorPeerAddress, address: peer)
        builder.appendICMP(icmp)
        self.outputs.append(.send(builder.finish(), to: allocation.client, from: allocation.client.server))
    }

    /// Unreachable, too big and time exceeded, the kinds that RFC 8656 section 11.5 lists.
    private static func isTold(_ icmp: TURNICMP, _ family: TransportAddress.Family) -> Bool {
        family == .ipv4 ? icmp.type == 3 || icmp.type == 11 : (1...3).contains(icmp.type)
    }

    private func nextIndicationID() -> STUNTransactionID {
        self.lastIndication &+= 0x9E37_79B9_7F4A_7C15
        return STUNTransactionID(high: self.lastIndication, low: UInt32(truncatingIfNeeded: self.lastIndication >> 16))
    }

    func findAllocation(of client: TURNFiveTuple) -> TURNAllocation? {
        if let last = self.lastAllocation, last.client == client { return last }
        guard let allocation = self.allocations[client], allocation.isAnswered else { return nil }
        self.lastAllocation = allocation
        return allocation
    }

    private func mayPass(_ count: Int, _ allocation: TURNAllocation, toPeers: Bool, now: NIODeadline) -> Bool {
        if let rate = self.configuration.bytesPerSecondPerAllocation {
            let passes =
                toPeers
                ? allocation.toPeers.take(count, perSecond: rate, now: now)
                : allocation.toClient.take(count, perSecond: rate, now: now)
            guard passes else {
                self.counters.overBandwidth += 1
                return false
            }
        }
        if self.ledger.limits.bytesPerSecondPerUser != nil,
            !self.ledger.take(count, of: allocation.user.account, toPeers: toPeers, now: now)
        {
            self.counters.overBandwidth += 1
            return false
        }
        return true
    }
}
