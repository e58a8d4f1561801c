public import NIOCore
public import RTCBase

extension ICEAgent {
    /// Counts application datagrams that came over a path. Cheap enough for every datagram.
    public func noteReceived(
        bytes: Int,
        packets: Int = 1,
        remote: TransportAddress,
        base: TransportAddress,
        now: NIODeadline
    ) {
        guard let pair = self.pair(remote: remote, base: base) else { return }
        pair.statistics.bytesReceived &+= UInt64(clamping: bytes)
        pair.statistics.packetsReceived &+= UInt64(clamping: packets)
        pair.statistics.lastPacketReceived = now
    }

    /// Counts application datagrams that went out over a path. Cheap enough for every datagram.
    public func noteSent(
        bytes: Int,
        packets: Int = 1,
        remote: TransportAddress,
        base: TransportAddress,
        now: NIODeadline
    ) {
        guard let pair = self.pair(remote: remote, base: base) else { return }
        pair.statistics.bytesSent &+= UInt64(clamping: bytes)
        pair.statistics.packetsSent &+= UInt64(clamping: packets)
        pair.statistics.lastPacketSent = now
    }

    /// The figures of every pair of the current generation, best first, and of the selected pair if that is older.
    public func statistics() -> [ICECandidatePairStatistics] {
        var pairs = self.current.checklist
        if let selected = self.selected, selected.generation != self.current.number { pairs.append(selected) }
        return pairs.map { pair in
            let figures = pair.statistics
            return ICECandidatePairStatistics(
                pair: pair.publicPair,
                state: pair.state,
                failure: pair.state == .failed ? pair.failure : nil,
                isNominated: pair.isNominated,
                isSelected: pair === self.selected,
                packetsSent: figures.packetsSent,
                packetsReceived: figures.packetsReceived,
                bytesSent: figures.bytesSent,
                bytesReceived: figures.bytesReceived,
                lastPacketSent: figures.lastPacketSent,
                lastPacketReceived: figures.lastPacketReceived,
                requestsSent: figures.requestsSent,
                requestsReceived: figures.requestsReceived,
                responsesSent: figures.responsesSent,
                responsesReceived: figures.responsesReceived,
                consentRequestsSent: figures.consentRequestsSent,
                sendFailures: figures.sendFailures,
                totalRoundTripTime: figures.totalRoundTripTime,
                roundTripTimeMeasurements: figures.roundTripTimeMeasurements,
                currentRoundTripTime: figures.currentRoundTripTime
            )
        }
    }

    private func pair(remote: TransportAddress, base: TransportAddress) -> ICECheckPair? {
        if let selected = self.selected, selected.path.remote == remote, selected.path.base == base { return selected }
        let path = ICEPath(base: base, remote: remote)
        return self.current.pairs[path] ?? self.previous?.pairs[path]
    }
}
