import NIOCore
import RTCBase
import RTCICE
import RTCSTUN

/// A peer that does exactly what a test tells it, facing an agent.
final class Puppet {
    let agent: ICEAgent
    let credentials = ICECredentials(ufrag: "pupp", password: "puppetpuppetpuppetpuppet")
    let base = address("192.0.2.1", 1000)
    var now = NIODeadline.uptimeNanoseconds(5_000_000_000)
    var random = RandomSource.seeded(99)
    var events: [ICEAgent.Event] = []
    /// What the agent sent and nobody has looked at yet.
    var inbox: [(message: STUNMessage, bytes: [UInt8], to: TransportAddress)] = []

    init(role: ICERole = .controlled, configuration: ICEConfiguration = ICEConfiguration(), isLite: Bool = false) {
        let credentials = ICECredentials(ufrag: "agent", password: "agentagentagentagentagent")
        self.agent = ICEAgent(
            configuration: configuration,
            role: role,
            localCredentials: credentials,
            random: .seeded(3)
        )
        self.agent.gather(hosts: [ICEHostAddress(base: self.base)], now: self.now)
        self.agent.setRemote(credentials: self.credentials, isLite: isLite, now: self.now)
        self.drain()
    }

    func drain() {
        while let output = self.agent.poll() {
            switch output {
            case .transmit(let payload, _, let to, _):
                let bytes = Array(payload.readableBytesView)
                if let message = STUNMessage(bytes.span.bytes) { self.inbox.append((message, bytes, to)) }
            case .event(let event):
                self.events.append(event)
            }
        }
    }

    func advance(_ time: TimeAmount) {
        let end = self.now + time
        while let due = self.agent.nextTimeout, due <= end {
            self.now = max(self.now, due)
            self.agent.handleTimeout(now: self.now)
            self.drain()
        }
        self.now = end
    }

    func candidate(_ remote: TransportAddress, priority: UInt32 = 2_130_706_431) {
        let candidate = ICECandidate(
            foundation: "f\(remote.port)",
            priority: priority,
            address: .ip(remote),
            type: .host
        )
        self.agent.addRemoteCandidate(candidate, now: self.now)
        self.drain()
    }

    /// Sends a check; returns the answer.
    @discardableResult
    func check(
        from remote: TransportAddress,
        nominating: Bool = false,
        priority: UInt32 = 1_862_270_975,
        controlling: UInt64? = 1,
        controlled: UInt64? = nil,
        password: String? = nil,
        username: String? = nil,
        extra: STUNAttributeType? = nil,
        integrity: Bool = true
    ) -> STUNMessage? {
        let id = STUNTransactionID.random(using: &self.random)
        var builder = STUNMessageBuilder(.request, .binding, id)
        builder.append(.username, text: username ?? "agent:pupp")
        builder.append(.priority, integer: priority)
        if let controlling { builder.append(.iceControlling, integer: controlling) }
        if let controlled { builder.append(.iceControlled, integer: controlled) }
        if nominating { builder.append(.useCandidate) }
        if let extra { builder.append(extra, text: "?") }
        if integrity {
            let key = STUNIntegrityKey(shortTermPassword: password ?? self.agent.localCredentials.password)
            builder.appendIntegrity(key)
        }
        builder.appendFingerprint()
        self.deliver(builder.finish(), from: remote)
        guard let index = self.inbox.firstIndex(where: { $0.message.transactionID == id }) else { return nil }
        return self.inbox.remove(at: index).message
    }

    /// Answers the checks that the agent sent to `remote`; how many there were.
    @discardableResult
    func answerChecks(
        of remote: TransportAddress,
        from source: TransportAddress? = nil,
        errorCode: Int? = nil,
        mapped: TransportAddress? = nil,
        password: String? = nil
    ) -> [STUNMessage] {
        let requests = self.inbox.filter { $0.to == remote && $0.message.messageClass == .request }
        self.inbox.removeAll { $0.to == remote }
        for request in requests {
            var builder = STUNMessageBuilder(
                errorCode == nil ? .successResponse : .errorResponse,
                .binding,
                request.message.transactionID
            )
            if let errorCode {
                builder.appendErrorCode(errorCode, reason: "")
            } else {
                builder.append(.xorMappedAddress, address: mapped ?? self.base)
            }
            builder.appendIntegrity(STUNIntegrityKey(shortTermPassword: password ?? self.credentials.password))
            builder.appendFingerprint()
            self.deliver(builder.finish(), from: source ?? remote)
        }
        return requests.map(\.message)
    }

    func deliver(_ payload: ByteBuffer, from remote: TransportAddress) {
        self.agent.receive(payload.readableBytesSpan, from: remote, to: self.base, now: self.now)
        self.drain()
    }

    func deliver(_ bytes: [UInt8], from remote: TransportAddress) {
        self.agent.receive(bytes.span.bytes, from: remote, to: self.base, now: self.now)
        self.drain()
    }
}
