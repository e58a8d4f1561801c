public import NIOCore
internal import RTCBase
internal import RTCSTUN

/// A request whose sender the owner is asked about.
struct PendingAuthentication {
    let request: TURNRequest
    let datagram: [UInt8]
    let algorithm: STUNPasswordAlgorithm
    let expiresAt: NIODeadline
}

/// Tells a request from others of its client, so that retransmissions are known.
struct PendingKey: Hashable {
    let client: TURNFiveTuple
    let transactionID: STUNTransactionID

    init(_ request: TURNRequest) {
        self.client = request.client
        self.transactionID = request.transactionID
    }
}

extension TURNServerCore {
    /// Checks a request's credentials (RFC 8489 section 9.2.4), and handles it if they are right.
    ///
    /// The nonce is looked at before the user: whoever has none that was made for their address has not shown that it is
    /// theirs, and costs neither a look-up nor a question.
    func authenticate(
        _ request: TURNRequest,
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        _ datagram: RawSpan,
        now: NIODeadline
    ) {
        guard message.hasIntegrity else {
            return self.refuseUnauthenticated(request, .unauthenticated, now: now)
        }
        guard message.hasUsername || attributes.userhashRange != nil, message.realm(in: datagram) != nil,
            let nonce = message.nonce(in: datagram), let algorithm = self.algorithm(attributes, datagram)
        else { return self.refuseUnauthenticated(request, .badRequest, now: now) }
        guard self.isFresh(nonce, request, attributes, now: now) else {
            return self.refuseUnauthenticated(request, .staleNonce, now: now)
        }
        if let allocation = self.allocation(of: request, attributes),
            self.isSame(allocation.user, algorithm, message, attributes, datagram)
        {
            return self.verify(request, message, attributes, datagram, allocation.user, now: now)
        }
        switch self.findUser(message, attributes, datagram, algorithm, now: now) {
        case .user(let credential, let account):
            let user = TURNUser(
                name: credential.username,
                account: account,
                keyBytes: credential.keyBytes(algorithm),
                algorithm: algorithm
            )
            self.verify(request, message, attributes, datagram, user, now: now)
        case .unknown:
            self.refuseUnauthenticated(request, .unauthenticated, now: now)
        case .ask:
            self.ask(request, message, attributes, datagram, algorithm, now: now)
        }
    }

    /// The algorithm that the client chose; `nil` if what it says of algorithms is not what it was told.
    private func algorithm(_ attributes: TURNAttributes, _ datagram: RawSpan) -> STUNPasswordAlgorithm? {
        guard self.configuration.offersPasswordAlgorithms,
            attributes.passwordAlgorithm != nil || attributes.passwordAlgorithmsRange != nil
        else { return .md5 }
        guard let chosen = attributes.passwordAlgorithm,
            attributes.passwordAlgorithms(in: datagram) == Self.passwordAlgorithms
        else { return nil }
        return chosen
    }

    /// Whether the nonce is good for the request's client; a data connection may show the nonce of its control connection.
    private func isFresh(
        _ nonce: String,
        _ request: TURNRequest,
        _ attributes: TURNAttributes,
        now: NIODeadline
    ) -> Bool {
        if self.nonces.verdict(on: nonce, from: request.client, now: now) == .valid { return true }
        guard request.method == .connectionBind, let allocation = self.allocation(of: request, attributes) else {
            return false
        }
        return self.nonces.verdict(on: nonce, from: allocation.client, now: now) == .valid
    }

    /// The allocation that a request is about: its client's, or its connection's.
    private func allocation(of request: TURNRequest, _ attributes: TURNAttributes) -> TURNAllocation? {
        if request.method == .connectionBind {
            return attributes.connectionID.flatMap { self.connections[$0]?.allocation }
        }
        return self.allocations[request.client]
    }

    /// Whether a request comes from a user with a key that is known already.
    private func isSame(
        _ user: TURNUser,
        _ algorithm: STUNPasswordAlgorithm,
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        _ datagram: RawSpan
    ) -> Bool {
        guard user.algorithm == algorithm else { return false }
        if let username = message.username(in: datagram) { return username == user.name }
        guard let range = attributes.userhashRange else { return false }
        let hash = STUNLongTermCredential.userhash(username: user.name, realm: self.configuration.realm)
        return hash == Self.bytes(datagram, range)
    }

    private func findUser(
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        _ datagram: RawSpan,
        _ algorithm: STUNPasswordAlgorithm,
        now: NIODeadline
    ) -> TURNUserTable.Found {
        guard let username = message.username(in: datagram) else {
            return attributes.userhashRange.map { self.users.find(userhash: Self.bytes(datagram, $0)) } ?? .unknown
        }
        // Closures cannot hold spans.
        let copy = Self.bytes(datagram, 0..<datagram.byteCount)
        return self.users.find(username: username, unixTime: self.unixTime(at: now)) { credential in
            message.hasValidIntegrity(in: copy.span.bytes, key: credential.integrityKey(algorithm))
        }
    }

    private func verify(
        _ request: TURNRequest,
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        _ datagram: RawSpan,
        _ user: TURNUser,
        now: NIODeadline
    ) {
        guard message.hasValidIntegrity(in: datagram, key: STUNIntegrityKey(bytes: user.keyBytes)) else {
            return self.refuseUnauthenticated(request, .unauthenticated, now: now)
        }
        var request = request
        request.keyBytes = user.keyBytes
        request.usesSHA256 = attributes.passwordAlgorithm != nil && self.configuration.offersPasswordAlgorithms
        self.handle(request, attributes, user, now: now)
    }

    static func bytes(_ datagram: RawSpan, _ range: Range<Int>) -> [UInt8] {
        datagram.extracting(range).withUnsafeBytes { Array($0) }
    }

    // MARK: Asking the owner

    private func ask(
        _ request: TURNRequest,
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        _ datagram: RawSpan,
        _ algorithm: STUNPasswordAlgorithm,
        now: NIODeadline
    ) {
        guard !self.pendingRequests.contains(PendingKey(request)) else { return }
        let address = request.client.client.network
        guard self.pendingAuthentications.count < self.configuration.pendingAuthentications,
            self.pendingByAddress[address, default: 0] < self.configuration.pendingAuthenticationsPerAddress,
            datagram.byteCount <= Self.longestPendingRequest
        else {
            self.counters.authenticationsDropped += 1
            return
        }
        self.pendingRequests.insert(PendingKey(request))
        self.pendingByAddress[address, default: 0] += 1
        self.lastAuthentication += 1
        let id = self.lastAuthentication
        let deadline = now + self.configuration.pendingTimeout
        self.pendingAuthentications[id] = PendingAuthentication(
            request: request,
            datagram: Self.bytes(datagram, 0..<datagram.byteCount),
            algorithm: algorithm,
            expiresAt: deadline
        )
        self.wheel.insert(.authentication(id), at: deadline)
        let question = TURNAuthenticationRequest(
            id: id,
            username: message.username(in: datagram),
            userhash: attributes.userhashRange.map { Self.bytes(datagram, $0) },
            realm: self.configuration.realm,
            client: request.client
        )
        self.outputs.append(.authenticate(question))
    }

    private static let longestPendingRequest = 2_048

    /// Takes a request out of those that wait.
    func takePending(_ id: UInt64) -> PendingAuthentication? {
        guard let pending = self.pendingAuthentications.removeValue(forKey: id) else { return nil }
        self.pendingRequests.remove(PendingKey(pending.request))
        let address = pending.request.client.client.network
        let left = self.pendingByAddress[address, default: 1] - 1
        self.pendingByAddress[address] = left > 0 ? left : nil
        return pending
    }

    /// Takes the answer to a ``TURNServerOutput/authenticate(_:)``. Answers that come too late do nothing.
    public func authenticated(_ id: UInt64, _ answer: TURNAuthenticationAnswer, now: NIODeadline) {
        guard let pending = self.takePending(id), self.isReachable(pending.request.client) else { return }
        let datagram = pending.datagram.span.bytes
        guard let message = STUNMessage(datagram) else { return }
        let attributes = TURNAttributes(of: message, in: datagram)
        switch answer {
        case .password(let username, let password):
            guard
                let credential = STUNLongTermCredential(
                    username: username,
                    realm: self.configuration.realm,
                    password: password
                )
            else { return self.refuseUnauthenticated(pending.request, .unauthenticated, now: now) }
            let user = TURNUser(
                name: credential.username,
                account: credential.username,
                keyBytes: credential.keyBytes(pending.algorithm),
                algorithm: pending.algorithm
            )
            self.verify(pending.request, message, attributes, datagram, user, now: now)
        case .key(let username, let bytes, let algorithm):
            guard algorithm == pending.algorithm else {
                return self.refuseUnauthenticated(pending.request, .unauthenticated, now: now)
            }
            let user = TURNUser(name: username, account: username, keyBytes: bytes, algorithm: algorithm)
            self.verify(pending.request, message, attributes, datagram, user, now: now)
        case .unknown:
            self.refuseUnauthenticated(pending.request, .unauthenticated, now: now)
        case .unavailable:
            self.refuseUnauthenticated(pending.request, .serverError, now: now)
        }
    }
}
