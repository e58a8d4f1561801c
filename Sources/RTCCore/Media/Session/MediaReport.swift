import NIOCore
import RTCRTP

/// Writes the entries of streams into a report.
///
/// Ids: `OT`, `IT`, `RI` and `RO` begin those of streams, with the number of the transceiver, the kind and the SSRC behind; `CO` and `CI` those of
/// codecs, by direction, with payload type, name and parameters; `S` those of sources, with transceiver and track.
struct MediaReport {
    /// The identifiers of a transceiver's tracks.
    struct Tracks {
        var sent: String?
        var received: String
        var mid: String?
    }

    private(set) var report: RTCStatsReport
    let now: NIODeadline
    let timestamp: Double
    private var codecs: Set<String> = []
    private static let transportID = "T"

    init(report: RTCStatsReport, now: NIODeadline, timestamp: Double) {
        self.report = report
        self.now = now
        self.timestamp = timestamp
    }

    /// The time of day of an instant that is past, in milliseconds since 1970.
    private func milliseconds(_ instant: NIODeadline) -> Double {
        self.timestamp - (self.now - instant).seconds * 1000
    }

    private mutating func codec(_ payloadType: PayloadType, _ codec: RTCRtpCodec, isSent: Bool) -> String {
        let parameters = codec.sdpFmtpLine.flatMap { $0.isEmpty ? nil : $0 }
        let suffix = parameters.map { "_\($0)" } ?? ""
        let id = "C\(isSent ? "O" : "I")\(payloadType)_\(codec.name)\(suffix)"
        guard self.codecs.insert(id).inserted else { return id }
        let stats = RTCCodecStats(
            payloadType: payloadType,
            transportId: Self.transportID,
            mimeType: codec.mimeType,
            clockRate: codec.clockRate,
            channels: codec.channels,
            sdpFmtpLine: parameters
        )
        self.report.append(id, self.timestamp, .codec(stats))
        return id
    }

    private static func id(_ prefix: String, _ id: TransceiverID, _ kind: MediaKind, _ ssrc: SSRC) -> String {
        "\(prefix)\(id.number)\(kind == .audio ? "A" : "V")\(ssrc.rawValue)"
    }
}

// MARK: - What is sent

extension MediaReport {
    mutating func append(_ sender: MediaSender, _ tracks: Tracks) {
        let source = tracks.sent.map { self.appendSource(of: sender, track: $0) }
        for (index, stream) in sender.streams.enumerated() {
            // What was negotiated is there before its first packet.
            let isNegotiated = sender.isActive && stream.encoding.isWanted
            guard isNegotiated || stream.statistics.packetCount > 0 else { continue }
            self.append(stream, index, of: sender, source: source, tracks)
        }
    }

    private mutating func appendSource(of sender: MediaSender, track: String) -> String {
        let id = MediaReport.sourceID(sender.id, track: track)
        var stats = RTCMediaSourceStats(trackIdentifier: track, kind: sender.kind)
        if sender.kind == .video {
            let busiest = sender.streams.max { $0.source.frames < $1.source.frames }?.source
            stats.frames = busiest?.frames ?? 0
            stats.framesPerSecond = Double(busiest?.rate.framesPerSecond(now: self.now) ?? 0)
        } else {
            stats.audioLevel = sender.streams.first?.source.level?.linear
        }
        self.report.append(id, self.timestamp, .mediaSource(stats))
        return id
    }

    static func sourceID(_ id: TransceiverID, track: String) -> String { "S\(id.number)-\(track)" }

    private mutating func append(
        _ stream: SendStream,
        _ index: Int,
        of sender: MediaSender,
        source: String?,
        _ tracks: Tracks
    ) {
        let id = Self.id("OT", sender.id, sender.kind, stream.ssrc)
        var codecID: String?
        if let type = stream.lastPayloadType, let codec = stream.lastFormat {
            codecID = self.codec(type, codec, isSent: true)
        }
        let counts = stream.counts
        var stats = RTCOutboundRtpStreamStats(
            ssrc: stream.ssrc,
            kind: sender.kind,
            transportId: Self.transportID,
            codecId: codecID,
            mid: tracks.mid,
            mediaSourceId: source,
            rid: stream.encoding.rid,
            encodingIndex: index,
            active: stream.encoding.parameters.active,
            scalabilityMode: stream.encoding.parameters.scalabilityMode
        )
        let protection = stream.protection
        stats.packetsSent = stream.statistics.packetCount &+ counts.retransmittedPackets &+ protection.packets
        stats.bytesSent = stream.statistics.payloadByteCount &+ counts.retransmittedBytes &+ protection.bytes
        stats.headerBytesSent =
            stream.statistics.overheadByteCount &+ counts.retransmittedHeaderBytes &+ protection.headerBytes
        if sender.section.send.formats.flexFEC != nil || protection.packets > 0 {
            stats.fecPacketsSent = protection.packets
            stats.fecBytesSent = protection.bytes
            stats.fecSsrc = stream.encoding.fecSSRC
        }
        stats.retransmittedPacketsSent = counts.retransmittedPackets
        stats.retransmittedBytesSent = counts.retransmittedBytes
        let hasRetransmissions = sender.section.send.formats.codecs.contains { $0.rtx != nil }
        stats.rtxSsrc = hasRetransmissions ? stream.encoding.rtxSSRC : nil
        stats.targetBitrate = stream.target.map { Double($0.bitsPerSecond) }
        stats.totalPacketSendDelay = counts.totalQueueTime.seconds
        stats.nackCount = counts.requests
        if sender.kind == .video {
            stats.framesEncoded = counts.encodedFrames
            stats.keyFramesEncoded = counts.encodedKeyFrames
            stats.framesSent = counts.frames
            stats.hugeFramesSent = counts.hugeFrames
            stats.firCount = counts.fullIntras
            stats.pliCount = counts.pictureLosses
        }
        stats.remoteId = self.appendRemote(of: stream, sender, localID: id, codecID: codecID)
        self.report.append(id, self.timestamp, .outboundRtp(stats), of: sender.id)
    }

    private mutating func appendRemote(
        of stream: SendStream,
        _ sender: MediaSender,
        localID: String,
        codecID: String?
    ) -> String? {
        guard let remote = stream.statistics.remote else { return nil }
        let id = Self.id("RI", sender.id, sender.kind, stream.ssrc)
        let block = remote.block
        let rate = Double(max(stream.statistics.clockRate, 1))
        let stats = RTCRemoteInboundRtpStreamStats(
            ssrc: stream.ssrc,
            kind: sender.kind,
            transportId: Self.transportID,
            codecId: codecID,
            packetsReceived: Self.packetsReceived(block, first: stream.firstSequence),
            packetsLost: Int64(block.cumulativeLost),
            jitter: Double(block.jitter) / rate,
            localId: localID,
            roundTripTime: stream.statistics.roundTripTime?.seconds,
            totalRoundTripTime: stream.statistics.totalRoundTripTime.seconds,
            fractionLost: Double(block.fractionLost) / 256,
            roundTripTimeMeasurements: stream.statistics.roundTripTimeCount
        )
        self.report.append(id, self.milliseconds(remote.arrival), .remoteInboundRtp(stats))
        return id
    }

    /// W3C webrtc-stats, `packetsReceived`: what RFC 3550 appendix A.3 does, from the sender's point of view.
    private static func packetsReceived(_ block: RTCPReportBlock, first: UInt16?) -> UInt64 {
        guard let first else { return 0 }
        let expected = Int64(block.highestSequenceNumber) - Int64(first) + 1
        return UInt64(max(0, expected - Int64(block.cumulativeLost)))
    }
}

// MARK: - What is received

extension MediaReport {
    mutating func append(_ receiver: MediaReceiver, _ tracks: Tracks) {
        for stream in receiver.streams where stream.statistics.packetCount > 0 {
            self.append(stream, of: receiver, tracks)
        }
    }

    private mutating func append(_ stream: ReceiveStream, of receiver: MediaReceiver, _ tracks: Tracks) {
        let kind = receiver.section.kind
        let id = Self.id("IT", receiver.id, kind, stream.ssrc)
        let codecID = self.codec(stream.format.payloadType, stream.format.codec, isSent: false)
        let counts = stream.counts
        var stats = RTCInboundRtpStreamStats(
            ssrc: stream.ssrc,
            kind: kind,
            transportId: Self.transportID,
            codecId: codecID,
            trackIdentifier: tracks.received,
            mid: tracks.mid
        )
        stats.packetsReceived = stream.statistics.packetCount &+ counts.retransmittedPackets
        stats.packetsLost = stream.statistics.lostCount
        stats.jitter = stream.statistics.jitterTime.seconds
        stats.lastPacketReceivedTimestamp = stream.statistics.lastArrival.map { self.milliseconds($0) }
        stats.headerBytesReceived = stream.statistics.overheadByteCount &+ counts.retransmittedHeaderBytes
        stats.bytesReceived = stream.statistics.payloadByteCount &+ counts.retransmittedBytes
        stats.nackCount = counts.requests
        let hasRetransmissions = receiver.section.receive.formats.codecs.contains { $0.rtx != nil }
        stats.retransmittedPacketsReceived = hasRetransmissions ? counts.retransmittedPackets : nil
        stats.retransmittedBytesReceived = hasRetransmissions ? counts.retransmittedBytes : nil
        stats.rtxSsrc = stream.rtxSSRC
        if kind == .video {
            stats.firCount = counts.fullIntras
            stats.pliCount = counts.pictureLosses
        } else {
            stats.audioLevel = stream.latest?.level?.linear
        }
        Self.fill(&stats, stream.frameCounts)
        Self.fillRedundancy(&stats, stream)
        stats.remoteId = self.appendRemote(of: stream, receiver, localID: id, codecID: codecID)
        self.report.append(id, self.timestamp, .inboundRtp(stats), of: receiver.id)
    }

    private static func fill(_ stats: inout RTCInboundRtpStreamStats, _ counts: FrameBuffer.Counters?) {
        guard let counts else { return }
        stats.packetsDiscarded = counts.discardedPackets
        guard stats.kind == .video else { return }
        stats.jitterBufferDelay = counts.totalDelay.seconds
        stats.jitterBufferEmittedCount = counts.frames
        stats.framesReceived = counts.frames &+ counts.undecodableFrames
        stats.framesDropped = counts.undecodableFrames
        stats.framesAssembledFromMultiplePackets = counts.assembledFrames
        stats.totalAssemblyTime = counts.totalAssembly.seconds
    }

    /// What came ahead of loss: repair packets for pictures, earlier sound in packets of sound.
    private static func fillRedundancy(_ stats: inout RTCInboundRtpStreamStats, _ stream: ReceiveStream) {
        if let counters = stream.repair?.counters {
            stats.fecPacketsReceived = counters.fecPacketsReceived
            stats.fecBytesReceived = counters.fecBytesReceived
            stats.fecPacketsDiscarded = counters.fecPacketsDiscarded
            stats.fecSsrc = stream.fecSSRC
        } else if let counters = stream.redundancy?.counters {
            stats.fecPacketsReceived = counters.blocks
            stats.fecPacketsDiscarded = counters.blocks &- counters.recovered
        }
    }

    private mutating func appendRemote(
        of stream: ReceiveStream,
        _ receiver: MediaReceiver,
        localID: String,
        codecID: String
    ) -> String? {
        guard let last = stream.lastReport, let arrival = stream.lastReportArrival else { return nil }
        let id = Self.id("RO", receiver.id, receiver.section.kind, stream.ssrc)
        let stats = RTCRemoteOutboundRtpStreamStats(
            ssrc: stream.ssrc,
            kind: receiver.section.kind,
            transportId: Self.transportID,
            codecId: codecID,
            packetsSent: UInt64(last.packetCount),
            bytesSent: UInt64(last.octetCount),
            localId: localID,
            remoteTimestamp: Double(last.ntpTime.unixNanoseconds) / 1e6,
            reportsSent: stream.reportCount,
            roundTripTime: stream.roundTrips.last?.seconds,
            totalRoundTripTime: stream.roundTrips.total.seconds,
            roundTripTimeMeasurements: stream.roundTrips.count
        )
        self.report.append(id, self.milliseconds(arrival), .remoteOutboundRtp(stats))
        return id
    }
}
