import NIOCore
import RTCRTP

extension MediaSession {
    /// Takes what the peer reports and asks for.
    func receiveRTCP(_ compound: RawSpan, now: NIODeadline) {
        var reader = RTCPReader()
        while let packet = reader.next(in: compound) { self.handle(packet, in: compound, now: now) }
        self.counters.malformed &+= UInt64(reader.malformedCount)
    }

    private func handle(_ packet: RTCPPacketView, in compound: RawSpan, now: NIODeadline) {
        switch packet {
        case .senderReport(let report):
            self.receive(report, now: now)
            report.reportBlocks.forEach(in: compound) { self.receive($0, now: now) }
        case .receiverReport(let report):
            report.reportBlocks.forEach(in: compound) { self.receive($0, now: now) }
        case .sourceDescription(let description):
            self.demultiplexer.learn(description, in: compound)
        case .goodbye(let goodbye):
            goodbye.sources.forEach(in: compound) { self.receiveGoodbye(from: $0) }
        case .extendedReport(let report):
            self.receive(report, in: compound, now: now)
        case .genericNACK(let nack):
            self.receive(nack, in: compound, now: now)
        case .pictureLossIndication(let indication):
            self.receiveKeyFrameRequest(for: indication.media, isFullIntra: false)
        case .fullIntraRequest(let request):
            request.forEach(in: compound) { self.receiveKeyFrameRequest(for: $0.ssrc, isFullIntra: true) }
        case .receiverEstimate(let estimate):
            self.congestion?.receive(remoteEstimate: .bitsPerSecond(Int(clamping: estimate.bitrate)), now: now)
        case .transportFeedback(let feedback):
            self.receive(feedback, in: compound, now: now)
        case .congestionFeedback(let feedback):
            guard self.arrivalsComeByStream else { return }
            self.congestion?.receive(CongestionControlFeedback(feedback, in: compound), now: now)
        case .maxBitrateRequest, .maxBitrateNotification, .application, .unknown:
            break
        }
    }

    private func receive(_ report: RTCPSenderReport, now: NIODeadline) {
        guard let stream = self.receiveStream(report.ssrc) else { return }
        stream.statistics.receive(report.info, now: now)
        stream.clock.receive(report.info)
        stream.lastReport = report.info
        stream.lastReportArrival = now
        stream.reportCount &+= 1
    }

    private func receive(_ block: RTCPReportBlock, now: NIODeadline) {
        guard let (sender, stream, _) = self.outgoing(block.ssrc) else { return }
        let before = stream.statistics.remote?.block
        let time = stream.statistics.receive(block, ntpTime: self.clock.time(at: now), now: now)
        if let time { self.noteRoundTrip(time) }
        // The peer could only report on a stream that it could place.
        if block.highestSequenceNumber != 0 { stream.isKnownToPeer = true }
        let packets = block.highestSequenceNumber &- (before?.highestSequenceNumber ?? block.highestSequenceNumber)
        let fractionLost = Double(block.fractionLost) / 256
        self.adaptRedundancy(of: stream, sender, fractionLost: fractionLost, now: now)
        self.congestion?.receive(
            fractionLost: fractionLost,
            packets: Int(packets & 0xFFFF),
            now: now
        )
    }

    private func noteRoundTrip(_ time: TimeAmount) {
        self.roundTripTime = time
        self.congestion?.update(roundTripTime: time)
    }

    private func receive(_ report: RTCPExtendedReport, in compound: RawSpan, now: NIODeadline) {
        self.referenceTimes.receive(report, now: now)
        guard let own = self.reportingSource, let delay = report.receiverDelay(of: own, in: compound) else { return }
        let time = RoundTripTime.measure(
            now: self.clock.time(at: now),
            last: delay.lastReceiverReport,
            delay: delay.delaySinceLastReceiverReport
        )
        guard let time else { return }
        self.noteRoundTrip(time)
        for receiver in self.receivers {
            for stream in receiver.streams { stream.roundTrips.note(time) }
        }
    }

    private func receiveGoodbye(from ssrc: SSRC) {
        self.demultiplexer.forget(ssrc)
        for receiver in self.receivers where receiver.stream(ssrc) != nil {
            receiver.streams.removeAll { $0.ssrc == ssrc }
            guard receiver.streams.isEmpty, !receiver.isSilent else { continue }
            receiver.isSilent = true
            self.events.append(.left(receiver.id))
        }
    }

    private func receive(_ nack: RTCPGenericNACK, in compound: RawSpan, now: NIODeadline) {
        guard let (sender, stream, _) = self.outgoing(nack.media) else { return }
        stream.counts.requests &+= 1
        nack.forEachSequenceNumber(in: compound) { self.sendAgain($0, of: stream, sender, now: now) }
    }

    private func receiveKeyFrameRequest(for ssrc: SSRC, isFullIntra: Bool) {
        guard let (sender, stream, index) = self.outgoing(ssrc) else { return }
        if isFullIntra { stream.counts.fullIntras &+= 1 } else { stream.counts.pictureLosses &+= 1 }
        self.events.append(.keyFrameRequest(sender.id, encoding: index))
    }

    private func receive(_ feedback: RTCPTransportFeedback, in compound: RawSpan, now: NIODeadline) {
        guard self.congestion != nil, feedback.hasArrivalTimes else { return }
        var arrivals: [TransportFeedback.Arrival] = []
        arrivals.reserveCapacity(feedback.statusCount)
        var last = Int64(feedback.referenceTime) * 64_000
        feedback.forEachPacket(in: compound) { packet in
            guard let time = packet.arrivalMicroseconds else { return arrivals.append(.lost) }
            arrivals.append(.received(delta: Int16(clamping: (time - last) / 250)))
            last = time
        }
        self.congestion?.receive(
            TransportFeedback(
                baseSequence: feedback.baseSequenceNumber,
                referenceTime: UInt32(bitPattern: feedback.referenceTime),
                feedbackCount: feedback.feedbackCount,
                arrivals: arrivals
            ),
            now: now
        )
    }

    // MARK: Streams by their SSRCs

    private func receiveStream(_ ssrc: SSRC) -> ReceiveStream? {
        for receiver in self.receivers {
            if let stream = receiver.stream(ssrc) { return stream }
        }
        return nil
    }

    private func outgoing(_ ssrc: SSRC) -> (sender: MediaSender, stream: SendStream, index: Int)? {
        guard let route = self.demultiplexer.localRoute(of: ssrc), route.section < self.senders.count else {
            return nil
        }
        let sender = self.senders[route.section]
        guard let index = route.encoding, index < sender.streams.count, sender.streams[index].ssrc == ssrc else {
            return nil
        }
        return (sender, sender.streams[index], index)
    }

    /// The stream in whose name this side reports.
    var reportingSource: SSRC? { self.senders.first?.streams.first?.ssrc }
}
