internal import CRTCOpenSSL
internal import RTCBase

// What OpenSSL does during the handshake and this package after it, where the suite is an AEAD.
extension DTLSConnection {
    private static let closeNotify: [UInt8] = [UInt8(SSL3_AL_WARNING), UInt8(SSL3_AD_CLOSE_NOTIFY)]

    /// Replaces OpenSSL, if it can be.
    func takeOverRecords() {
        self.box.isInHandshake = false
        guard let ssl = self.ssl, !self.keepsOpenSSL,
            let records = RecordLayer(takingOver: ssl, role: self.role, nextSequence: self.box.nextSequence)
        else {
            self.box.flight = []
            return
        }
        self.records = records
        self.box.input = nil
        SSL_free(ssl)
        self.ssl = nil
        // Only a server speaks last, and may have to say it again (RFC 6347 section 4.2.4).
        if self.role == .client { self.box.flight = [] }
    }

    func write(_ type: UInt8, _ plaintext: UnsafeRawBufferPointer, with records: RecordLayer) -> Bool {
        guard records.seal(type, plaintext, to: &self.box.output) else { return false }
        self.box.datagramsSent += 1
        return true
    }

    /// Reads all records of a datagram; what is not authentic is skipped (RFC 6347 section 4.1.2.7).
    func read(_ datagram: UnsafeRawBufferPointer, with records: RecordLayer, deliver: (RawSpan) -> Void) {
        var offset = 0
        while self.state == .connected, let header = RecordHeader(in: datagram, at: offset) {
            if let count = records.open(header, in: datagram, at: offset, to: self.scratch) {
                self.take(header.type, UnsafeRawBufferPointer(rebasing: self.scratch[..<count]), deliver: deliver)
            }
            offset += RecordHeader.size + header.bodySize
        }
    }

    private func take(_ type: UInt8, _ plaintext: UnsafeRawBufferPointer, deliver: (RawSpan) -> Void) {
        switch type {
        case RecordHeader.ContentType.applicationData:
            // The peer goes on, so it has our last flight.
            self.box.flight = []
            guard !plaintext.isEmpty else { return }
            self.tally.recordsReceived += 1
            self.tally.bytesReceived += plaintext.count
            deliver(plaintext.bytes)
        case RecordHeader.ContentType.alert where plaintext.count == 2:
            self.takeAlert(level: Int32(plaintext[0]), description: Int32(plaintext[1]))
        case RecordHeader.ContentType.handshake where plaintext.first == UInt8(SSL3_MT_FINISHED):
            self.repeatFlight()
        default:
            // Requests to negotiate anew are not answered.
            break
        }
    }

    /// Says that datagrams take another path from now on: what was sent last in the handshake may have been lost on the old one, and
    /// is sent again at once, not when its time has come.
    public func pathChanged() {
        switch self.state {
        case .connecting where !self.isPaused, .connected: self.repeatFlight()
        case .new, .connecting, .closed, .failed: break
        }
    }

    /// The peer says its last word again, so ours was lost.
    private func repeatFlight() {
        guard !self.box.flight.isEmpty else { return }
        self.tally.retransmissions += 1
        for datagram in self.box.flight {
            datagram.withUnsafeBytes { self.box.output.append($0) }
            self.box.datagramsSent += 1
        }
    }

    private func takeAlert(level: Int32, description: Int32) {
        self.box.alertsReceived += 1
        if description == SSL3_AD_CLOSE_NOTIFY {
            // The answer to a close_notify is another one (RFC 5246 section 7.2.1).
            self.sendCloseNotify()
            self.enter(.closed)
            self.events.append(.closed)
        } else if level == SSL3_AL_FATAL {
            self.box.receivedAlert = Int(description)
            self.fail(DTLSError(.alertReceived, "the peer ended the connection"))
        }
    }

    /// Tells an established peer that nothing follows.
    func sendCloseNotify() {
        if let records = self.records {
            let isSent = Self.closeNotify.withUnsafeBytes {
                self.write(RecordHeader.ContentType.alert, $0, with: records)
            }
            if isSent { self.box.alertsSent += 1 }
        } else {
            self.acquireBuffers()
            SSL_shutdown(self.ssl)
        }
        OpenSSLErrorQueue.clear()
    }
}
