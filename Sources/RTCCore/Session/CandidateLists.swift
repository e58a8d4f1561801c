import RTCICE

/// The candidates and the selected pair as users see them, made anew only when they changed: they are read with every change of state, and
/// making them costs more than all else in a snapshot.
struct CandidateLists {
    /// What the lists were made from.
    private struct Origin: Equatable {
        var ufrag: String
        var remoteUfrag: String?
        var localCount: Int
        var remoteCount: Int
        var selected: ICECandidatePair?
    }

    private(set) var local: [RTCIceCandidate] = []
    private(set) var remote: [RTCIceCandidate] = []
    private(set) var selected: RTCIceCandidatePair?
    private var origin: Origin?

    /// Brings the lists up to date with a generation.
    mutating func update(
        from generation: ICEGeneration,
        selected pair: ICECandidatePair?,
        _ candidate: (ICECandidate, _ ufrag: String?) -> RTCIceCandidate
    ) {
        let agent = generation.agent
        let origin = Origin(
            ufrag: generation.ufrag,
            remoteUfrag: generation.remoteUfrag,
            localCount: agent.localCandidates.count,
            remoteCount: agent.remoteCandidates.count,
            selected: pair
        )
        guard origin != self.origin else { return }
        self.origin = origin
        self.local = agent.localCandidates.map { candidate($0, generation.ufrag) }
        // What checks found out on their own stays untold (W3C webrtc-pc section 5.6.1, `getRemoteCandidates`).
        self.remote = agent.remoteCandidates.filter { $0.type != .peerReflexive }.map {
            candidate($0, generation.remoteUfrag)
        }
        self.selected = pair.map {
            RTCIceCandidatePair(
                local: candidate($0.local, generation.ufrag),
                remote: candidate($0.remote, generation.remoteUfrag)
            )
        }
    }
}
