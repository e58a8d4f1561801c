internal import NIOCore
internal import RTCBase

/// An allocation's permissions and channels (RFC 8656 sections 9 and 12), few and flat: found by looking at each.
struct PeerTable: Sendable {
    struct Permission: Sendable {
        /// The peer's IP address; its port is 0.
        var ip: TransportAddress
        var expiresAt: NIODeadline
        /// Whether the peer is this server, of which only relays' ports are reached.
        var isOwn: Bool
    }

    struct Channel: Sendable {
        var number: TURNChannelNumber
        var peer: TransportAddress
        var expiresAt: NIODeadline
    }

    private(set) var permissions: [Permission] = []
    private(set) var channels: [Channel] = []

    func permission(for peer: TransportAddress, now: NIODeadline) -> Permission? {
        for permission in self.permissions where permission.ip.hasIP(of: peer) {
            return permission.expiresAt > now ? permission : nil
        }
        return nil
    }

    /// Whether one more peer has room, or is there already.
    func hasRoom(forPermissions peers: [TransportAddress], limit: Int, now: NIODeadline) -> Bool {
        var new: [TransportAddress] = []
        for peer in peers where self.permission(for: peer, now: now) == nil {
            if !new.contains(where: { $0.hasIP(of: peer) }) { new.append(peer) }
        }
        guard !new.isEmpty else { return true }
        return self.permissions.count { $0.expiresAt > now } + new.count <= limit
    }

    mutating func permit(_ peer: TransportAddress, isOwn: Bool, until deadline: NIODeadline) {
        if let index = self.permissions.firstIndex(where: { $0.ip.hasIP(of: peer) }) {
            self.permissions[index].expiresAt = max(deadline, self.permissions[index].expiresAt)
        } else {
            self.permissions.append(Permission(ip: peer.withPort(0), expiresAt: deadline, isOwn: isOwn))
        }
    }

    func channel(_ number: TURNChannelNumber, now: NIODeadline) -> Channel? {
        for channel in self.channels where channel.number == number {
            return channel.expiresAt > now ? channel : nil
        }
        return nil
    }

    func channel(to peer: TransportAddress, now: NIODeadline) -> Channel? {
        for channel in self.channels where channel.peer == peer {
            return channel.expiresAt > now ? channel : nil
        }
        return nil
    }

    mutating func bind(_ number: TURNChannelNumber, to peer: TransportAddress, until deadline: NIODeadline) {
        self.channels.removeAll { $0.number == number || $0.peer == peer }
        self.channels.append(Channel(number: number, peer: peer, expiresAt: deadline))
    }

    /// Forgets what has expired.
    mutating func purge(now: NIODeadline) {
        if self.permissions.contains(where: { $0.expiresAt <= now }) {
            self.permissions.removeAll { $0.expiresAt <= now }
        }
        if self.channels.contains(where: { $0.expiresAt <= now }) { self.channels.removeAll { $0.expiresAt <= now } }
    }

    /// When something expires next.
    var nextExpiry: NIODeadline? {
        let permission = self.permissions.map(\.expiresAt).min()
        let channel = self.channels.map(\.expiresAt).min()
        return [permission, channel].compactMap { $0 }.min()
    }
}
