internal import NIOCore
internal import RTCBase
internal import RTCSTUN

// What STUN servers are asked and say.
extension ICEAgent {
    func sendServerRequests(now: NIODeadline) {
        while !self.gathering.waiting.isEmpty, self.gathering.nextRequestAt <= now {
            let request = self.gathering.waiting.removeFirst()
            let id = STUNTransactionID.random(using: &self.random)
            var builder = STUNMessageBuilder(.request, .binding, id)
            builder.appendFingerprint()
            let transaction = STUNTransaction(
                id: id,
                request: builder.finish(),
                timing: self.configuration.serverTiming,
                now: now
            )
            self.gathering.running[id] = Gathering.Running(request: request, transaction: transaction)
            self.gathering.nextRequestAt = now + self.configuration.pacing
            self.transmitServerRequest(transaction, request)
        }
    }

    private func transmitServerRequest(_ transaction: STUNTransaction, _ request: Gathering.Request) {
        let path = ICEPath(base: request.base, remote: request.server.address)
        self.transmit(transaction.request, over: path, kind: .server(transaction.id))
    }

    func handleGatheringTimeout(now: NIODeadline) {
        self.sendServerRequests(now: now)
        for (id, entry) in self.gathering.running {
            var running = entry
            switch running.transaction.handleTimeout(now: now) {
            case .wait:
                continue
            case .retransmit:
                self.gathering.running[id] = running
                self.transmitServerRequest(running.transaction, running.request)
            case .fail:
                self.gathering.running[id] = nil
                self.reportServerError(running.request, code: 701, text: "The STUN server did not answer.")
            }
        }
        self.finishGatheringIfIdle()
    }

    var nextGatheringTimeout: NIODeadline? {
        let retransmission = self.gathering.running.values.compactMap(\.transaction.nextTimeout).min()
        guard !self.gathering.waiting.isEmpty else { return retransmission }
        return min(retransmission ?? .distantFuture, self.gathering.nextRequestAt)
    }

    /// Takes the answer of a STUN server; `false` if it is none.
    func receiveServerResponse(
        _ message: STUNMessage,
        in datagram: RawSpan,
        path: ICEPath,
        now: NIODeadline
    ) -> Bool {
        guard let running = self.gathering.running[message.transactionID] else { return false }
        let request = running.request
        guard path.base == request.base, path.remote == request.server.address else {
            self.counters.unexpectedResponses += 1
            return true
        }
        self.gathering.running[message.transactionID] = nil
        if let mapped = message.mappedAddress, message.messageClass == .successResponse,
            Self.isPlausible(mapped)
        {
            self.emit(.serverAnswered(url: request.server.url, address: mapped))
            self.addReflexive(mapped, request, now: now)
        } else {
            self.reportServerError(
                request,
                code: message.errorCode ?? 701,
                text: message.messageClass == .errorResponse
                    ? message.errorReason(in: datagram) : "The STUN server's answer has no usable address."
            )
        }
        self.finishGatheringIfIdle()
        return true
    }

    private func addReflexive(_ mapped: TransportAddress, _ request: Gathering.Request, now: NIODeadline) {
        guard mapped.family == request.base.family else { return }
        let candidate = ICECandidate(
            foundation: self.foundation(.serverReflexive, base: request.base, server: request.server.address.ip),
            priority: ICECandidate.priority(type: .serverReflexive, localPreference: request.preference),
            address: .ip(mapped),
            type: .serverReflexive,
            relatedAddress: self.isHidden(request.base) ? request.base.hidden : request.base,
            base: request.base,
            usernameFragment: self.localCredentials.ufrag,
            serverURL: request.server.url
        )
        self.add(candidate, now: now)
    }

    private func reportServerError(_ request: Gathering.Request, code: Int, text: String) {
        self.emit(.candidateError(url: request.server.url, code: code, text: text, address: request.base))
    }
}
