public import NIOCore
import RTCBase

/// The connections to the broker.
extension STOMPRelay {
    // MARK: What the owner tells

    /// A connection to the broker is there.
    public mutating func linkOpened(_ id: STOMPRelayLinkID, now: NIODeadline) {
        guard let link = self.links[id], link.phase == .opening else { return }
        self.links[id]?.phase = .connecting
        let isSystem = link.client == nil
        let beat = self.relay.heartbeatInterval.nanoseconds / 1_000_000
        let connect = STOMPFrame(
            "CONNECT",
            [
                .init("accept-version", link.version.rawValue), .init("host", self.relay.virtualHost),
                .init("login", isSystem ? self.relay.systemLogin : self.relay.clientLogin),
                .init("passcode", isSystem ? self.relay.systemPasscode : self.relay.clientPasscode),
                .init("heart-beat", "\(beat),\(beat)"),
            ]
        )
        _ = self.transmit(connect, toBroker: id, now)
    }

    /// A connection to the broker could not be had, or is closed.
    public mutating func linkEnded(_ id: STOMPRelayLinkID, now: NIODeadline) {
        guard self.links[id] != nil else { return }
        self.lost(id, now)
    }

    /// Tells that bytes of ``Output/transmitToBroker(_:_:)`` were written.
    public mutating func didTransmit(_ count: Int, toBroker id: STOMPRelayLinkID) {
        guard let link = self.links[id] else { return }
        self.links[id]?.unsentBytes = max(0, link.unsentBytes - count)
    }

    // MARK: Opening and closing

    mutating func openLink(
        for client: STOMPConnectionID?,
        version: STOMPVersion,
        _ now: NIODeadline
    ) -> STOMPRelayLinkID {
        let id = self.makeLinkID()
        var link = STOMPRelayLink(
            client: client,
            reader: self.makeReader(),
            version: version,
            liveness: STOMPLiveness(setUpWithin: self.relay.connectTimeout, now: now)
        )
        // The broker adds headers of its own, and may break a rule of ours with what another client sent by another way.
        link.reader.limits.headSize *= 2
        link.reader.limits.headers *= 2
        link.reader.version = version
        self.links[id] = link
        self.linkDeadlines.set(link.liveness.nextTimeout, for: id)
        self.outputs.append(.open(id))
        return id
    }

    mutating func closeLink(_ id: STOMPRelayLinkID) {
        guard self.links.removeValue(forKey: id) != nil else { return }
        self.linkDeadlines.set(nil, for: id)
        self.outputs.append(.closeLink(id))
    }

    /// A connection to the broker is of no more use: its client is told, or a new one for the server is made later.
    private mutating func lost(_ id: STOMPRelayLinkID, _ now: NIODeadline) {
        guard let link = self.links[id] else { return }
        self.closeLink(id)
        guard let client = link.client else { return self.systemLost(now) }
        if self.clients[client]?.phase == .leaving {
            self.end(client)
        } else {
            self.fail(client, Self.awayReason, nil, now)
        }
    }

    mutating func linkTimeout(_ id: STOMPRelayLinkID, _ now: NIODeadline) {
        guard let link = self.links[id] else { return }
        switch link.liveness.due(now: now) {
        case .setUp, .silence: return self.lost(id, now)
        case .heartbeat:
            self.links[id]?.liveness.lastSent = now
            self.outputs.append(.transmitToBroker(id, ByteBuffer(string: "\n")))
        case nil: break
        }
        self.linkDeadlines.set(self.links[id]?.liveness.nextTimeout, for: id)
    }

    // MARK: Frames

    /// Sends a frame to the broker; false if too much waits for it. What the server itself sends is bounded before it comes here.
    mutating func transmit(_ frame: STOMPFrame, toBroker id: STOMPRelayLinkID, _ now: NIODeadline) -> Bool {
        guard let link = self.links[id] else { return true }
        let bytes = frame.encoded(for: link.version)
        let unsent = link.unsentBytes + bytes.readableBytes
        guard link.client == nil || unsent <= self.relay.maximumUnsentBytes else { return false }
        self.links[id]?.unsentBytes = unsent
        self.links[id]?.liveness.lastSent = now
        self.outputs.append(.transmitToBroker(id, bytes))
        return true
    }

    /// Takes the broker's frames that are there, as long as their client can take more.
    mutating func process(_ id: STOMPRelayLinkID, _ now: NIODeadline) {
        while let link = self.links[id], link.liveness.isReading {
            switch self.links[id]?.reader.next() ?? .needsMore {
            case .needsMore: return
            case .failure: return self.lost(id, now)
            case .frame(let frame): self.received(frame, on: id, link, now)
            }
        }
    }

    private mutating func received(
        _ frame: STOMPFrame,
        on id: STOMPRelayLinkID,
        _ link: STOMPRelayLink,
        _ now: NIODeadline
    ) {
        switch frame.command {
        case "CONNECTED" where link.phase == .connecting: self.connected(frame, on: id, link, now)
        case _ where link.phase != .connected && frame.command != "ERROR": self.lost(id, now)
        case "ERROR":
            guard let client = link.client else {
                if link.phase == .connected { self.systemRefused(frame["receipt-id"]) }
                return self.lost(id, now)
            }
            self.transmit(frame, to: client, now)
            self.end(client)
        case "RECEIPT":
            guard let client = link.client else { return self.systemReceipt(frame["receipt-id"]) }
            self.transmit(frame, to: client, now)
            if self.clients[client]?.phase == .leaving { self.end(client) }
        case "MESSAGE":
            if let client = link.client { self.deliver(frame, to: client, now) }
        default: break
        }
    }

    private mutating func connected(
        _ frame: STOMPFrame,
        on id: STOMPRelayLinkID,
        _ link: STOMPRelayLink,
        _ now: NIODeadline
    ) {
        // Only this version was offered.
        guard STOMPVersion(rawValue: frame["version"] ?? "1.0") == link.version else { return self.lost(id, now) }
        var agreed = STOMPNegotiation(version: link.version)
        if let text = frame["heart-beat"], let (sends, wants) = STOMPNegotiation.heartbeats(text) {
            agreed.setHeartbeats(sends: sends, wants: wants, own: self.relay.heartbeatInterval)
        }
        self.links[id]?.phase = .connected
        self.links[id]?.liveness.setUpDeadline = nil
        self.links[id]?.liveness.set(agreed)
        self.linkDeadlines.set(self.links[id]?.liveness.nextTimeout, for: id)
        guard let client = link.client else { return self.systemConnected(id, now) }
        self.clients[client]?.phase = .connected
        let session = frame["session"] ?? self.makeSessionName()
        self.clients[client]?.session = session
        self.sayConnected(to: client, now)
        self.process(client, now)
    }

    private mutating func makeSessionName() -> String {
        String(self.random.next(), radix: 16) + "-" + String(self.random.next(), radix: 16)
    }

    /// Passes a message on, under the names that the client has for its subscription and destination.
    private mutating func deliver(_ frame: STOMPFrame, to id: STOMPConnectionID, _ now: NIODeadline) {
        guard let brokerID = frame["subscription"], let dash = brokerID.firstIndex(of: "-") else { return }
        let name = String(brokerID[brokerID.index(after: dash)...])
        // One that was ended while this was on its way.
        guard let subscription = self.clients[id]?.subscriptions[name] else { return }
        var frame = frame
        if subscription.isUser { frame.set("destination", subscription.destination) }
        frame.headers.removeAll { $0.name == "subscription" }
        if subscription.hasID { frame.headers.append(.init("subscription", name)) }
        self.transmit(frame, to: id, now)
    }
}
