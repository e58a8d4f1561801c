internal import CRTCOpenSSL
internal import RTCBase

/// What one connection's OpenSSL callbacks read and write: the datagram being received, the datagrams to send, and what the
/// handshake needs to know. Confined to the connection's thread.
final class DatagramBIO {
    /// The datagram that waits to be read, borrowed for the duration of one call; `nil` when it has been.
    var input: UnsafeRawBufferPointer?
    /// The datagrams to send.
    var output = DatagramBatcher()

    /// The fingerprints the peer's certificate may have; `nil` while they are not known.
    var remoteFingerprints: [DTLSFingerprint]?
    /// Whether a certificate was accepted by its fingerprint.
    var verified = false
    /// Whether a certificate was refused by its fingerprint.
    var mismatched = false
    /// Whether the peer's certificate waits for fingerprints to compare with.
    var waitsForFingerprints = false

    /// The last fatal alert sent and received.
    var sentAlert: Int?
    var receivedAlert: Int?
    var alertsSent = 0
    var alertsReceived = 0
    var datagramsSent = 0
    /// The datagrams written since this was last emptied, while ``isInHandshake``: the flight to repeat when the peer asks.
    var flight: [[UInt8]] = []
    /// Whether what is written is kept and looked at; `false` from the handshake's end on.
    var isInHandshake = true
    /// One more than the highest number of a record written in epoch 1.
    private(set) var nextSequence: UInt64 = 0

    let initialTimeout: UInt32
    let maximumTimeout: UInt32

    init(configuration: DTLSConfiguration) {
        self.initialTimeout = UInt32(clamping: configuration.initialRetransmissionTimeout.microseconds)
        self.maximumTimeout = configuration.maximumRetransmissionMicroseconds
    }

    /// Wires an `SSL` to this object, which must outlive it.
    func attach(to ssl: OpaquePointer) -> Bool {
        guard let method = Self.method, let bio = BIO_new(method) else { return false }
        let pointer = Unmanaged.passUnretained(self).toOpaque()
        BIO_set_data(bio, pointer)
        BIO_set_init(bio, 1)
        SSL_set_bio(ssl, bio, bio)
        guard SSL_set_ex_data(ssl, 0, pointer) == 1 else { return false }
        DTLS_set_timer_cb(ssl) { ssl, previous in
            DatagramBIO.of(ssl)?.timeout(after: previous) ?? previous
        }
        SSL_set_info_callback(ssl) { ssl, what, value in
            guard what & SSL_CB_ALERT != 0 else { return }
            DatagramBIO.of(ssl)?.noteAlert(value, sent: what & SSL_CB_WRITE != 0)
        }
        return true
    }

    static func of(_ ssl: OpaquePointer?) -> DatagramBIO? {
        SSL_get_ex_data(ssl, 0).map { Unmanaged<DatagramBIO>.fromOpaque($0).takeUnretainedValue() }
    }

    private func timeout(after previous: UInt32) -> UInt32 {
        guard previous > 0 else { return self.initialTimeout }
        return min(previous &* 2, max(self.maximumTimeout, self.initialTimeout))
    }

    private func noteAlert(_ value: Int32, sent: Bool) {
        let isFatal = value >> 8 == SSL3_AL_FATAL
        if sent {
            self.alertsSent += 1
            if isFatal { self.sentAlert = Int(value & 0xFF) }
        } else {
            self.alertsReceived += 1
            if isFatal { self.receivedAlert = Int(value & 0xFF) }
        }
    }

    private func append(_ datagram: UnsafeRawBufferPointer) {
        self.output.append(datagram)
        self.datagramsSent += 1
        guard self.isInHandshake else { return }
        self.flight.append(Array(datagram))
        RecordHeader.forEach(in: datagram) { header in
            if header.epoch == 1 { self.nextSequence = max(self.nextSequence, header.sequence + 1) }
        }
    }

    // MARK: BIO

    /// The callbacks' table, one for the process: OpenSSL never gives a BIO type's number back.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        let type = BIO_get_new_index()
        guard type > 0, let method = BIO_meth_new(type | BIO_TYPE_SOURCE_SINK, "datagrams in memory"),
            BIO_meth_set_read(method, { DatagramBIO.read($0, into: $1, count: $2) }) == 1,
            BIO_meth_set_write(method, { DatagramBIO.write($0, from: $1, count: $2) }) == 1,
            BIO_meth_set_ctrl(method, { _, command, _, _ in DatagramBIO.control(command) }) == 1
        else { return nil }
        return method
    }()

    private static func read(_ bio: OpaquePointer?, into bytes: UnsafeMutablePointer<CChar>?, count: Int32) -> Int32 {
        guard let bio, let bytes, count > 0, let data = BIO_get_data(bio) else { return -1 }
        return Unmanaged<DatagramBIO>.fromOpaque(data)._withUnsafeGuaranteedRef { box in
            guard let input = box.input, let start = input.baseAddress else {
                crtc_bio_set_retry_read(bio)
                return -1
            }
            crtc_bio_clear_retry(bio)
            box.input = nil
            let length = min(Int(count), input.count)
            UnsafeMutableRawPointer(bytes).copyMemory(from: start, byteCount: length)
            return Int32(length)
        }
    }

    private static func write(_ bio: OpaquePointer?, from bytes: UnsafePointer<CChar>?, count: Int32) -> Int32 {
        guard let bio, let bytes, count > 0, let data = BIO_get_data(bio) else { return -1 }
        return Unmanaged<DatagramBIO>.fromOpaque(data)._withUnsafeGuaranteedRef { box in
            box.append(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
    }

    private static func control(_ command: Int32) -> Int {
        switch command {
        case BIO_CTRL_FLUSH, BIO_CTRL_PUSH, BIO_CTRL_POP, BIO_CTRL_DUP, BIO_CTRL_SET_CLOSE: return 1
        default: return 0
        }
    }
}
