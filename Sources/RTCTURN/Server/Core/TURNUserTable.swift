internal import RTCSTUN

/// The users that a core knows by itself.
struct TURNUserTable {
    enum Found {
        case user(STUNLongTermCredential, account: String)
        case unknown
        /// The owner is to be asked.
        case ask
    }

    private var users: [String: STUNLongTermCredential] = [:]
    private var usersByHash: [[UInt8]: STUNLongTermCredential] = [:]
    private var secrets: [String] = []
    private var asksOwner = false
    private let realm: String

    init(_ configuration: TURNServerCoreConfiguration) {
        self.realm = configuration.realm
        guard case .credentials(let sources) = configuration.authentication else { return }
        for (name, password) in sources.users {
            guard
                let user = STUNLongTermCredential(username: name, realm: configuration.realm, password: password)
            else { continue }
            self.users[user.username] = user
            self.usersByHash[user.userhash] = user
        }
        self.secrets = sources.sharedSecrets
        self.asksOwner = sources.asksOwner
    }

    func find(userhash: [UInt8]) -> Found {
        if let user = self.usersByHash[userhash] { return .user(user, account: user.username) }
        return self.asksOwner ? .ask : .unknown
    }

    /// Finds a user by name.
    ///
    /// - Parameter isRight: Whether a credential is the one that the request was made with; asked only where several secrets
    ///   are possible.
    func find(username: String, unixTime: Int64, isRight: (STUNLongTermCredential) -> Bool) -> Found {
        if let user = self.users[username] { return .user(user, account: username) }
        var last: Found?
        for secret in self.secrets {
            guard let limited = TURNRESTCredential(username: username, secret: secret),
                !limited.isExpired(at: unixTime),
                let credential = STUNLongTermCredential(
                    username: username,
                    realm: self.realm,
                    password: limited.password
                )
            else { continue }
            last = .user(credential, account: limited.user.isEmpty ? username : limited.user)
            if self.secrets.count == 1 || isRight(credential) { break }
        }
        return last ?? (self.asksOwner ? .ask : .unknown)
    }
}
