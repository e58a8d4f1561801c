public import NIOCore
import RTCBase
import RTCCrypto
import RTCDTLS
import RTCICE
import RTCRTP
import RTCSCTP

extension PeerSession {
    /// What is measured now.
    ///
    /// - Parameter timestamp: The time of day, in milliseconds since 1970.
    public func statistics(now: NIODeadline, timestamp: Double) -> RTCStatsReport {
        self.statistics(of: .connection, now: now, timestamp: timestamp)
    }

    /// What is measured now of the connection, or of what a sender or receiver has to do with.
    ///
    /// - Parameter timestamp: The time of day, in milliseconds since 1970.
    package func statistics(of selector: StatsSelector, now: NIODeadline, timestamp: Double) -> RTCStatsReport {
        self.completeStatistics(now: now, timestamp: timestamp).selected(selector)
    }

    private func completeStatistics(now: NIODeadline, timestamp: Double) -> RTCStatsReport {
        var report = RTCStatsReport()
        let channels = self.channels.transport.statistics
        report.append(
            "P",
            timestamp,
            .peerConnection(
                RTCPeerConnectionStats(
                    dataChannelsOpened: channels.channelsOpened,
                    dataChannelsClosed: channels.channelsClosed
                )
            )
        )
        for handle in self.channels.transport.handles { self.append(handle, timestamp, to: &report) }
        self.appendMedia(now: now, timestamp, to: &report)
        guard let generation = self.transport.current ?? self.transport.next else { return report }
        let pairIDs = self.appendPairs(of: generation, timestamp, to: &report)
        self.appendTransport(generation, selected: pairIDs, timestamp, to: &report)
        return report
    }

    private func appendMedia(now: NIODeadline, _ timestamp: Double, to report: inout RTCStatsReport) {
        let known = Set(self.media?.senders.map(\.id) ?? [])
        for transceiver in self.jsep.transceivers where !known.contains(transceiver.id) && !transceiver.isStopping {
            // Not negotiated yet: there is a source, and no stream.
            guard let track = transceiver.sender.trackID else { continue }
            var stats = RTCMediaSourceStats(trackIdentifier: track, kind: transceiver.kind)
            if transceiver.kind == .video { (stats.frames, stats.framesPerSecond) = (0, 0) }
            report.append(MediaReport.sourceID(transceiver.id, track: track), timestamp, .mediaSource(stats))
        }
        self.media?.appendStatistics(to: &report, now: now, timestamp: timestamp) { id in
            guard let transceiver = self.jsep.transceiver(id), !transceiver.isStopping, !transceiver.isStopped else {
                return nil
            }
            return MediaReport.Tracks(
                sent: transceiver.sender.trackID,
                received: transceiver.receiver.trackID,
                mid: transceiver.mid
            )
        }
    }

    private func append(_ handle: DataChannelHandle, _ timestamp: Double, to report: inout RTCStatsReport) {
        let transport = self.channels.transport
        guard let parameters = transport.parameters(handle), let counts = transport.statistics(handle) else {
            return
        }
        let state: RTCDataChannelState
        switch transport.state(handle) {
        case .connecting: state = .connecting
        case .open: state = .open
        case .closing: state = .closing
        case .closed: state = .closed
        }
        let stats = RTCDataChannelStats(
            label: parameters.label,
            protocol: parameters.`protocol`,
            dataChannelIdentifier: transport.id(handle)?.rawValue,
            state: state,
            messagesSent: UInt64(counts.messagesSent),
            bytesSent: UInt64(counts.bytesSent),
            messagesReceived: UInt64(counts.messagesReceived),
            bytesReceived: UInt64(counts.bytesReceived)
        )
        report.append("D\(handle.number)", timestamp, .dataChannel(stats))
    }

    /// - Returns: The id of the selected pair.
    private func appendPairs(
        of generation: ICEGeneration,
        _ timestamp: Double,
        to report: inout RTCStatsReport
    ) -> String? {
        var localIDs: [ICECandidate: String] = [:]
        var remoteIDs: [ICECandidate: String] = [:]
        func id(_ candidate: ICECandidate, isLocal: Bool) -> String {
            if let known = isLocal ? localIDs[candidate] : remoteIDs[candidate] { return known }
            let prefix = isLocal ? "IL" : "IR"
            let id = "\(prefix)\(generation.ufrag)-\(isLocal ? localIDs.count : remoteIDs.count)"
            let stats = self.stats(
                of: candidate,
                generation,
                ufrag: isLocal ? generation.ufrag : generation.remoteUfrag
            )
            if isLocal {
                localIDs[candidate] = id
                report.append(id, timestamp, .localCandidate(stats))
            } else {
                remoteIDs[candidate] = id
                report.append(id, timestamp, .remoteCandidate(stats))
            }
            return id
        }
        for candidate in generation.agent.localCandidates { _ = id(candidate, isLocal: true) }
        for candidate in generation.agent.remoteCandidates { _ = id(candidate, isLocal: false) }
        var selected: String?
        for counts in generation.agent.statistics() {
            let local = id(counts.pair.local, isLocal: true)
            let remote = id(counts.pair.remote, isLocal: false)
            let pairID = "CP\(local)_\(remote)"
            if counts.isSelected { selected = pairID }
            var stats = RTCCandidatePairStats(
                transportId: "T",
                localCandidateId: local,
                remoteCandidateId: remote,
                state: counts.state.rawValue,
                nominated: counts.isNominated,
                packetsSent: counts.packetsSent,
                packetsReceived: counts.packetsReceived,
                bytesSent: counts.bytesSent,
                bytesReceived: counts.bytesReceived,
                totalRoundTripTime: counts.totalRoundTripTime.seconds,
                currentRoundTripTime: counts.currentRoundTripTime?.seconds,
                requestsReceived: counts.requestsReceived,
                requestsSent: counts.requestsSent,
                responsesReceived: counts.responsesReceived,
                responsesSent: counts.responsesSent,
                consentRequestsSent: counts.consentRequestsSent
            )
            if counts.isSelected, let target = self.media?.congestion?.estimate.target {
                stats.availableOutgoingBitrate = Double(target.bitsPerSecond)
            }
            report.append(pairID, timestamp, .candidatePair(stats))
        }
        return selected
    }

    private func stats(
        of candidate: ICECandidate,
        _ generation: ICEGeneration,
        ufrag: String?
    ) -> RTCIceCandidateStats {
        let rtc = RTCIceCandidate(
            members: RTCIceCandidateInit(
                candidate: candidate.sdpAttributeValue,
                sdpMid: "",
                usernameFragment: ufrag
            ),
            parsed: candidate,
            url: candidate.serverURL
        )
        return RTCIceCandidateStats(
            transportId: "T",
            address: rtc.address,
            port: rtc.port,
            protocol: rtc.protocol ?? .udp,
            candidateType: rtc.type ?? .host,
            priority: candidate.priority,
            url: candidate.serverURL,
            foundation: candidate.foundation,
            relatedAddress: rtc.relatedAddress,
            relatedPort: rtc.relatedPort,
            usernameFragment: ufrag,
            tcpType: rtc.tcpType,
            relayProtocol: candidate.base.flatMap { generation.relayProtocols[$0] }
        )
    }

    private func appendTransport(
        _ generation: ICEGeneration,
        selected: String?,
        _ timestamp: Double,
        to report: inout RTCStatsReport
    ) {
        var stats = RTCTransportStats()
        stats.packetsSent = self.transport.counters.packetsSent
        stats.packetsReceived = self.transport.counters.packetsReceived
        stats.bytesSent = self.transport.counters.bytesSent
        stats.bytesReceived = self.transport.counters.bytesReceived
        stats.iceRole = generation.agent.role == .controlling ? .controlling : .controlled
        stats.iceLocalUsernameFragment = generation.ufrag
        stats.dtlsState = self.transport.dtlsState
        stats.iceState = self.states.iceTransport
        stats.selectedCandidatePairId = selected
        stats.dtlsRole = self.transport.dtlsRole?.rawValue ?? "unknown"
        stats.selectedCandidatePairChanges = self.transport.selectedPairChanges
        let certificate = self.environment.certificate.dtls
        stats.localCertificateId = self.append(certificate.derBytes, "CFL", timestamp, to: &report)
        if let info = self.transport.dtlsInfo {
            stats.tlsVersion = info.version.wireDescription
            stats.dtlsCipher = info.cipherSuite
            stats.dtlsGroup = info.group
            stats.srtpCipher = info.srtpProfile?.name
            stats.remoteCertificateId = info.peerCertificates.first.flatMap {
                self.append($0, "CFR", timestamp, to: &report)
            }
        }
        report.append("T", timestamp, .transport(stats))
    }

    private func append(
        _ der: [UInt8],
        _ id: String,
        _ timestamp: Double,
        to report: inout RTCStatsReport
    ) -> String? {
        let digest = HashAlgorithm.sha256.digest(of: der.span.bytes)
        guard let fingerprint = DTLSFingerprint(algorithm: .sha256, bytes: digest) else { return nil }
        let stats = RTCCertificateStats(
            fingerprint: fingerprint.value,
            fingerprintAlgorithm: fingerprint.algorithm.rawValue,
            base64Certificate: Base64.encode(der)
        )
        report.append(id, timestamp, .certificate(stats))
        return id
    }
}

extension TimeAmount {
    var seconds: Double { Double(self.nanoseconds) / 1e9 }
}
