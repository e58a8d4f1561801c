internal import NIOCore
internal import RTCBase

// The handshake of four chunks (RFC 9260 section 5). Both sides begin it at once as a rule.
extension NativeAssociation {
    func start(remotePort: UInt16, outgoingStreams: Int, maximumIncomingStreams: Int) -> Int {
        guard self.phase == .closed else { return 0 }
        self.remotePort = remotePort
        self.localTag = self.randomTag()
        self.phase = .cookieWait
        self.sendInit()
        return 0
    }

    private func randomTag() -> UInt32 {
        while true {
            let tag = UInt32(truncatingIfNeeded: self.random.next())
            if tag != 0 { return tag }
        }
    }

    private var initiation: Initiation {
        Initiation(
            tag: self.localTag,
            receiveWindow: UInt32(clamping: self.receiveWindow),
            outgoingStreams: UInt16(Self.streamLimit),
            maximumIncomingStreams: UInt16(Self.streamLimit),
            initialTSN: self.initialTSN
        )
    }

    private func sendInit() {
        self.controls.removeAll { $0.type == ChunkType.initiation }
        self.controls.append(self.initiation.chunk(ChunkType.initiation))
        self.timers[.handshake] = self.now + self.roundTrip.timeout
    }

    /// INIT or COOKIE ECHO was not answered.
    func handshakeTimedOut() {
        self.initTries += 1
        guard self.initTries <= self.configuration.tuning.maximumInitAttempts else {
            self.lose(cause: nil)
            return
        }
        self.roundTrip.backOff()
        switch self.phase {
        case .cookieWait:
            self.sendInit()
        case .cookieEchoed:
            if let cookie = self.peer?.cookie { self.sendCookie(cookie) }
        default:
            break
        }
    }

    // MARK: The peer's chunks

    /// An INIT, which is answered in every state (sections 5.1 and 5.2).
    func receiveInit(_ value: UnsafeRawBufferPointer) {
        guard self.phase != .closed, self.phase != .ended, self.phase != .shutdownAckSent,
            self.immediate.count < Self.maximumImmediate, let peer = Initiation(value)
        else { return }
        let isUp = self.phase != .cookieWait && self.phase != .cookieEchoed
        var answer = self.initiation
        // Until the association is up the tag of our own INIT serves for both (section 5.2.1); a peer that begins anew is
        // told another one (section 5.2.2).
        if isUp { answer.tag = self.randomTag() }
        let cookie = StateCookie(
            secret: self.cookieSecret,
            localTag: answer.tag,
            peer: peer,
            localTieTag: isUp ? self.localTag : 0,
            peerTieTag: isUp ? self.peerTag : 0
        )
        answer.cookie = cookie.bytes
        answer.unrecognized = peer.unrecognized
        // The answer carries the tag of this INIT, whatever ours is by then: it goes alone.
        self.immediate.append((peer.tag, answer.chunk(ChunkType.initiationAck)))
    }

    func receiveInitAck(_ value: UnsafeRawBufferPointer) {
        guard self.phase == .cookieWait else { return }
        guard let peer = Initiation(value), let cookie = peer.cookie else {
            self.lose(cause: ErrorCause.protocolViolation)
            return
        }
        self.adopt(peer)
        self.peerImplementation = .of(cookie: cookie)
        if self.peerImplementation == .other { self.congestion.limit = Self.widestWindow }
        self.phase = .cookieEchoed
        self.initTries = 0
        self.sendCookie(cookie)
    }

    private func adopt(_ peer: Initiation) {
        self.peer = peer
        self.peerTag = peer.tag
        self.peerWindow = Int(peer.receiveWindow)
        self.outgoingStreams = min(Self.streamLimit, Int(peer.maximumIncomingStreams))
        self.peerStreams = min(Self.streamLimit, Int(peer.outgoingStreams))
        self.reassembly = Reassembly(
            initialTSN: peer.initialTSN,
            maximumMessageSize: max(self.configuration.maximumMessageSize, 131_082)
        )
        self.reconfiguration.expectedRequest = peer.initialTSN
    }

    /// What may be under way to a peer that keeps track of it.
    private static let widestWindow = 16 << 20

    private func sendCookie(_ cookie: [UInt8]) {
        self.controls.removeAll { $0.type == ChunkType.cookieEcho || $0.type == ChunkType.initiation }
        self.controls.insert(ControlChunk(type: ChunkType.cookieEcho, value: cookie), at: 0)
        self.timers[.handshake] = self.now + self.roundTrip.timeout
    }

    /// A cookie of ours comes back (section 5.2.4, table 12).
    ///
    /// - Returns: Whether the packet's other chunks belong to this association.
    func receiveCookie(_ value: UnsafeRawBufferPointer, tag: UInt32) -> Bool {
        guard let cookie = StateCookie(value, secret: self.cookieSecret), tag == cookie.localTag else { return false }
        switch self.phase {
        case .closed, .ended:
            return false
        case .cookieWait, .cookieEchoed:
            guard cookie.localTag == self.localTag else { return false }
            // Simultaneous INITs: actions B and D.
            if self.phase == .cookieWait || self.peerTag != cookie.peer.tag { self.adopt(cookie.peer) }
            self.comeUp()
        case .established, .shutdownPending, .shutdownSent, .shutdownReceived, .shutdownAckSent:
            if cookie.localTag == self.localTag {
                // Its acknowledgement was lost, or both began at once: action D.
                guard cookie.peer.tag == self.peerTag else { return false }
            } else {
                // Action A: the peer lost all it knew. Its channels are gone, and so is this association.
                guard cookie.localTieTag == self.localTag, cookie.peerTieTag == self.peerTag else { return false }
                self.received.append(.restarted)
                return false
            }
        }
        self.controls.insert(ControlChunk(type: ChunkType.cookieAck), at: 0)
        return true
    }

    func receiveCookieAck() {
        guard self.phase == .cookieEchoed else { return }
        self.comeUp()
    }

    private func comeUp() {
        self.phase = .established
        self.timers[.handshake] = nil
        self.initTries = 0
        self.errorCount = 0
        self.controls.removeAll { $0.type == ChunkType.initiation || $0.type == ChunkType.cookieEcho }
        self.scheduleHeartbeat()
        self.received.append(.up)
    }
}
