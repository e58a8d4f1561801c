import NIOCore
import RTCBase
import RTCDTLS
import RTCICE
import RTCSCTP

extension PeerSession {
    func connectDTLS(role: DTLSRole, fingerprints: [DTLSFingerprint], now: NIODeadline) throws(RTCError) {
        if let dtls = self.transport.dtls {
            // RFC 8842 section 5: another fingerprint means another association; without one, nothing changes.
            guard Set(fingerprints).isDisjoint(with: self.transport.remoteFingerprints) else { return }
            dtls.close(now: now)
            self.transport.isDTLSStarted = false
            self.channels.transportLost(RTCError(detail: .sctpFailure, "another peer took the connection over"))
            self.drainChannels(now: now)
            self.channels.restart(wake: self.environment.wake)
            self.media?.stop()
        }
        do {
            self.transport.dtls = try DTLSConnection(
                context: self.environment.dtlsContext,
                role: role,
                remoteFingerprints: fingerprints
            )
        } catch {
            throw RTCError(dtls: error)
        }
        self.transport.remoteFingerprints = fingerprints
        self.transport.dtlsRole = role
        self.transport.dtlsState = .new
        if role == .server {
            self.transport.isDTLSStarted = true
            self.transport.dtls?.start(now: now)
        }
        for datagram in self.transport.takeEarly() {
            self.receiveDTLS(datagram.readableBytesSpan, now: now)
        }
    }

    func receiveDTLS(_ datagram: RawSpan, now: NIODeadline) {
        guard let dtls = self.transport.dtls else {
            if !self.transport.holdEarly(datagram) { self.counters.tooEarly += 1 }
            return
        }
        dtls.receive(datagram, now: now) { record in self.channels.receive(record, now: now) }
    }

    /// Brings the layers to rest: what one of them has to say goes to the next, until none has anything to say.
    func settle(now: NIODeadline) {
        guard !self.isClosed else { return }
        self.drainServers(now: now)
        self.drainICE(now: now)
        self.startDTLSIfPossible(now: now)
        self.drainDTLS(now: now)
        self.drainChannels(now: now)
        self.transmit(now: now)
        self.settleMedia(now: now)
        self.fireNegotiationNeeded()
    }

    private func startDTLSIfPossible(now: NIODeadline) {
        guard !self.transport.isDTLSStarted, self.transport.path != nil, let dtls = self.transport.dtls else { return }
        self.transport.isDTLSStarted = true
        dtls.start(now: now)
    }

    /// What DTLS has to send goes along the path; without a path it is lost, and sent again later.
    private func drainDTLS(now: NIODeadline) {
        guard let dtls = self.transport.dtls else { return }
        while let output = dtls.poll() {
            switch output {
            case .transmit(let batch):
                guard let path = self.transport.path else { continue }
                self.transport.noteSent(batch, path: path, now: now)
                self.transmit(batch, along: path, now: now)
            case .event(let event):
                self.handle(event, now: now)
            }
        }
    }

    private func handle(_ event: DTLSConnection.Event, now: NIODeadline) {
        switch event {
        case .stateChanged(let state):
            self.dtlsStateChanged(to: state.rtc)
        case .connected(let info):
            self.transport.dtlsInfo = info
            self.channels.start(now: now)
            self.startMedia(now: now)
        case .failed(let error):
            self.channels.transportLost(RTCError(dtls: error))
            self.emit(.dtlsTransportError(RTCError(dtls: error)))
        case .closed:
            self.channels.transportLost(RTCError(detail: .sctpFailure, "the peer closed the connection"))
        }
    }

    private func dtlsStateChanged(to state: RTCDtlsTransportState) {
        guard state != self.transport.dtlsState else { return }
        self.transport.dtlsState = state
        self.emit(.dtlsTransportStateChange(state))
        self.updateConnectionState()
    }

    /// SCTP packets become records, records become datagrams.
    func transmit(now: NIODeadline) {
        guard let dtls = self.transport.dtls else { return }
        if dtls.state == .connected {
            self.channels.drainPackets { packet in
                // A record that cannot be sent is lost like a datagram: SCTP sends it again.
                try? dtls.send(packet)
            }
        }
        self.drainDTLS(now: now)
    }
}

extension DTLSConnection.State {
    var rtc: RTCDtlsTransportState {
        switch self {
        case .new: return .new
        case .connecting: return .connecting
        case .connected: return .connected
        case .closed: return .closed
        case .failed: return .failed
        }
    }
}

extension RTCError {
    init(dtls error: DTLSError) {
        self.init(detail: error.code == .fingerprintMismatch ? .fingerprintFailure : .dtlsFailure, "\(error)")
        self.receivedAlert = error.receivedAlert
        self.sentAlert = error.sentAlert
    }
}
