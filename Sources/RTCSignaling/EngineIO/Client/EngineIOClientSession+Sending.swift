import NIOCore

// What leaves.

extension EngineIOClientSession {
    /// Lets go what can go.
    mutating func settle() {
        switch (self.phase, self.carrier) {
        case (.opening, _), (.asking, _), (.closed, _): break
        case (.open, .polling), (.closing, .polling): self.settleRequests()
        case (.open, .webSocket), (.closing, .webSocket): self.settleWebSocket()
        }
    }

    private mutating func settleRequests() {
        if self.probe == .pausing {
            if !self.isGetting, !self.isPosting { self.upgrade() }
            return
        }
        if !self.isPosting {
            if !self.queue.isEmpty {
                self.post()
            } else if self.phase == .closing {
                return self.finish(nil)
            }
        }
        if self.phase == .open, self.isReading, !self.isGetting {
            self.isGetting = true
            self.perform(.get(query: self.makeQuery("polling")))
        }
    }

    private mutating func post() {
        var batch: [EngineIOPacket] = []
        var bytes = 0
        while let entry = self.queue.first, batch.count < EngineIOPayload.maximumPackets {
            guard batch.isEmpty || bytes + entry.packet.cost <= Self.window else { break }
            self.take()
            batch.append(entry.packet)
            bytes += entry.packet.cost
            self.posted = entry.sent
            // Some servers count characters where others count UTF-16 code units: nothing comes behind a packet in which
            // that is not the same.
            if entry.packet.hasSurrogates { break }
        }
        self.isPosting = true
        let body = EngineIOPayload.encode(batch, supportsBinary: !self.configuration.forcesBase64)
        self.perform(.post(query: self.makeQuery("polling"), body: body))
    }

    private mutating func settleWebSocket() {
        while let entry = self.take() { self.transmit(entry.packet) }
        guard self.phase == .closing, !self.isClosingWebSocket else { return }
        // The answer to a ping proves what the end of the WebSocket does not.
        guard self.confirmed == self.sent || self.pinged.isEmpty else { return }
        self.isClosingWebSocket = true
        self.perform(.closeWebSocket)
    }

    @discardableResult
    private mutating func take() -> Entry? {
        guard let entry = self.queue.popFirst() else { return nil }
        self.queuedBytes -= entry.packet.cost
        return entry
    }

    private mutating func transmit(_ packet: EngineIOPacket) {
        let frame = packet.frame(supportsBinary: !self.configuration.forcesBase64)
        self.inFlight += frame.size
        self.perform(.transmit(frame))
    }

    // MARK: Upgrades

    /// Lets a WebSocket try whether it comes through.
    mutating func beginProbe(_ now: NIODeadline) {
        self.probe = .connecting
        self.probeDeadline = now + self.configuration.upgradeTimeout
        self.perform(.openWebSocket(query: self.makeQuery("websocket")))
    }

    mutating func webSocketOpened() {
        guard self.probe == .connecting else { return }
        self.probe = .probing
        self.transmit(EngineIOPacket(.ping, .text("probe")))
    }

    private mutating func upgrade() {
        self.endProbe()
        self.carrier = .webSocket
        self.transmit(EngineIOPacket(.upgrade))
        self.outputs.append(.upgraded)
        self.settleWebSocket()
    }

    /// The session stays with requests.
    mutating func dropProbe() {
        self.endProbe()
        self.inFlight = 0
        self.perform(.closeWebSocket)
    }

    mutating func endProbe() {
        self.probe = nil
        self.probeDeadline = nil
    }
}

extension EngineIOPacket {
    /// Whether its text has characters beyond the Basic Multilingual Plane.
    fileprivate var hasSurrogates: Bool {
        guard case .text(let text) = self.data else { return false }
        return text.utf8.contains { $0 >= 0xF0 }
    }
}
