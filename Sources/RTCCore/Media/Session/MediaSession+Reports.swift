import NIOCore
import RTCBase
import RTCRTP
import RTCSRTP

extension MediaSession {
    /// Sends the reports that are due (RFC 3550 section 6.4).
    func sendReports(now: NIODeadline) {
        guard self.reports?.due(now: now) == .regular else { return }
        let sent = self.sendCompound(now: now) { builder in
            self.appendReports(to: &builder, now: now)
        }
        self.reports?.didSend(.regular, size: sent + Self.datagramOverhead, now: now)
    }

    private func appendReports(to builder: inout RTCPCompoundBuilder, now: NIODeadline) {
        var blocks: [RTCPReportBlock] = []
        for receiver in self.receivers {
            for stream in receiver.streams {
                if let block = stream.statistics.makeReportBlock(ssrc: stream.ssrc, now: now) { blocks.append(block) }
            }
        }
        let time = self.clock.time(at: now)
        var hasReported = false
        for sender in self.senders where sender.isActive {
            for stream in sender.streams {
                guard let info = stream.statistics.makeSenderInfo(ntpTime: time, now: now) else { continue }
                let own = hasReported ? [] : blocks
                hasReported = builder.appendSenderReport(ssrc: stream.ssrc, info: info, blocks: own) || hasReported
            }
        }
        if !hasReported {
            _ = builder.appendReceiverReport(blocks: blocks)
            // Who sends nothing gets no answer to reports: so it measures the round trip (RFC 3611 section 4.4).
            if let source = self.reportingSource, !blocks.isEmpty {
                _ = builder.append { $0.writeRTCPExtendedReport(ssrc: source, referenceTime: time) }
            }
        }
        let delays = self.referenceTimes.takeDelays(now: now)
        if !delays.isEmpty, let source = self.reportingSource {
            _ = builder.append { $0.writeRTCPExtendedReport(ssrc: source, receiverDelays: delays) }
        }
    }

    /// Sends what must not wait for a report: what is missing, key frames, when packets came.
    func sendFeedback(now: NIODeadline) {
        let pending = self.pendingFeedback
        self.pendingFeedback.removeAll(keepingCapacity: true)
        guard let own = self.reportingSource else { return }
        if !pending.isEmpty {
            _ = self.sendCompound(isFeedback: true, now: now) { builder in
                for message in pending {
                    _ = builder.append { Self.write(message, from: own, to: &$0) }
                }
            }
        }
        self.sendStreamFeedback(from: own, now: now)
        while let report = self.feedback?.poll(now: now) {
            let media = self.receivers.lazy.flatMap(\.streams).first?.ssrc ?? SSRC(0)
            _ = self.sendCompound(isFeedback: true, now: now) { builder in
                _ = builder.append { buffer in
                    buffer.writeRTCPTransportFeedback(
                        sender: own,
                        media: media,
                        baseSequenceNumber: report.baseSequence,
                        referenceTime: Int32(bitPattern: report.referenceTime),
                        feedbackCount: report.feedbackCount,
                        statuses: report.arrivals.map { arrival in
                            switch arrival {
                            case .lost: .notReceived
                            case .received(let delta): .received(delta: delta)
                            }
                        }
                    )
                }
            }
        }
    }

    /// Tells of arrivals by stream (RFC 8888).
    private func sendStreamFeedback(from own: SSRC, now: NIODeadline) {
        guard let due = self.streamFeedback?.nextTimeout, due <= now else { return }
        let time = self.clock.time(at: now).compact
        guard let report = self.streamFeedback?.poll(ntpTime: time, now: now) else { return }
        for part in report.parts(maximumSize: Self.maximumStreamFeedback) {
            _ = self.sendCompound(isFeedback: true, now: now) { builder in
                _ = builder.append { buffer in
                    buffer.writeRTCPCongestionFeedback(sender: own, streams: part, reportTimestamp: time)
                }
            }
        }
    }

    /// Bytes of one report: what a compound packet has room for beside a report and a name.
    private static let maximumStreamFeedback = 1000

    private static func write(_ message: PendingFeedback, from own: SSRC, to buffer: inout ByteBuffer) {
        switch message {
        case .nack(let ssrc, let numbers):
            buffer.writeRTCPGenericNACK(sender: own, media: ssrc, sequenceNumbers: numbers)
        case .pictureLoss(let ssrc):
            buffer.writeRTCPPictureLossIndication(sender: own, media: ssrc)
        case .fullIntra(let ssrc, let number):
            buffer.writeRTCPFullIntraRequest(sender: own, requests: [.init(ssrc: ssrc, sequenceNumber: number)])
        }
    }

    /// Says goodbye for all streams that were sent.
    func sendGoodbye(now: NIODeadline) {
        let sources = self.senders.flatMap(\.streams).filter { $0.statistics.packetCount > 0 }.map(\.ssrc)
        guard !sources.isEmpty else { return }
        _ = self.sendCompound(now: now) { builder in
            _ = builder.append { $0.writeRTCPGoodbye(sources: sources) }
        }
    }

    /// - Returns: The size of what was sent, in bytes.
    private func sendCompound(
        isFeedback: Bool = false,
        now: NIODeadline,
        _ body: (inout RTCPCompoundBuilder) -> Void
    ) -> Int {
        guard let srtp = self.srtp, let own = self.reportingSource else { return 0 }
        let isReduced = isFeedback && self.negotiated.sections.allSatisfy(\.isReducedSizeRTCP)
        var builder = RTCPCompoundBuilder(
            sender: own,
            cname: self.negotiated.cname,
            maximumSize: 1150,
            isReducedSize: isReduced
        )
        body(&builder)
        guard var packet = builder.finish(), (try? srtp.sender.protectRTCP(&packet)) != nil else { return 0 }
        self.batcher.append(packet.readableBytesSpan)
        return packet.readableBytes
    }
}
