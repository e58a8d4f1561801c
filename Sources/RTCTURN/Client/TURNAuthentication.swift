internal import RTCBase
internal import RTCSTUN

/// The long-term credentials of a client: what the server said of realm and nonce, and the key that follows (RFC 8489
/// section 9.2).
struct TURNAuthentication {
    /// What to make of a response that refuses credentials or nonce.
    enum Verdict {
        /// Ask again with what the response brought.
        case retry
        /// The credentials are wrong.
        case wrong
        /// Somebody has tampered with the response: it does not count.
        case ignore
    }

    private var username: String
    private var password: String
    /// Grows whenever other credentials take effect.
    private(set) var version = 0
    /// The credentials that an allocation was made with, where others have come since.
    private var former: (username: String, password: String)?
    private(set) var realm: String?
    private var nonce: String?
    private var algorithm = STUNPasswordAlgorithm.md5
    /// The value of the server's PASSWORD-ALGORITHMS, to be sent back byte for byte; `nil` for a server of RFC 5389.
    private var offered: [UInt8]?
    private var usesUserhash = false
    private(set) var key: STUNIntegrityKey?
    private var credential: STUNLongTermCredential?

    init(username: String, password: String) {
        self.username = username
        self.password = password
    }

    /// - Returns: Whether they are other ones.
    mutating func update(username: String, password: String) -> Bool {
        guard username != self.username || password != self.password else { return false }
        self.former = (self.username, self.password)
        self.use(username, password)
        return true
    }

    /// Goes back to the credentials before the last update; `false` if there were none.
    mutating func revert() -> Bool {
        guard let former = self.former else { return false }
        self.former = nil
        self.use(former.username, former.password)
        return true
    }

    private mutating func use(_ username: String, _ password: String) {
        self.username = username
        self.password = password
        self.version += 1
        self.makeKey()
    }

    /// Appends the attributes that authenticate a request, its integrity code last.
    func authenticate(_ builder: inout STUNMessageBuilder) {
        guard let key = self.key, let realm = self.realm, let nonce = self.nonce, let credential = self.credential
        else { return }
        if self.usesUserhash {
            builder.append(.userhash, bytes: credential.userhash)
        } else {
            builder.append(.username, text: credential.username)
        }
        builder.append(.realm, text: realm)
        builder.append(.nonce, text: nonce)
        if let offered = self.offered {
            builder.append(.passwordAlgorithms, bytes: offered)
            builder.appendPasswordAlgorithm(self.algorithm)
        }
        builder.appendIntegrity(key, sha256: self.offered != nil)
    }

    /// Takes realm, nonce and algorithms of a 401 or 438.
    ///
    /// - Parameter isRepeated: Whether the request carried an integrity code already, of the present credentials.
    mutating func take(
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        in datagram: RawSpan,
        isRepeated: Bool
    ) -> Verdict {
        guard let nonce = message.nonce(in: datagram), let realm = message.realm(in: datagram) ?? self.realm else {
            return isRepeated ? .wrong : .ignore
        }
        let offered = attributes.passwordAlgorithms(in: datagram)
        let features = STUNNonceCookie.features(of: nonce) ?? []
        guard let algorithm = STUNNonceCookie.algorithm(nonce: nonce, offered: offered) else { return .ignore }
        // A server that refuses what was made for its present realm does not know the credentials.
        if message.errorCode == TURNErrorCode.unauthenticated.rawValue, isRepeated, realm == self.realm {
            return .wrong
        }
        self.nonce = nonce
        self.realm = realm
        self.algorithm = algorithm
        self.offered =
            features.contains(.passwordAlgorithms)
            ? attributes.passwordAlgorithmsRange.map { range in datagram.withUnsafeBytes { Array($0[range]) } } : nil
        self.usesUserhash = features.contains(.usernameAnonymity)
        self.makeKey()
        return self.key == nil ? .wrong : .retry
    }

    private mutating func makeKey() {
        guard let realm = self.realm else { return }
        self.credential = STUNLongTermCredential(
            username: self.username,
            realm: realm,
            password: self.password
        )
        self.key = self.credential?.integrityKey(self.algorithm)
    }
}
