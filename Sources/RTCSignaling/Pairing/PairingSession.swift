import RTCCrypto

/// Makes a channel that both sides can trust of a code and of a way between them that nobody can trust.
///
/// SPAKE2 (RFC 9382) turns the code into a key; everything said afterwards is sealed with AES-256-GCM under a key for each
/// direction, numbered, and opened in its order only. Whoever carries the messages can hold them back, and nothing else: it can
/// neither read nor alter, repeat, reorder or drop one in the middle without being noticed.
///
/// The joiner confirms first. So whoever joins with a guess learns whether it was right only by showing it, and the inviter
/// counts; it gives its own confirmation only to who has the code.
public struct PairingSession: Sendable {
    /// Who begins.
    public enum Role: Sendable, Hashable {
        /// Who made the code, and counts those that are wrong.
        case inviter
        /// Who was told the code.
        case joiner

        var label: String { self == .inviter ? "inviter" : "joiner" }
        var other: Role { self == .inviter ? .joiner : .inviter }
    }

    /// Why there is no trusted channel, or none any more.
    public enum Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// The other side has another code, or somebody in between altered what was said.
        case wrongCode
        /// Something that the other side did not say came in its name: who carries the messages meddles with them.
        case tampered
        /// The other side speaks another protocol.
        case protocolViolation

        public var description: String {
            switch self {
            case .wrongCode: "the other side has another code, or somebody meddled with the exchange"
            case .tampered: "somebody between the two sides altered, repeated or withheld a message"
            case .protocolViolation: "the other side does not speak this protocol"
            }
        }
    }

    /// What a session has to say.
    public enum Output: Sendable, Hashable {
        /// To be carried to the other side, as it is.
        case transmit(String)
        /// Both sides have shown that they know the code: what is sent from now on is sealed.
        case paired
        /// A message of the other side, for sure.
        case message([String])
        /// It is over; nothing follows.
        case failed(Failure)
    }

    private enum State: Sendable {
        case exchanging(SPAKE2)
        case confirming(SPAKE2, confirmation: [UInt8])
        case paired(sealing: [UInt8], opening: [UInt8])
        case failed
    }

    /// The largest text that is taken from the other side, in bytes.
    public static let maximumTextSize = 96 << 10

    /// Which side this is.
    public let role: Role
    private var state: State
    private var outputs: [Output] = []
    private var sealed: UInt64 = 0
    private var opened: UInt64 = 0

    /// Begins a session; its first text is there to be carried at once.
    ///
    /// - Returns: `nil` if OpenSSL refuses.
    public init?(_ role: Role, code: PairingCode) {
        let exchange = SPAKE2(
            role == .inviter ? .a : .b,
            password: Array(code.description.utf8),
            identityA: Array(Role.inviter.label.utf8),
            identityB: Array(Role.joiner.label.utf8),
            associated: Array("swift-webrtc pairing 1".utf8)
        )
        guard let exchange else { return nil }
        self.role = role
        self.state = .exchanging(exchange)
        self.transmit("share", exchange.share)
    }

    /// Whether the other side has shown that it knows the code.
    public var isPaired: Bool {
        if case .paired = self.state { return true }
        return false
    }

    /// Takes a text that came in the name of the other side.
    public mutating func receive(_ text: String) {
        if case .failed = self.state { return }
        guard text.utf8.count <= Self.maximumTextSize, let parts = JSONStrings.decode(text.utf8), parts.count <= 2,
            let kind = parts.first
        else { return self.fail(.protocolViolation) }
        if kind == "refused", parts.count == 1, !self.isPaired { return self.fail(.wrongCode) }
        guard parts.count == 2, let bytes = Base64.decode(parts[1]) else { return self.fail(.protocolViolation) }
        switch (kind, self.state) {
        case ("share", .exchanging(let exchange)): self.receive(share: bytes, exchange)
        case ("confirm", .confirming(let exchange, let own)): self.receive(confirmation: bytes, exchange, own)
        case ("sealed", .paired(_, let key)): self.receive(sealed: bytes, key)
        default: self.fail(self.isPaired ? .tampered : .protocolViolation)
        }
    }

    /// Sends a message to the other side, sealed; does nothing unless it is paired.
    public mutating func send(_ message: [String]) {
        guard case .paired(let key, _) = self.state, let cipher = AuthenticatedCipher(.sealing, key: key.span.bytes)
        else { return }
        let text = Array(JSONStrings.encode(message).utf8)
        guard let sealed = cipher.seal(text, nonce: Self.nonce(self.sealed)) else {
            return self.fail(.protocolViolation)
        }
        self.sealed += 1
        self.transmit("sealed", sealed)
    }

    /// The next thing that it has to say; nil when there is none.
    public mutating func poll() -> Output? { self.outputs.isEmpty ? nil : self.outputs.removeFirst() }

    // MARK: The exchange

    private mutating func receive(share: [UInt8], _ exchange: SPAKE2) {
        var exchange = exchange
        guard let confirmation = exchange.receive(share) else { return self.fail(.protocolViolation) }
        self.state = .confirming(exchange, confirmation: confirmation)
        if self.role == .joiner { self.transmit("confirm", confirmation) }
    }

    private mutating func receive(confirmation: [UInt8], _ exchange: SPAKE2, _ own: [UInt8]) {
        var exchange = exchange
        guard exchange.confirm(confirmation), let key = exchange.key, let sealing = Self.key(key, from: self.role),
            let opening = Self.key(key, from: self.role.other)
        else {
            if self.role == .inviter { self.outputs.append(.transmit(JSONStrings.encode(["refused"]))) }
            return self.fail(.wrongCode)
        }
        if self.role == .inviter { self.transmit("confirm", own) }
        self.state = .paired(sealing: sealing, opening: opening)
        self.outputs.append(.paired)
    }

    private mutating func receive(sealed: [UInt8], _ key: [UInt8]) {
        guard let cipher = AuthenticatedCipher(.opening, key: key.span.bytes),
            let text = cipher.open(sealed, nonce: Self.nonce(self.opened)), let message = JSONStrings.decode(text)
        else { return self.fail(.tampered) }
        self.opened += 1
        self.outputs.append(.message(message))
    }

    private mutating func transmit(_ kind: String, _ bytes: [UInt8]) {
        self.outputs.append(.transmit(JSONStrings.encode([kind, Base64.encode(bytes)])))
    }

    private mutating func fail(_ failure: Failure) {
        self.state = .failed
        self.outputs.append(.failed(failure))
    }

    private static func key(_ secret: [UInt8], from role: Role) -> [UInt8]? {
        let info = Array("swift-webrtc pairing 1 from \(role.label)".utf8)
        return HKDF.key(
            .sha256,
            secret: secret.span.bytes,
            salt: RawSpan(),
            info: info.span.bytes,
            count: AuthenticatedCipher.keySize
        )
    }

    /// The number of a message in its direction; a key is used for one session only.
    private static func nonce(_ number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { [0, 0, 0, 0] + $0 }
    }
}
