/// What a report is to be about (W3C webrtc-pc section 8.5, the stats selection algorithm).
package enum StatsSelector: Sendable, Hashable {
    /// The whole connection.
    case connection
    /// What a transceiver sends.
    case sender(TransceiverID)
    /// What a transceiver receives.
    case receiver(TransceiverID)
}

extension RTCStatsReport {
    /// The streams that are selected, and all that they refer to, directly or not.
    package func selected(_ selector: StatsSelector) -> RTCStatsReport {
        guard selector != .connection else { return self }
        let places = Dictionary(self.entries.indices.map { (self.entries[$0].id, $0) }) { first, _ in first }
        var isTaken = [Bool](repeating: false, count: self.entries.count)
        var pending = self.entries.indices.filter { self.entries[$0].belongs(to: selector) }
        while let place = pending.popLast() {
            guard !isTaken[place] else { continue }
            isTaken[place] = true
            pending += self.entries[place].references.compactMap { places[$0] }
        }
        return RTCStatsReport(zip(self.entries, isTaken).filter(\.1).map(\.0))
    }
}

extension RTCStats {
    fileprivate func belongs(to selector: StatsSelector) -> Bool {
        switch (self.content, selector) {
        case (.outboundRtp, .sender(let id)), (.inboundRtp, .receiver(let id)): return self.transceiver == id
        default: return false
        }
    }

    /// The ids of the entries that this one refers to.
    var references: [String] {
        let ids: [String?]
        switch self.content {
        case .peerConnection, .certificate, .dataChannel, .mediaSource: ids = []
        case .transport(let stats):
            ids = [stats.selectedCandidatePairId, stats.localCertificateId, stats.remoteCertificateId]
        case .localCandidate(let stats), .remoteCandidate(let stats): ids = [stats.transportId]
        case .candidatePair(let stats): ids = [stats.transportId, stats.localCandidateId, stats.remoteCandidateId]
        case .codec(let stats): ids = [stats.transportId]
        case .inboundRtp(let stats): ids = [stats.transportId, stats.codecId, stats.remoteId]
        case .outboundRtp(let stats): ids = [stats.transportId, stats.codecId, stats.mediaSourceId, stats.remoteId]
        case .remoteInboundRtp(let stats): ids = [stats.transportId, stats.codecId, stats.localId]
        case .remoteOutboundRtp(let stats): ids = [stats.transportId, stats.codecId, stats.localId]
        }
        return ids.compactMap { $0 }
    }
}
