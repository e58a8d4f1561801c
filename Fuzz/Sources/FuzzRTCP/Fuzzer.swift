import CFuzzer
import FuzzInput
import NIOCore
import RTCRTP

/// RTCP datagrams: every packet is read to its last list, and what can be written again is, and read as the same.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    var input = FuzzInput(start, count)
    let bytes = input.rest()
    var reader = RTCPReader()
    var session = Session()
    while let packet = reader.next(in: bytes.span.bytes) {
        session.receive(packet, bytes)
        if let copy = rewritten(packet, bytes) {
            var again = RTCPReader()
            guard let read = again.next(in: copy.span.bytes) else {
                require(false, "what was written is malformed")
                return 0
            }
            require(contents(read, copy) == contents(packet, bytes), "another packet")
        }
    }
    require(reader.malformedCount <= 1, "read on behind a malformed packet")
    return 0
}

/// What takes reports in.
private struct Session {
    var sent = RTPSendStatistics(clockRate: 90_000)
    var received = RTPReceiveStatistics(clockRate: 90_000)
    var clock = SenderClock(clockRate: 90_000)
    var exchange = ReferenceTimeExchange()
    var demultiplexer = RTPDemultiplexer(maximumLearnedStreams: 4)
    let now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    init() {
        self.demultiplexer.setSections(
            [.init(id: 0, mid: "a", payloadTypes: [])],
            extensionMap: HeaderExtensionMap()
        )
    }

    mutating func receive(_ packet: RTCPPacketView, _ bytes: [UInt8]) {
        switch packet {
        case .senderReport(let report):
            self.received.receive(report.info, now: self.now)
            self.clock.receive(report.info)
            _ = self.clock.ntpTime(of: report.info.rtpTimestamp)
            _ = report.info.ntpTime.unixNanoseconds
        case .receiverReport(let report):
            for index in 0..<report.reportBlocks.count {
                guard let block = report.reportBlocks.block(at: index, in: bytes.span.bytes) else { continue }
                self.sent.receive(block, ntpTime: NTPTimestamp(rawValue: 1 << 40), now: self.now)
            }
        case .extendedReport(let report):
            self.exchange.receive(report, now: self.now)
            _ = self.exchange.takeDelays(now: self.now)
        case .sourceDescription(let description):
            self.demultiplexer.learn(description, in: bytes.span.bytes)
        default: break
        }
    }
}

/// What a packet says, in a form that does not depend on where it lies.
private func contents(_ packet: RTCPPacketView, _ bytes: [UInt8]) -> [Int64] {
    let span = bytes.span.bytes
    var numbers: [Int64] = []
    func add(_ ssrc: SSRC) { numbers.append(Int64(ssrc.rawValue)) }
    func add(_ block: RTCPReportBlock) { numbers.append(Int64(block.hashValue)) }
    switch packet {
    case .senderReport(let report):
        numbers.append(Int64(report.info.hashValue))
        report.reportBlocks.forEach(in: span) { add($0) }
    case .receiverReport(let report):
        add(report.ssrc)
        report.reportBlocks.forEach(in: span) { add($0) }
    case .sourceDescription(let description):
        description.forEachItem(in: span) { item in
            numbers += [Int64(item.ssrc.rawValue), Int64(item.type.rawValue), Int64(item.text(in: span).hashValue)]
            return true
        }
    case .goodbye(let goodbye):
        goodbye.sources.forEach(in: span) { add($0) }
        numbers.append(Int64(goodbye.reason(in: span).hashValue))
    case .application(let application): numbers = [Int64(application.name), Int64(application.dataRange.count)]
    case .extendedReport(let report):
        numbers.append(Int64(report.referenceTime.hashValue))
        for index in 0..<report.receiverDelayCount {
            numbers.append(Int64(report.receiverDelay(at: index, in: span).hashValue))
        }
    case .genericNACK(let nack): nack.forEachSequenceNumber(in: span) { numbers.append(Int64($0)) }
    case .maxBitrateRequest(let limits), .maxBitrateNotification(let limits):
        for index in 0..<limits.count { numbers.append(Int64(limits.limit(at: index, in: span).hashValue)) }
    case .transportFeedback(let feedback):
        guard feedback.statusCount < 4096 else { return [] }
        feedback.forEachPacket(in: span) { packet in
            numbers += [Int64(packet.sequenceNumber), packet.isReceived ? 1 : 0, packet.arrivalMicroseconds ?? -1]
        }
    case .congestionFeedback(let feedback):
        feedback.forEachPacket(in: span) { ssrc, number, metric in
            numbers += [Int64(ssrc.rawValue), Int64(number), Int64(metric.hashValue)]
        }
    case .pictureLossIndication(let loss): add(loss.media)
    case .fullIntraRequest(let request): request.forEach(in: span) { numbers.append(Int64($0.hashValue)) }
    case .receiverEstimate(let estimate):
        numbers.append(Int64(truncatingIfNeeded: estimate.bitrate))
        estimate.sources.forEach(in: span) { add($0) }
    case .unknown(let unknown): numbers = [Int64(unknown.type.rawValue), Int64(unknown.bodyRange.count)]
    }
    return numbers
}

/// The packet written from what it says; `nil` where that is not to be expected to be the same.
private func rewritten(_ packet: RTCPPacketView, _ bytes: [UInt8]) -> [UInt8]? {
    let span = bytes.span.bytes
    var buffer = ByteBuffer()
    switch packet {
    case .senderReport(let report):
        let blocks = (0..<report.reportBlocks.count).compactMap { report.reportBlocks.block(at: $0, in: span) }
        buffer.writeRTCPSenderReport(ssrc: report.ssrc, info: report.info, blocks: blocks)
    case .receiverReport(let report):
        let blocks = (0..<report.reportBlocks.count).compactMap { report.reportBlocks.block(at: $0, in: span) }
        buffer.writeRTCPReceiverReport(ssrc: report.ssrc, blocks: blocks)
    case .extendedReport(let report):
        let delays = (0..<report.receiverDelayCount).compactMap { report.receiverDelay(at: $0, in: span) }
        buffer.writeRTCPExtendedReport(ssrc: report.ssrc, referenceTime: report.referenceTime, receiverDelays: delays)
    case .fullIntraRequest(let request):
        let requests = (0..<request.count).compactMap { request.request(at: $0, in: span) }
        buffer.writeRTCPFullIntraRequest(sender: request.sender, requests: requests)
    case .receiverEstimate(let estimate):
        let sources = (0..<estimate.sources.count).compactMap { estimate.sources.ssrc(at: $0, in: span) }
        guard estimate.bitrate < .max else { return nil }
        buffer.writeRTCPReceiverEstimate(sender: estimate.sender, bitrate: estimate.bitrate, sources: sources)
    case .pictureLossIndication(let loss):
        buffer.writeRTCPPictureLossIndication(sender: loss.sender, media: loss.media)
    case .transportFeedback(let feedback): return rewritten(feedback, bytes)
    case .congestionFeedback(let feedback):
        // Streams may be told about twice, or not at all; that is not kept, so only one of them is compared.
        var streams: [RTCPCongestionFeedback.Stream] = []
        feedback.forEachPacket(in: span) { ssrc, number, metric in
            if streams.last?.ssrc != ssrc {
                streams.append(.init(ssrc: ssrc, firstSequenceNumber: number, metrics: []))
            }
            streams[streams.count - 1].metrics.append(metric)
        }
        guard streams.count == 1 else { return nil }
        var expected = streams[0].firstSequenceNumber
        var isContinuous = streams[0].metrics.count <= RTCPCongestionFeedback.maximumMetricCount
        feedback.forEachPacket(in: span) { _, number, _ in
            isContinuous = isContinuous && number == expected
            expected &+= 1
        }
        guard isContinuous else { return nil }
        buffer.writeRTCPCongestionFeedback(
            sender: feedback.sender,
            streams: streams,
            reportTimestamp: feedback.reportTimestamp
        )
    default: return nil
    }
    return Array(buffer.readableBytesView)
}

private func rewritten(_ feedback: RTCPTransportFeedback, _ bytes: [UInt8]) -> [UInt8]? {
    guard feedback.hasArrivalTimes, feedback.statusCount < 4096 else { return nil }
    var statuses: [RTCPTransportFeedback.Status] = []
    var time = Int64(feedback.referenceTime) * 64_000
    feedback.forEachPacket(in: bytes.span.bytes) { packet in
        guard let arrival = packet.arrivalMicroseconds else { return statuses.append(.notReceived) }
        statuses.append(.received(delta: Int16(truncatingIfNeeded: (arrival - time) / 250)))
        time = arrival
    }
    require(statuses.count == feedback.statusCount, "packets that were not told about")
    var buffer = ByteBuffer()
    buffer.writeRTCPTransportFeedback(
        sender: feedback.sender,
        media: feedback.media,
        baseSequenceNumber: feedback.baseSequenceNumber,
        referenceTime: feedback.referenceTime,
        feedbackCount: feedback.feedbackCount,
        statuses: statuses
    )
    return Array(buffer.readableBytesView)
}

/// Where SwiftPM has the program begin.
@_cdecl("FuzzRTCP_main")
func entry(_ argc: CInt, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
    var argc = argc
    var argv = argv
    return LLVMFuzzerRunDriver(&argc, &argv, fuzz)
}
