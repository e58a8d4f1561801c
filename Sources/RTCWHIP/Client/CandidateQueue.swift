import RTCCore
import RTCSDP

/// This side's candidates that the server has not been told of.
struct CandidateQueue: Sendable {
    private var waiting: [(ufrag: String?, candidate: SDPCandidate)] = []
    /// The ICE session whose candidates are complete, if the server is to be told.
    private var completed: String?
    /// What the server knows of the present ICE session.
    private var known: TrickleFragment?

    var isEmpty: Bool { self.waiting.isEmpty && self.completed == nil }

    /// Adds a candidate that was found; an empty one ends its ICE session, nil adds nothing.
    mutating func add(_ found: RTCIceCandidate?) {
        guard let found else { return }
        let isKnown = self.known?.credentials?.ufrag == found.usernameFragment
        guard !found.candidate.isEmpty else {
            if !isKnown || self.known?.isComplete != true { self.completed = found.usernameFragment }
            return
        }
        guard var candidate = try? SDPCandidate(parsing: found.candidate) else { return }
        candidate.ufrag = nil
        guard !isKnown || self.known?.candidates.contains(candidate) != true else { return }
        self.waiting.append((found.usernameFragment, candidate))
    }

    /// Notes that the server was told all of this in a description.
    mutating func note(_ told: TrickleFragment?) {
        self.known = told
        self.known?.candidates = (told?.candidates ?? []).map { candidate in
            var candidate = candidate
            candidate.ufrag = nil
            return candidate
        }
        let known = self.known
        let ufrag = known?.credentials?.ufrag
        self.waiting.removeAll { $0.ufrag == ufrag && known?.candidates.contains($0.candidate) == true }
        if known?.isComplete == true, self.completed == ufrag { self.completed = nil }
    }

    /// Takes what belongs to an ICE session, and forgets the rest.
    mutating func take(ufrag: String) -> TrickleFragment {
        defer {
            self.waiting = []
            self.completed = nil
        }
        return TrickleFragment(
            credentials: nil,
            candidates: self.waiting.filter { $0.ufrag == nil || $0.ufrag == ufrag }.map(\.candidate),
            isComplete: self.completed == ufrag
        )
    }
}
