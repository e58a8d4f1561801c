/// How a connection stands, and what is in its way: for logs, for support, and for programs that want to tell their users.
///
/// Beyond W3C. ``description`` is the same in plain words.
public struct RTCConnectionDiagnosis: Sendable, Hashable {
    /// A candidate pair and what became of it.
    public struct Pair: Sendable, Hashable {
        /// This side's candidate.
        public var local: RTCIceCandidate
        /// The peer's.
        public var remote: RTCIceCandidate
        /// `frozen`, `waiting`, `in-progress`, `succeeded` or `failed` (RFC 8445 section 6.1.2.6).
        public var state: String
        /// Why it failed, in words; `nil` if it did not.
        public var failure: String?
        /// Whether it was nominated.
        public var isNominated: Bool
        /// Whether data takes it.
        public var isSelected: Bool
        /// Checks sent, repetitions included.
        public var checksSent: UInt64
        /// Checks of the peer.
        public var checksReceived: UInt64
        /// Answers to our checks.
        public var answersReceived: UInt64
        /// Checks that this host could not send.
        public var sendFailures: UInt64
    }

    /// The state of the connection.
    public var connectionState: RTCPeerConnectionState
    /// The state of ICE.
    public var iceState: RTCIceTransportState
    /// The state of DTLS.
    public var dtlsState: RTCDtlsTransportState
    /// This side's candidates.
    public var localCandidates: [RTCIceCandidate]
    /// The peer's candidates, those that checks revealed among them.
    public var remoteCandidates: [RTCIceCandidate]
    /// Names of the peer's candidates that have no address here, or none yet.
    public var unresolvedNames: [String]
    /// All pairs, best first.
    public var pairs: [Pair]
    /// The STUN and TURN servers and their last answers, in the order of the configuration.
    public var servers: [RTCIceServerReport]
    /// What is likely in the way, the likeliest first; empty while all is well. Servers that failed are listed even then.
    public var problems: [RTCConnectionProblem]
}

extension RTCConnectionDiagnosis: CustomStringConvertible {
    /// The diagnosis in plain words, several lines.
    public var description: String {
        var lines = [
            "connection \(self.connectionState.rawValue), ICE \(self.iceState.rawValue), DTLS \(self.dtlsState.rawValue)"
        ]
        lines += self.problems.map { "likely cause: \($0)" }
        lines.append("our candidates:" + (self.localCandidates.isEmpty ? " none" : ""))
        lines += self.localCandidates.map { "  \($0.summary)" }
        lines.append("the peer's candidates:" + (self.remoteCandidates.isEmpty ? " none" : ""))
        lines += self.remoteCandidates.map { "  \($0.summary)" }
        lines += self.unresolvedNames.map { "  \($0) has no address here" }
        lines.append("pairs:" + (self.pairs.isEmpty ? " none" : ""))
        lines += self.pairs.map { "  \($0.summary)" }
        if !self.servers.isEmpty { lines.append("servers:") }
        lines += self.servers.map { "  \($0.summary)" }
        return lines.joined(separator: "\n")
    }
}

extension RTCConnectionDiagnosis.Pair {
    fileprivate var summary: String {
        var text = "\(self.local.endpoint) -> \(self.remote.endpoint): \(self.failure ?? self.state)"
        text += "; \(self.checksSent) checks sent, \(self.answersReceived) answered, \(self.checksReceived) came"
        if self.sendFailures > 0 { text += "; \(self.sendFailures) could not be sent" }
        if self.isSelected { text += "; selected" } else if self.isNominated { text += "; nominated" }
        return text
    }
}

extension RTCIceServerReport {
    fileprivate var summary: String {
        switch self.outcome {
        case .pending: return "\(self.url): \(self.text)"
        case .succeeded: return "\(self.url): \(self.text)"
        case .failed(let code): return "\(self.url): \(code) \(self.text)"
        }
    }
}

extension RTCIceCandidate {
    fileprivate var endpoint: String {
        "\(self.type?.rawValue ?? "?") \(self.protocol?.rawValue ?? "?") \(self.address ?? "?"):\(self.port ?? 0)"
    }

    fileprivate var summary: String {
        var text = self.endpoint
        if let tcpType = self.tcpType { text += " \(tcpType.rawValue)" }
        if let related = self.relatedAddress { text += " from \(related):\(self.relatedPort ?? 0)" }
        if let url = self.url { text += " by \(url)" }
        return text
    }
}
