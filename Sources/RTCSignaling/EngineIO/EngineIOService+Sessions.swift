public import NIOCore

extension EngineIOService {
    /// How long a poll waits during an upgrade before it is answered with nothing.
    private static let releaseDelay = TimeAmount.milliseconds(100)

    // MARK: What the owner does

    /// Sends a message; does nothing if the session is over.
    public mutating func send(_ message: WebSocketMessage, to id: EngineIOSessionID, now: NIODeadline) {
        self.send(EngineIOPacket(.message, message), to: id, now)
    }

    /// Sends a message to many, who share what it takes; does nothing for sessions that are over.
    public mutating func send(
        _ message: WebSocketMessage,
        to ids: some Sequence<EngineIOSessionID>,
        now: NIODeadline
    ) {
        var frames = EngineIOFrames(EngineIOPacket(.message, message))
        for id in ids { self.send(&frames, to: id, now) }
    }

    /// Ends a session; does nothing if it is over.
    public mutating func close(_ id: EngineIOSessionID, now: NIODeadline) { self.end(id, .local, now) }

    /// Tells that an exchange is over from the client's side before its response was: the connection was closed.
    public mutating func exchangeEnded(_ exchange: ExchangeID, now: NIODeadline) {
        guard let id = self.polls.removeValue(forKey: exchange) else { return }
        self.sessions[id]?.poll = nil
        self.end(id, .transportError, now)
    }

    /// Tells that a WebSocket is over.
    public mutating func webSocketEnded(_ webSocket: EngineIOWebSocketID, now: NIODeadline) {
        guard let id = self.webSockets.removeValue(forKey: webSocket) else { return }
        if self.sessions[id]?.webSocket == webSocket {
            self.sessions[id]?.webSocket = nil
            self.end(id, .transportClosed, now)
        } else {
            self.sessions[id]?.probe = nil
            self.updateDeadline(of: id)
        }
    }

    // MARK: Packets

    /// Takes a packet over the session's own transport.
    mutating func receive(_ packet: EngineIOPacket, of id: EngineIOSessionID, _ now: NIODeadline) {
        guard self.sessions[id]?.endDeadline == nil else { return }
        self.sessions[id]?.lastReceived = now
        self.updateDeadline(of: id)
        switch packet.kind {
        case .ping: self.send(EngineIOPacket(.pong, packet.data), to: id, now)
        case .message: self.outputs.append(.message(id, packet.data))
        case .close: self.end(id, .remote, now)
        case .pong, .upgrade, .noop: break
        case .open: self.end(id, .transportError, now)
        }
    }

    /// Takes a packet over a WebSocket that is to take the session over.
    mutating func receiveProbe(
        _ packet: EngineIOPacket?,
        _ webSocket: EngineIOWebSocketID,
        of id: EngineIOSessionID,
        _ now: NIODeadline
    ) {
        switch packet?.kind {
        case .ping where packet?.data == .text("probe"):
            self.sessions[id]?.probe?.isAnswered = true
            self.outputs.append(.transmit(webSocket, EngineIOPacket(.pong, .text("probe")).frame()))
            self.release(id)
        case .upgrade:
            self.release(id)
            if let probe = self.sessions[id]?.probe { self.sessions[id]?.supportsBinary = probe.supportsBinary }
            self.sessions[id]?.probe = nil
            self.sessions[id]?.webSocket = webSocket
            self.sessions[id]?.lastReceived = now
            self.updateDeadline(of: id)
            self.outputs.append(.upgraded(id))
            self.flushToWebSocket(id)
        default: self.dropProbe(of: id)
        }
    }

    private mutating func send(_ packet: EngineIOPacket, to id: EngineIOSessionID, _ now: NIODeadline) {
        var frames = EngineIOFrames(packet)
        self.send(&frames, to: id, now)
    }

    private mutating func send(_ frames: inout EngineIOFrames, to id: EngineIOSessionID, _ now: NIODeadline) {
        guard let supportsBinary = self.sessions[id]?.supportsBinary, self.sessions[id]?.endDeadline == nil else {
            return
        }
        if let webSocket = self.sessions[id]?.webSocket {
            self.outputs.append(.transmit(webSocket, frames.frame(supportsBinary: supportsBinary)))
            return
        }
        let packet = frames.packet
        self.wait(packet, in: id)
        self.flush(id)
        let waiting = self.sessions[id]?.waitingBytes ?? 0
        if waiting > self.configuration.maximumUnsentBytes { self.end(id, .tooSlow, now) }
    }

    private mutating func wait(_ packet: EngineIOPacket, in id: EngineIOSessionID) {
        self.sessions[id]?.waiting.append(packet)
        self.sessions[id]?.waitingBytes += packet.cost
    }

    private mutating func flushToWebSocket(_ id: EngineIOSessionID) {
        guard let session = self.sessions[id], let webSocket = session.webSocket else { return }
        for packet in session.waiting {
            self.outputs.append(.transmit(webSocket, packet.frame(supportsBinary: session.supportsBinary)))
        }
        self.sessions[id]?.waiting = []
        self.sessions[id]?.waitingBytes = 0
    }

    // MARK: Upgrades

    /// Answers the poll, if there is one, so that the client can go on with its upgrade.
    private mutating func release(_ id: EngineIOSessionID) {
        guard self.sessions[id]?.poll != nil else { return }
        if self.sessions[id]?.waiting.isEmpty == true { self.wait(EngineIOPacket(.noop), in: id) }
        self.flush(id)
    }

    /// A client that polls during its upgrade does not know yet that it can go on; it is told again and again, not at once.
    mutating func scheduleRelease(of id: EngineIOSessionID, _ now: NIODeadline) {
        self.sessions[id]?.releaseDeadline = now + Self.releaseDelay
        self.updateDeadline(of: id)
    }

    private mutating func dropProbe(of id: EngineIOSessionID) {
        guard let probe = self.sessions[id]?.probe else { return }
        self.sessions[id]?.probe = nil
        self.closeWebSocket(probe.webSocket)
        self.updateDeadline(of: id)
    }

    private mutating func closeWebSocket(_ webSocket: EngineIOWebSocketID) {
        guard self.webSockets.removeValue(forKey: webSocket) != nil else { return }
        self.outputs.append(.close(webSocket))
    }

    // MARK: Ends

    mutating func end(_ id: EngineIOSessionID, _ end: End, _ now: NIODeadline) {
        guard let session = self.sessions[id], session.endDeadline == nil else { return }
        self.outputs.append(.closed(id, end))
        if end != .local {
            self.sessions[id]?.waiting = []
            self.sessions[id]?.waitingBytes = 0
        }
        if let probe = session.probe { self.closeWebSocket(probe.webSocket) }
        if let webSocket = session.webSocket {
            if end == .local { self.outputs.append(.transmit(webSocket, EngineIOPacket(.close).frame())) }
            self.closeWebSocket(webSocket)
        }
        self.sessions[id]?.probe = nil
        self.wait(EngineIOPacket(.close), in: id)
        self.sessions[id]?.endDeadline = now + self.configuration.closeTimeout
        let isToldLater = session.poll == nil && session.webSocket == nil && (end == .local || end == .tooSlow)
        guard isToldLater || session.poll != nil else { return self.forget(id) }
        self.updateDeadline(of: id)
        self.flush(id)
    }

    mutating func sessionTimeout(_ id: EngineIOSessionID, _ now: NIODeadline) {
        guard let session = self.sessions[id] else { return }
        if session.endDeadline != nil { return self.forget(id) }
        if now >= session.lastReceived + self.configuration.pingInterval + self.configuration.pingTimeout {
            return self.end(id, .pingTimeout, now)
        }
        if let deadline = session.probe?.deadline, now >= deadline { self.dropProbe(of: id) }
        if let deadline = session.releaseDeadline, now >= deadline {
            self.sessions[id]?.releaseDeadline = nil
            self.release(id)
        }
        self.updateDeadline(of: id)
    }

    mutating func updateDeadline(of id: EngineIOSessionID) {
        self.deadlines.set(self.sessions[id]?.nextTimeout(self.configuration), for: id)
    }

    mutating func forget(_ id: EngineIOSessionID) {
        guard let session = self.sessions.removeValue(forKey: id) else { return }
        if let poll = session.poll { self.polls[poll.exchange] = nil }
        self.deadlines.set(nil, for: id)
    }
}
