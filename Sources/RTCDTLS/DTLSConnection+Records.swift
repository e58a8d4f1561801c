internal import CRTCOpenSSL
internal import NIOCore
internal import RTCBase

extension DTLSConnection {
    private static let smallestScratch = 2_048

    func growScratch(to count: Int) {
        guard count > self.scratch.count else { return }
        self.scratch.deallocate()
        self.scratch = .allocate(
            byteCount: count <= Self.smallestScratch ? Self.smallestScratch : Self.maximumDatagramSize,
            alignment: 16
        )
    }

    /// Releases the 18 KiB of OpenSSL's record buffers, where OpenSSL still has a part, until the next record; they are back at
    /// the cost of 0.2 µs.
    ///
    /// For an owner who sees that the connection rests. It happens by itself at the end of the handshake, for media
    /// connections whose DTLS is never used again.
    public func releaseIdleMemory() {
        guard self.state == .connected, self.ssl != nil, !self.buffersAreReleased, SSL_has_pending(self.ssl) == 0
        else { return }
        self.buffersAreReleased = SSL_free_buffers(self.ssl) == 1
    }

    /// Gives OpenSSL its record buffers back before it writes: its DTLS does not look whether they are there.
    func acquireBuffers() {
        guard self.buffersAreReleased else { return }
        self.buffersAreReleased = false
        SSL_alloc_buffers(self.ssl)
    }

    /// Reads the application records of a datagram on an established connection.
    func read(_ datagram: UnsafeRawBufferPointer, now: NIODeadline, deliver: (RawSpan) -> Void) {
        let before = self.tally.recordsReceived
        if let records = self.records {
            self.read(datagram, with: records, deliver: deliver)
        } else {
            self.box.input = datagram
            self.readRecords(deliver: deliver)
        }
        if self.tally.recordsReceived == before { self.tally.datagramsWithoutData += 1 }
    }

    /// Reads the application records that came along with the handshake's end.
    func readPending(now: NIODeadline, deliver: (RawSpan) -> Void) {
        if self.records == nil, self.box.input != nil || SSL_has_pending(self.ssl) == 1 {
            self.readRecords(deliver: deliver)
        }
        for record in self.early.takeAll() {
            guard self.state == .connected else { return }
            record.withUnsafeBytes { self.read($0, now: now, deliver: deliver) }
        }
    }

    /// One datagram is one record as a rule: asking whether there is more is cheaper than reading in vain.
    private func readRecords(deliver: (RawSpan) -> Void) {
        defer { self.box.input = nil }
        self.acquireBuffers()
        var vain = 0
        repeat {
            let count = SSL_read(self.ssl, self.scratch.baseAddress, Int32(self.scratch.count))
            if count > 0 {
                self.tally.recordsReceived += 1
                self.tally.bytesReceived += Int(count)
                deliver(UnsafeRawBufferPointer(rebasing: self.scratch[..<Int(count)]).bytes)
                continue
            }
            guard self.stillOpenAfterVainRead() else { return }
            vain += 1
        } while self.state == .connected && vain < 4 && (self.box.input != nil || SSL_has_pending(self.ssl) == 1)
    }

    private func stillOpenAfterVainRead() -> Bool {
        if crtc_ssl_is_in_error(self.ssl) {
            let text = OpenSSLErrorQueue.takeText(or: "no reason given")
            let code: DTLSError.Code = self.box.receivedAlert != nil ? .alertReceived : .connectionFailed
            self.fail(DTLSError(code, text))
            return false
        }
        OpenSSLErrorQueue.clear()
        if SSL_get_shutdown(self.ssl) & SSL_RECEIVED_SHUTDOWN != 0 {
            // The answer to a close_notify is another one (RFC 5246 section 7.2.1).
            SSL_shutdown(self.ssl)
            OpenSSLErrorQueue.clear()
            self.enter(.closed)
            self.events.append(.closed)
            return false
        }
        return true
    }
}
