/// An error of this library, named as the W3C specifications name it.
///
/// JavaScript's exceptions become values of this type: a `TypeError` is the code ``Code/typeError``, a `DOMException` the code
/// with its name.
public struct RTCError: Error, Sendable, Hashable {
    /// What kind of failure this is: the name of the exception the W3C specifications throw.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The W3C name, for example `InvalidStateError`.
        public let name: String

        init(_ name: String) { self.name = name }

        /// The call is not allowed in the object's present state.
        public static let invalidState = Code("InvalidStateError")
        /// The description or setting changes what may not be changed.
        public static let invalidModification = Code("InvalidModificationError")
        /// The object does not take this parameter or operation.
        public static let invalidAccess = Code("InvalidAccessError")
        /// The operation failed for a reason of its own.
        public static let operation = Code("OperationError")
        /// A text is not of its grammar (a URL, for example).
        public static let syntax = Code("SyntaxError")
        /// A text has a character that may not be in it.
        public static let invalidCharacter = Code("InvalidCharacterError")
        /// An argument is not of its type or range.
        public static let type = Code("TypeError")
        /// A number is out of range.
        public static let range = Code("RangeError")
        /// The operation is not supported.
        public static let notSupported = Code("NotSupportedError")
        /// A send queue is full.
        public static let quotaExceeded = Code("QuotaExceededError")
        /// The network failed.
        public static let network = Code("NetworkError")
        /// The operation was cancelled.
        public static let abort = Code("AbortError")
        /// A WebRTC error with an ``RTCError/detail-swift.property`` (W3C webrtc-pc section 11, `RTCError`).
        public static let rtc = Code("RTCError")

        /// The W3C name.
        public var description: String { self.name }
    }

    /// What an error with the code ``Code/rtc`` is about (W3C `RTCErrorDetailType`).
    public enum Detail: String, Sendable, Hashable {
        /// A data channel failed.
        case dataChannelFailure = "data-channel-failure"
        /// The DTLS handshake failed, or a fatal alert was received.
        case dtlsFailure = "dtls-failure"
        /// The peer's certificate is not the one that its description announced.
        case fingerprintFailure = "fingerprint-failure"
        /// SCTP failed or was aborted by the peer.
        case sctpFailure = "sctp-failure"
        /// A description cannot be read; ``sdpLineNumber`` says where.
        case sdpSyntaxError = "sdp-syntax-error"
        /// Never used: there are no hardware encoders here.
        case hardwareEncoderNotAvailable = "hardware-encoder-not-available"
        /// Never used: there are no hardware encoders here.
        case hardwareEncoderError = "hardware-encoder-error"
    }

    /// The kind of failure.
    public var code: Code
    /// What happened and what to do, in words.
    public var message: String
    /// What a WebRTC error is about; `nil` for other codes.
    public var detail: Detail?
    /// The line of the description at fault, from 1; only with ``Detail-swift.enum/sdpSyntaxError``.
    public var sdpLineNumber: Int?
    /// The SCTP cause code of an abort (RFC 9260 section 3.3.10); only with ``Detail-swift.enum/sctpFailure``.
    public var sctpCauseCode: Int?
    /// The DTLS alert that was received, if any (RFC 8446 section 6).
    public var receivedAlert: Int?
    /// The DTLS alert that was sent, if any.
    public var sentAlert: Int?

    /// An error with a code and its explanation.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A WebRTC error with a detail.
    public init(detail: Detail, _ message: String, sdpLineNumber: Int? = nil, sctpCauseCode: Int? = nil) {
        self.code = .rtc
        self.message = message
        self.detail = detail
        self.sdpLineNumber = sdpLineNumber
        self.sctpCauseCode = sctpCauseCode
    }
}

extension RTCError: CustomStringConvertible {
    /// Code, detail and message in one line.
    public var description: String {
        if let detail = self.detail { return "\(self.code) (\(detail.rawValue)): \(self.message)" }
        return "\(self.code): \(self.message)"
    }
}
