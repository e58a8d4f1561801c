internal import CRTCOpenSSL
internal import NIOCore
internal import RTCBase

extension DTLSConnection {
    /// The longest datagram that OpenSSL reads whole: a record of 16 KiB with header and overhead.
    static let maximumDatagramSize = 16_384 + 256

    /// How often OpenSSL is asked to go on with one datagram; a bound against going round in circles.
    private static let maximumSteps = 64

    /// Where the handshake stands.
    var handshakeState: UInt32 { self.ssl.map { SSL_get_state($0).rawValue } ?? 0 }

    /// Whether the next datagram has to wait for the peer's fingerprints.
    ///
    /// A client waits with the server's certificate in its hands. OpenSSL lets only clients do that, so a server waits before
    /// it reads the client's certificate: once its own flight is out. (OpenSSL cannot send a fatal alert afterwards, so
    /// finishing the handshake and comparing later would leave a refused peer without a word.)
    var mustHold: Bool {
        guard self.box.remoteFingerprints == nil else { return false }
        switch self.role {
        case .client: return self.box.waitsForFingerprints
        case .server:
            let state = SSL_get_state(self.ssl)
            return state == TLS_ST_SW_SRVR_DONE || state == TLS_ST_SW_FINISHED || state == TLS_ST_EARLY_DATA
        }
    }

    /// Whether the peer has done its part and only its fingerprints are missing, so that nothing is to be repeated.
    var isPaused: Bool {
        self.box.remoteFingerprints == nil && (self.box.waitsForFingerprints || !self.held.isEmpty)
    }

    func armHandshakeDeadline(now: NIODeadline) {
        guard self.box.remoteFingerprints != nil else { return }
        self.handshakeDeadline = now + .microseconds(self.context.configuration.handshakeTimeout.microseconds)
    }

    /// Reads what was held, as if it came now.
    func releaseHeld(now: NIODeadline) {
        let datagrams = self.held.takeAll()
        for datagram in datagrams {
            datagram.withUnsafeBytes { bytes in
                guard self.state == .connecting else { return }
                if self.mustHold {
                    if !self.held.append(bytes) { self.tally.datagramsDropped += 1 }
                } else {
                    self.growScratch(to: bytes.count)
                    self.readHandshake(bytes, now: now)
                }
            }
        }
    }

    func readHandshake(_ datagram: UnsafeRawBufferPointer, now: NIODeadline) {
        HandshakeRecordFilter.forEachPart(of: datagram) { part in
            switch part {
            case .records(let range):
                guard self.state == .connecting || self.state == .connected else { return }
                self.box.input = UnsafeRawBufferPointer(rebasing: datagram[range])
                if self.state == .connecting { self.advanceHandshake(now: now) }
                // An established connection reads the rest when it looks for application records.
                if self.state != .connected { self.box.input = nil }
            case .early(let range):
                if !self.early.append(UnsafeRawBufferPointer(rebasing: datagram[range])) {
                    self.tally.datagramsDropped += 1
                }
            case .alert(let level, let description):
                self.suspect(level: level, description: description, now: now)
            case .dropped:
                self.tally.datagramsDropped += 1
            }
        }
    }

    private func suspect(level: UInt8, description: UInt8, now: NIODeadline) {
        self.tally.unauthenticatedAlerts += 1
        let isClose = Int32(description) == SSL3_AD_CLOSE_NOTIFY
        guard self.suspectedAlert == nil, Int32(level) == SSL3_AL_FATAL || isClose else { return }
        self.suspectedAlert = SuspectedAlert(
            description: Int(description),
            handshakeState: self.handshakeState,
            deadline: now + Self.unauthenticatedAlertDelay
        )
    }

    /// Lets OpenSSL go on until it needs another datagram.
    func advanceHandshake(now: NIODeadline) {
        OpenSSLErrorQueue.clear()
        self.box.flight.removeAll(keepingCapacity: true)
        for _ in 0..<Self.maximumSteps {
            let result = SSL_do_handshake(self.ssl)
            if result == 1 {
                self.completeHandshake()
                return
            }
            if crtc_ssl_is_in_error(self.ssl) {
                self.failHandshake()
                return
            }
            // A record that came out of order stops OpenSSL although there is more to read.
            guard !self.box.waitsForFingerprints, self.box.input != nil || SSL_has_pending(self.ssl) == 1 else { break }
        }
        OpenSSLErrorQueue.clear()
        self.followTimer(now: now)
    }

    func retransmit(now: NIODeadline) {
        OpenSSLErrorQueue.clear()
        let flight = self.box.flight
        // What is written again takes its own place.
        self.box.flight.removeAll()
        let result = crtc_dtls_handle_timeout(self.ssl)
        if self.box.flight.isEmpty { self.box.flight = flight }
        if result < 0 {
            let text = OpenSSLErrorQueue.takeText(or: "no answer")
            self.fail(DTLSError(.handshakeTimeout, "the peer does not answer: \(text)"))
            return
        }
        if result > 0 { self.tally.retransmissions += 1 }
        self.followTimer(now: now)
    }

    private func followTimer(now: NIODeadline) {
        let left = crtc_dtls_timeout_microseconds(self.ssl)
        // Not before a millisecond has passed, so that two clocks that disagree do not make a caller spin.
        self.retransmissionDeadline = left < 0 ? nil : now + .microseconds(max(left, 1_000))
    }

    private func completeHandshake() {
        OpenSSLErrorQueue.clear()
        self.retransmissionDeadline = nil
        self.handshakeDeadline = nil
        self.suspectedAlert = nil
        // Cannot happen: OpenSSL was told to insist on a certificate and to ask about it. All security rests on it, though.
        guard self.box.verified, let ssl = self.ssl else {
            self.fail(DTLSError(.fingerprintMismatch, "the handshake ended without a verified certificate"))
            return
        }
        let info = self.makeSessionInfo(ssl)
        self.sessionInfo = info
        self.isFreshlyConnected = true
        self.takeOverRecords()
        self.enter(.connected)
        self.events.append(.connected(info))
    }

    private func failHandshake() {
        let text = OpenSSLErrorQueue.takeText(or: "no reason given")
        if self.box.mismatched {
            self.fail(DTLSError(.fingerprintMismatch, "the peer's certificate has none of the expected fingerprints"))
        } else if self.box.receivedAlert != nil {
            self.fail(DTLSError(.alertReceived, "the peer ended the handshake: \(text)"))
        } else {
            self.fail(DTLSError(.handshakeFailed, text))
        }
    }

    func fail(_ error: DTLSError) {
        guard self.state != .failed, self.state != .closed else { return }
        var error = error
        error.sentAlert = error.sentAlert ?? self.box.sentAlert
        error.receivedAlert = error.receivedAlert ?? self.box.receivedAlert
        self.failure = error
        self.enter(.failed)
        self.events.append(.failed(error))
    }

    func enter(_ state: State) {
        self.state = state
        self.events.append(.stateChanged(state))
        if state == .closed || state == .failed {
            self.held = HeldDatagrams()
            self.early = HeldDatagrams()
            self.handshakeDeadline = nil
            self.retransmissionDeadline = nil
            self.suspectedAlert = nil
        }
    }
}
