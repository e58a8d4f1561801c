internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension TURNClient {
    /// So often one request is asked again for its credentials or nonce.
    private static let maximumRefusals = 4

    /// Sends a request and waits for its answer.
    func request(_ purpose: Request.Purpose, refusals: Int = 0, now: NIODeadline) {
        let id = STUNTransactionID.random(using: &self.random)
        var builder = STUNMessageBuilder(.request, Self.method(of: purpose), id)
        self.appendContents(of: purpose, to: &builder)
        self.authentication.authenticate(&builder)
        builder.appendFingerprint()
        let timing =
            self.configuration.isReliable
            ? STUNTransaction.Timing(initialInterval: self.configuration.timeLimit, transmissions: 1, finalWait: 1)
            : self.configuration.timing
        let transaction = STUNTransaction(id: id, request: builder.finish(), timing: timing, now: now)
        self.requests[id] = Request(
            purpose: purpose,
            transaction: transaction,
            refusals: refusals,
            key: self.authentication.key,
            credentials: self.authentication.version
        )
        self.transmit(DatagramBatch(transaction.request))
    }

    private static func method(of purpose: Request.Purpose) -> STUNMethod {
        switch purpose {
        case .allocate: return .allocate
        case .refresh: return .refresh
        case .permit: return .createPermission
        case .bind: return .channelBind
        }
    }

    private func appendContents(of purpose: Request.Purpose, to builder: inout STUNMessageBuilder) {
        switch purpose {
        case .allocate:
            builder.appendRequestedTransport(.udp)
            if let lifetime = self.configuration.lifetime { builder.appendLifetime(lifetime) }
            switch self.families {
            // Without the attribute a server gives IPv4, and one of RFC 5766 understands (RFC 8656 section 7.1).
            case .ipv4: break
            case .ipv6: builder.appendRequestedAddressFamily(.ipv6)
            case .both:
                builder.appendAdditionalAddressFamily(.ipv6)
                // A server that knows the number ignores this one.
                builder.append(
                    .draftAdditionalAddressFamily,
                    integer: UInt32(TURNAddressFamily.ipv6.rawValue) << 24
                )
            }
        case .refresh(let lifetime):
            if let lifetime { builder.appendLifetime(lifetime) }
        case .permit(let peers):
            for peer in peers { builder.append(.xorPeerAddress, address: peer) }
        case .bind(let peer):
            guard let number = self.channels[peer].flatMap({ TURNChannelNumber(rawValue: $0.number) }) else { return }
            builder.appendChannelNumber(number)
            builder.append(.xorPeerAddress, address: peer)
        }
    }

    func handleRequestTimeouts(now: NIODeadline) {
        for (id, entry) in self.requests {
            var request = entry
            switch request.transaction.handleTimeout(now: now) {
            case .wait:
                continue
            case .retransmit:
                self.requests[id] = request
                self.transmit(DatagramBatch(request.transaction.request))
            case .fail:
                self.requests[id] = nil
                let failure = TURNFailure(code: TURNFailure.unreachable, text: self.silence)
                self.failed(request.purpose, failure, now: now)
                if self.phase == .ended { return }
            }
        }
    }

    /// Takes a response of the server.
    func receiveResponse(_ message: STUNMessage, in datagram: RawSpan, now: NIODeadline) {
        guard let request = self.requests[message.transactionID],
            message.method == Self.method(of: request.purpose)
        else {
            self.counters.unexpected += 1
            return
        }
        let attributes = TURNAttributes(of: message, in: datagram)
        if message.messageClass == .errorResponse, let code = message.errorCode {
            self.receiveError(code, message, attributes, in: datagram, for: request, now: now)
            return
        }
        guard self.isTrusted(message, in: datagram, request) else {
            self.counters.badIntegrity += 1
            return
        }
        guard message.messageClass == .successResponse, attributes.unknownRequired.isEmpty else {
            self.requests[message.transactionID] = nil
            self.failed(request.purpose, TURNFailure(code: 420, text: "The answer is not understood."), now: now)
            return
        }
        self.requests[message.transactionID] = nil
        self.lastAnswer = "success"
        self.succeeded(request.purpose, message, attributes, now: now)
    }

    private func isTrusted(_ message: STUNMessage, in datagram: RawSpan, _ request: Request) -> Bool {
        guard let key = request.key else { return true }
        return message.hasValidIntegrity(in: datagram, key: key)
    }

    private func receiveError(
        _ code: Int,
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        in datagram: RawSpan,
        for request: Request,
        now: NIODeadline
    ) {
        let needsCredentials =
            code == TURNErrorCode.unauthenticated.rawValue || code == TURNErrorCode.staleNonce.rawValue
        // Servers do not protect all of their refusals; one that is protected must be so with our key.
        if message.hasIntegrity, !needsCredentials, !self.isTrusted(message, in: datagram, request) {
            self.counters.badIntegrity += 1
            return
        }
        let reason = message.errorReason(in: datagram).prefix(128)
        let failure = TURNFailure(code: code, text: reason.isEmpty ? "The server gave no reason." : String(reason))
        if needsCredentials {
            self.renegotiate(message, attributes, in: datagram, request, failure, now: now)
            return
        }
        self.requests[message.transactionID] = nil
        self.lastAnswer = "\(code) \(reason)"
        if code == TURNErrorCode.wrongCredentials.rawValue, self.askAgain(request, now: now) { return }
        if code == TURNErrorCode.tryAlternate.rawValue, let alternate = message.alternateServer,
            case .allocate = request.purpose
        {
            let domain = attributes.alternateDomain(in: datagram)
            self.end()
            self.emit(.redirected(to: alternate, domain: domain))
        } else {
            self.failed(request.purpose, failure, now: now)
        }
    }

    private func renegotiate(
        _ message: STUNMessage,
        _ attributes: TURNAttributes,
        in datagram: RawSpan,
        _ request: Request,
        _ failure: TURNFailure,
        now: NIODeadline
    ) {
        let isRepeated = request.key != nil && request.credentials == self.authentication.version
        switch self.authentication.take(message, attributes, in: datagram, isRepeated: isRepeated) {
        case .ignore:
            self.counters.badIntegrity += 1
        case .wrong:
            self.requests[message.transactionID] = nil
            self.lastAnswer = "\(failure.code) \(failure.text)"
            if !self.askAgain(request, now: now) { self.failed(request.purpose, failure, now: now) }
        case .retry:
            self.requests[message.transactionID] = nil
            guard request.refusals < Self.maximumRefusals else {
                self.lastAnswer = "\(failure.code) \(failure.text)"
                return self.failed(request.purpose, failure, now: now)
            }
            self.request(request.purpose, refusals: request.refusals + 1, now: now)
        }
    }
    /// Asks with other credentials than those that were refused: the present ones, or those before them.
    private func askAgain(_ request: Request, now: NIODeadline) -> Bool {
        guard request.refusals < Self.maximumRefusals,
            request.credentials != self.authentication.version || self.authentication.revert()
        else { return false }
        self.request(request.purpose, refusals: request.refusals + 1, now: now)
        return true
    }
}
