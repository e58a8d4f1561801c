internal import NIOCore
internal import RTCBase
internal import RTCSTUN

extension TURNServerCore {
    /// Sends a success response.
    func grant(_ request: TURNRequest, _ build: (inout STUNMessageBuilder) -> Void = { _ in }) {
        self.counters.successes += 1
        self.respond(request, .successResponse, build)
    }

    /// Sends an error response.
    func refuse(
        _ request: TURNRequest,
        _ code: TURNErrorCode,
        _ build: (inout STUNMessageBuilder) -> Void = { _ in }
    ) {
        self.counters.errors[code.rawValue, default: 0] += 1
        self.respond(request, .errorResponse) { builder in
            builder.appendErrorCode(code)
            build(&builder)
        }
    }

    /// Sends an error response to somebody who has proved nothing, unless too many went there already.
    func refuseUnauthenticated(_ request: TURNRequest, _ code: TURNErrorCode, now: NIODeadline) {
        guard self.mayAnswer(request, now: now) else { return }
        self.refuse(request, code) { builder in
            guard code == .unauthenticated || code == .staleNonce else { return }
            builder.append(.realm, text: self.configuration.realm)
            builder.append(.nonce, text: self.nonces.nonce(for: request.client, now: now))
            if self.configuration.offersPasswordAlgorithms {
                builder.appendPasswordAlgorithms(Self.passwordAlgorithms)
            }
        }
    }

    static let passwordAlgorithms: [STUNPasswordAlgorithm] = [.sha256, .md5]

    /// Whether an answer may go to an address that anybody could have written into the request.
    func mayAnswer(_ request: TURNRequest, now: NIODeadline) -> Bool {
        if request.client.transport.isStream || self.limiter.allows(request.client.client, now: now) {
            return true
        }
        self.counters.suppressedResponses += 1
        return false
    }

    private func respond(
        _ request: TURNRequest,
        _ messageClass: STUNClass,
        _ build: (inout STUNMessageBuilder) -> Void
    ) {
        var builder = STUNMessageBuilder(messageClass, request.method, request.transactionID)
        build(&builder)
        if !request.keyBytes.isEmpty {
            if let software = self.configuration.software { builder.append(.software, text: software) }
            builder.appendIntegrity(STUNIntegrityKey(bytes: request.keyBytes), sha256: request.usesSHA256)
        }
        if request.hasFingerprint { builder.appendFingerprint() }
        self.outputs.append(.send(builder.finish(), to: request.client, from: request.client.server))
    }
}
