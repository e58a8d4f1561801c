/// A failure of DTLS or of its certificates.
public struct DTLSError: Error, Sendable, Hashable {
    /// What kind of failure this is.
    public enum Code: String, Sendable, Hashable {
        /// The configuration holds a value outside its range.
        case invalidConfiguration
        /// A certificate or key cannot be made, read or used.
        case invalidCertificate
        /// The call needs an established connection.
        case notConnected
        /// The application record is empty or longer than one record may be.
        case invalidRecordSize
        /// An exporter's label or length is out of range, or nothing was negotiated that could be exported.
        case exportUnavailable
        /// The peer's certificate has none of the expected fingerprints (RFC 8122 section 5.1).
        case fingerprintMismatch
        /// The handshake did not end within its time.
        case handshakeTimeout
        /// The peer ended the connection with a fatal alert.
        case alertReceived
        /// The handshake failed on this side.
        case handshakeFailed
        /// An established connection failed on this side.
        case connectionFailed
        /// The cryptographic library refused an operation that should never fail.
        case library
    }

    /// What kind of failure this is.
    public var code: Code
    /// What happened, in words.
    public var message: String
    /// The description of the last fatal alert sent to the peer (RFC 8446 section 6), if any.
    public var sentAlert: Int?
    /// The description of the last fatal alert received from the peer (RFC 8446 section 6), if any.
    public var receivedAlert: Int?

    /// An error with a code and its explanation.
    public init(_ code: Code, _ message: String, sentAlert: Int? = nil, receivedAlert: Int? = nil) {
        self.code = code
        self.message = message
        self.sentAlert = sentAlert
        self.receivedAlert = receivedAlert
    }
}

extension DTLSError: CustomStringConvertible {
    /// Code, reason and alerts in one line.
    public var description: String {
        var text = "\(self.code.rawValue): \(self.message)"
        if let sentAlert { text += " (sent alert \(sentAlert))" }
        if let receivedAlert { text += " (received alert \(receivedAlert))" }
        return text
    }
}
