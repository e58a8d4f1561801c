internal import CRTCOpenSSL
public import NIOCore
public import RTCBase

/// One DTLS association: a sans-IO engine around one OpenSSL connection.
///
/// Confined to one thread at a time. The peer is identified by its certificate's fingerprint, which is compared inside the
/// handshake: no connection is ever reported, and no application byte delivered, before it matched. While the fingerprints
/// are unknown the handshake goes as far as it can without the peer's certificate, and waits there.
///
/// Forged datagrams are dropped. A plaintext alert during the handshake, which anybody could have written, ends it only if
/// it makes no progress for another ``unauthenticatedAlertDelay``. OpenSSL keeps the clock of the retransmissions itself;
/// ``nextTimeout`` follows it.
///
/// After each call that may have written something, drain ``poll()``.
public final class DTLSConnection {
    /// Where a connection is in its life; the W3C's `RTCDtlsTransportState`.
    public enum State: String, Sendable, Hashable {
        /// Not started.
        case new
        /// The handshake is under way.
        case connecting
        /// The handshake succeeded and the peer is who it should be.
        case connected
        /// Closed by either side.
        case closed
        /// Failed.
        case failed
    }

    /// What happened.
    public enum Event: Sendable {
        /// The state changed.
        case stateChanged(State)
        /// The handshake succeeded.
        case connected(DTLSSessionInfo)
        /// The connection failed.
        case failed(DTLSError)
        /// The peer closed the connection in order (close_notify).
        case closed
    }

    /// What ``poll()`` returns.
    public enum Output: Sendable {
        /// Datagrams to send to the peer.
        case transmit(DatagramBatch)
        /// Something that happened.
        case event(Event)
    }

    /// How long a handshake must stand still after an alert that nobody authenticated, before it fails.
    public static let unauthenticatedAlertDelay = TimeAmount.seconds(1)

    /// The side of the handshake.
    public let role: DTLSRole
    /// The certificate and configuration.
    public let context: DTLSContext
    /// Where the connection is in its life.
    public internal(set) var state = State.new
    /// What the handshake agreed upon; not `nil` from the moment the connection is established.
    public internal(set) var sessionInfo: DTLSSessionInfo?
    /// Why the connection failed; `nil` unless it did.
    public internal(set) var failure: DTLSError?

    /// OpenSSL's connection, while it has a part: until the end of the handshake, unless the suite is no AEAD.
    var ssl: OpaquePointer?
    /// Who reads and writes records after the handshake; `nil` as long as OpenSSL does.
    var records: RecordLayer?
    /// Whether OpenSSL goes on with the records whatever the suite is, for comparison.
    var keepsOpenSSL = false
    let box: DatagramBIO
    /// Whether OpenSSL's record buffers were taken away, so that it needs them back first.
    var buffersAreReleased = false
    /// Whether the handshake's memory is to be released when its last flight is out.
    var isFreshlyConnected = false
    var tally = DTLSCounters()
    var held = HeldDatagrams()
    /// Encrypted records that overtook the end of the handshake.
    var early = HeldDatagrams()
    var events = OutputQueue<Event>()
    var handshakeDeadline: NIODeadline?
    var retransmissionDeadline: NIODeadline?
    var suspectedAlert: SuspectedAlert?
    /// Where records are decrypted to; at least as large as any datagram seen, so that every record fits.
    var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)

    /// An alert that nobody authenticated, and the handshake's position when it came.
    struct SuspectedAlert {
        var description: Int
        var handshakeState: UInt32
        var deadline: NIODeadline
    }

    /// A connection that waits for ``start(now:)``.
    ///
    /// - Parameters:
    ///   - context: The certificate and configuration.
    ///   - role: The side of the handshake.
    ///   - remoteFingerprints: What the peer's certificate must match; `nil` when not known yet. With an empty array no
    ///     certificate matches.
    /// - Throws: ``DTLSError/Code/library`` when OpenSSL is out of memory.
    public init(
        context: DTLSContext,
        role: DTLSRole,
        remoteFingerprints: [DTLSFingerprint]? = nil
    ) throws(DTLSError) {
        OpenSSLErrorQueue.clear()
        guard let ssl = SSL_new(context.handle.pointer) else {
            throw OpenSSLErrorQueue.takeError(.library, "making a connection")
        }
        self.context = context
        self.role = role
        self.ssl = ssl
        self.box = DatagramBIO(configuration: context.configuration)
        self.box.remoteFingerprints = remoteFingerprints
        guard self.box.attach(to: ssl), crtc_ssl_set_mtu(ssl, context.configuration.mtu) > 0 else {
            throw OpenSSLErrorQueue.takeError(.library, "preparing a connection")
        }
        switch role {
        case .client: SSL_set_connect_state(ssl)
        case .server: SSL_set_accept_state(ssl)
        }
    }

    deinit {
        SSL_free(self.ssl)
        self.scratch.deallocate()
    }

    /// What has been counted.
    public var counters: DTLSCounters {
        var counters = self.tally
        counters.datagramsSent = self.box.datagramsSent
        counters.alertsSent = self.box.alertsSent
        counters.alertsReceived = self.box.alertsReceived
        return counters
    }

    // MARK: Engine

    /// Begins the handshake: a client sends its hello, and a server reads what was held until now. Only the first call counts.
    public func start(now: NIODeadline) {
        guard self.state == .new else { return }
        self.enter(.connecting)
        self.armHandshakeDeadline(now: now)
        self.advanceHandshake(now: now)
        self.releaseHeld(now: now)
    }

    /// Tells what the peer's certificate must match, if that was not known at the beginning; a waiting handshake goes on.
    ///
    /// Has no effect once the peer's certificate was accepted: other fingerprints mean another association
    /// (RFC 8842 section 3.2). See ``peerCertificateMatches(_:)``.
    public func setRemoteFingerprints(_ fingerprints: [DTLSFingerprint], now: NIODeadline) {
        guard !self.box.verified, self.state == .new || self.state == .connecting else { return }
        let wereUnknown = self.box.remoteFingerprints == nil
        self.box.remoteFingerprints = fingerprints
        guard wereUnknown, self.state == .connecting else { return }
        self.armHandshakeDeadline(now: now)
        if self.box.waitsForFingerprints {
            self.box.waitsForFingerprints = false
            self.advanceHandshake(now: now)
        }
        self.releaseHeld(now: now)
    }

    /// Reads one datagram from the peer.
    ///
    /// Before ``start(now:)``, and while the handshake waits for fingerprints, up to 16 datagrams or 32 KiB are held. After
    /// the end datagrams are dropped.
    ///
    /// - Parameters:
    ///   - datagram: The datagram; of a larger one than 16 KiB with its record's overhead nothing is read.
    ///   - now: The time.
    ///   - deliver: Called with each application record while this call lasts, in which ``state`` is connected and
    ///     ``sessionInfo`` known, though the events that tell of it may still wait in ``poll()``. It may call
    ///     ``send(_:)-(RawSpan)`` and ``close(now:)``, but not this function.
    public func receive(_ datagram: RawSpan, now: NIODeadline, deliver: (RawSpan) -> Void) {
        datagram.withUnsafeBytes { self.receive($0, now: now, deliver: deliver) }
    }

    /// The datagram's bytes as a buffer: otherwise the same as ``receive(_:now:deliver:)-(RawSpan,_,_)``.
    public func receive(_ datagram: UnsafeRawBufferPointer, now: NIODeadline, deliver: (RawSpan) -> Void) {
        self.tally.datagramsReceived += 1
        guard !datagram.isEmpty, datagram.count <= Self.maximumDatagramSize else {
            self.tally.datagramsDropped += 1
            return
        }
        switch self.state {
        case .connected:
            self.growScratch(to: datagram.count)
            self.read(datagram, now: now, deliver: deliver)
        case .connecting where !self.mustHold:
            self.growScratch(to: datagram.count)
            self.readHandshake(datagram, now: now)
            if self.state == .connected { self.readPending(now: now, deliver: deliver) }
        case .new, .connecting:
            if !self.held.append(datagram) { self.tally.datagramsDropped += 1 }
        case .closed, .failed:
            self.tally.datagramsDropped += 1
        }
    }

    /// Does what is due: retransmissions, and the end of a handshake that takes too long.
    public func handleTimeout(now: NIODeadline) {
        guard self.state == .connecting else { return }
        if let alert = self.suspectedAlert, alert.deadline <= now {
            self.suspectedAlert = nil
            if alert.handshakeState == self.handshakeState {
                self.fail(
                    DTLSError(.alertReceived, "the peer refused the handshake", receivedAlert: alert.description)
                )
                return
            }
        }
        if let deadline = self.handshakeDeadline, deadline <= now {
            self.fail(
                DTLSError(.handshakeTimeout, "no connection within \(self.context.configuration.handshakeTimeout)")
            )
            return
        }
        if !self.isPaused { self.retransmit(now: now) }
    }

    /// When ``handleTimeout(now:)`` wants to be called next; `nil` when nothing is pending.
    public var nextTimeout: NIODeadline? {
        guard self.state == .connecting else { return nil }
        var next = self.isPaused ? nil : self.retransmissionDeadline
        if let deadline = self.handshakeDeadline { next = min(next ?? deadline, deadline) }
        if let alert = self.suspectedAlert { next = min(next ?? alert.deadline, alert.deadline) }
        return next
    }

    /// Takes what there is to send or to know: datagrams before events; `nil` when there is nothing more.
    public func poll() -> Output? {
        if let batch = self.box.output.next() { return .transmit(batch) }
        if let event = self.events.popFirst() { return .event(event) }
        if self.isFreshlyConnected {
            self.isFreshlyConnected = false
            self.events.removeAll()
            self.releaseIdleMemory()
        }
        return nil
    }

    /// Ends the connection, telling the peer if it is established. Idempotent.
    public func close(now: NIODeadline) {
        switch self.state {
        case .connected:
            self.sendCloseNotify()
            self.enter(.closed)
        case .new, .connecting:
            self.box.output.removeAll()
            self.enter(.closed)
        case .closed, .failed:
            break
        }
    }

    // MARK: Sending

    private func writeRecord(_ record: UnsafeRawBufferPointer) -> Bool {
        if let records = self.records {
            return self.write(RecordHeader.ContentType.applicationData, record, with: records)
        }
        self.acquireBuffers()
        return SSL_write(self.ssl, record.baseAddress, Int32(record.count)) == Int32(record.count)
    }

    /// Encrypts one application record into one datagram.
    ///
    /// - Throws: ``DTLSError/Code/notConnected`` unless ``state`` is connected; ``DTLSError/Code/invalidRecordSize`` when the
    ///   record is empty or longer than ``DTLSConfiguration/maximumRecordSize``.
    public func send(_ record: RawSpan) throws(DTLSError) {
        let failure: DTLSError? = record.withUnsafeBytes { self.write($0) }
        if let failure { throw failure }
    }

    /// The record's bytes as a buffer: otherwise the same as ``send(_:)-(RawSpan)``.
    public func send(_ record: UnsafeRawBufferPointer) throws(DTLSError) {
        if let failure = self.write(record) { throw failure }
    }

    private func write(_ record: UnsafeRawBufferPointer) -> DTLSError? {
        guard self.state == .connected else {
            return DTLSError(.notConnected, "the connection is \(self.state.rawValue)")
        }
        // OpenSSL 3.0 writes a longer record past the end of its buffer.
        guard (1...self.context.configuration.maximumRecordSize).contains(record.count) else {
            return DTLSError(
                .invalidRecordSize,
                "a record has 1 to \(self.context.configuration.maximumRecordSize) bytes, not \(record.count)"
            )
        }
        guard self.writeRecord(record) else {
            let failure = OpenSSLErrorQueue.takeError(.connectionFailed, "sending a record")
            self.fail(failure)
            return failure
        }
        self.tally.recordsSent += 1
        self.tally.bytesSent += record.count
        return nil
    }
}
