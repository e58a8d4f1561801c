import NIOCore
import RTCRTP
import RTCSRTP

extension MediaSession {
    /// Takes a datagram whose first byte says RTP or RTCP (RFC 7983 section 7).
    func receive(_ datagram: RawSpan, now: NIODeadline) {
        guard let srtp = self.srtp else { return self.hold(datagram) }
        switch RTPPacketKind(datagram) {
        case .rtp:
            self.load(datagram)
            guard srtp.receiver.unprotectRTP(&self.scratch) == nil else { return self.drop(\.unauthenticated) }
            self.receiveRTP(size: datagram.byteCount, now: now)
        case .rtcp:
            self.load(datagram)
            guard srtp.receiver.unprotectRTCP(&self.scratch) == nil else { return self.drop(\.unauthenticated) }
            self.reports?.didReceive(size: datagram.byteCount + Self.datagramOverhead)
            let compound = self.scratch
            self.receiveRTCP(compound.readableBytesSpan, now: now)
        case nil:
            self.counters.malformed += 1
        }
    }

    private func drop(_ reason: WritableKeyPath<Counters, UInt64>) { self.counters[keyPath: reason] &+= 1 }

    /// A peer may send as soon as it has the keys, and its packets may overtake the last flight of the handshake.
    private func hold(_ datagram: RawSpan) {
        guard self.early.count < Self.maximumEarlyDatagrams else { return self.drop(\.tooEarly) }
        var copy = ByteBufferAllocator().buffer(capacity: datagram.byteCount)
        copy.writeBytes(datagram)
        self.early.append(copy)
    }

    func takeEarly(now: NIODeadline) {
        let early = self.early
        self.early = []
        for datagram in early { self.receive(datagram.readableBytesSpan, now: now) }
    }

    private func load(_ datagram: RawSpan) {
        self.scratch.clear(minimumCapacity: datagram.byteCount)
        self.scratch.writeBytes(datagram)
    }

    private func receiveRTP(size: Int, now: NIODeadline) {
        let buffer = self.scratch
        let bytes = buffer.readableBytesSpan
        guard let view = RTPPacketView(bytes) else { return self.drop(\.malformed) }
        if let id = self.transportSequenceID, let range = view.extensionRange(id: id, in: bytes),
            let number = TransportSequenceNumber(bytes.extracting(range))
        {
            if self.feedback == nil { self.feedback = TransportFeedbackGenerator() }
            self.feedback?.record(number.number, bytes: size, now: now)
        }
        guard let route = self.demultiplexer.route(view, in: bytes), route.section < self.receiversBySection.count
        else { return self.drop(\.unrouted) }
        if self.reportsArrivalsByStream {
            if self.streamFeedback == nil { self.streamFeedback = CongestionControlFeedbackGenerator() }
            let name = RTPPacketName(ssrc: view.header.ssrc, sequence: view.header.sequenceNumber)
            self.streamFeedback?.record(name, now: now)
        }
        let receiver = self.receiversBySection[route.section]
        guard receiver.isActive else { return }
        switch route.role {
        case .primary:
            let packet = RTPPacket(buffer, view: view)
            if let format = receiver.redundant[Int(view.header.payloadType.rawValue)] {
                self.receiveRedundant(packet, route, receiver, format, now: now)
            } else {
                self.receiveMedia(packet, route, receiver, isRecovered: false, now: now)
            }
        case .retransmission:
            self.receiveRetransmission(buffer, view, route, receiver, now: now)
        case .forwardErrorCorrection:
            self.receiveRepair(bytes, view, route, receiver, now: now)
        }
    }

    private func receiveRetransmission(
        _ buffer: ByteBuffer,
        _ view: RTPPacketView,
        _ route: RTPRoute,
        _ receiver: MediaReceiver,
        now: NIODeadline
    ) {
        guard let ssrc = route.protectedSSRC, let type = receiver.repeated[Int(view.header.payloadType.rawValue)],
            !view.payloadRange.isEmpty
        else { return }
        var original = buffer
        let offset = original.withUnsafeMutableReadableBytes {
            RTXPacket.unwrap($0, view, payloadType: type, ssrc: ssrc)
        }
        guard let offset else { return }
        original.moveReaderIndex(forwardBy: offset)
        guard let packet = RTPPacket(original) else { return self.drop(\.malformed) }
        if let stream = receiver.stream(ssrc) {
            stream.counts.retransmittedPackets &+= 1
            stream.counts.retransmittedBytes &+= UInt64(packet.view.payloadRange.count)
            stream.counts.retransmittedHeaderBytes &+= UInt64(packet.view.size - packet.view.payloadRange.count)
            stream.rtxSSRC = view.header.ssrc
        }
        self.receiveMedia(packet, route, receiver, isRecovered: true, now: now)
    }

    private func receiveMedia(
        _ packet: RTPPacket,
        _ route: RTPRoute,
        _ receiver: MediaReceiver,
        isRecovered: Bool,
        now: NIODeadline
    ) {
        guard let format = receiver.formats[Int(packet.payloadType.rawValue)],
            let stream = self.stream(packet.ssrc, route, format, receiver, mayBegin: !isRecovered)
        else { return }
        if !isRecovered {
            guard stream.account(packet, isTimed: !format.isTelephoneEvent, now: now) else { return }
        }
        self.deliver(packet, format, stream, receiver, isRecovered: isRecovered, now: now)
        guard stream.repair != nil else { return }
        _ = packet.withBytes { stream.repair?.receiveMedia($0) }
        self.takeRepaired(stream, receiver, now: now)
    }

    /// Sound with what went before it (RFC 2198): the packets that were meant, and those that were lost.
    private func receiveRedundant(
        _ packet: RTPPacket,
        _ route: RTPRoute,
        _ receiver: MediaReceiver,
        _ format: RTPStreamFormat,
        now: NIODeadline
    ) {
        guard let stream = self.stream(packet.ssrc, route, format, receiver, mayBegin: true),
            stream.account(packet, isTimed: true, now: now)
        else { return }
        var blocks: [RedundantAudioReceiver.Block] = []
        if stream.redundancy == nil { stream.redundancy = RedundantAudioReceiver(redPayloadType: packet.payloadType) }
        packet.withBytes { bytes in stream.redundancy?.receive(bytes, packet.view) { blocks.append($0) } }
        for block in blocks {
            guard let sound = Self.sound(block, of: packet),
                let format = receiver.formats[Int(sound.payloadType.rawValue)]
            else { continue }
            self.deliver(sound, format, stream, receiver, isRecovered: block.isRedundant, now: now)
        }
    }

    /// The packet that a block was. What the header says beside it, loudness for one, is about the newest sound.
    private static func sound(_ block: RedundantAudioReceiver.Block, of packet: RTPPacket) -> RTPPacket? {
        let start = packet.buffer.readerIndex + block.range.lowerBound
        guard !block.isRedundant else {
            var buffer = ByteBufferAllocator().buffer(capacity: RTPHeader.fixedSize + block.range.count)
            packet.withBytes { block.append(to: &buffer, from: $0) }
            return RTPPacket(buffer)
        }
        return packet.buffer.getSlice(at: start, length: block.range.count).flatMap {
            packet.replacingPayload(with: $0, as: block.header.payloadType)
        }
    }

    private func receiveRepair(
        _ packet: RawSpan,
        _ view: RTPPacketView,
        _ route: RTPRoute,
        _ receiver: MediaReceiver,
        now: NIODeadline
    ) {
        guard let ssrc = route.protectedSSRC, let stream = receiver.stream(ssrc) else { return }
        if stream.repair == nil {
            stream.repair = FlexFECReceiver(
                form: .draft03,
                protecting: ssrc,
                extensionMap: receiver.section.receive.headerExtensions.map
            )
        }
        stream.fecSSRC = view.header.ssrc
        stream.repair?.receiveRepair(packet, view)
        self.takeRepaired(stream, receiver, now: now)
    }

    private func takeRepaired(_ stream: ReceiveStream, _ receiver: MediaReceiver, now: NIODeadline) {
        while let buffer = stream.repair?.poll() {
            guard let packet = RTPPacket(buffer), let format = receiver.formats[Int(packet.payloadType.rawValue)]
            else { continue }
            self.deliver(packet, format, stream, receiver, isRecovered: true, now: now)
        }
    }

    private func deliver(
        _ packet: RTPPacket,
        _ format: RTPStreamFormat,
        _ stream: ReceiveStream,
        _ receiver: MediaReceiver,
        isRecovered: Bool,
        now: NIODeadline
    ) {
        // Probes repeat what was received long ago.
        let isNew = stream.missing?.receive(packet.sequenceNumber, isRecovered: isRecovered, now: now)
        guard isNew ?? true else { return }
        if receiver.isSilent {
            receiver.isSilent = false
            self.events.append(.arrived(receiver.id))
        }
        if receiver.wants.packets {
            let received = RTCReceivedPacket(
                packet: packet,
                format: format,
                encoding: stream.encoding,
                arrival: now,
                isRecovered: isRecovered
            )
            self.events.append(.packet(receiver.id, received))
        }
        if format.isTelephoneEvent { self.receiveTone(packet, format, of: stream, receiver, now: now) }
        guard stream.frames != nil else { return }
        stream.frames?.insert(packet, isMedia: format.payloadFormat != nil, now: now)
        self.takeFrames(of: stream, receiver, now: now)
    }

    private func stream(
        _ ssrc: SSRC,
        _ route: RTPRoute,
        _ format: RTPStreamFormat,
        _ receiver: MediaReceiver,
        mayBegin: Bool
    ) -> ReceiveStream? {
        if let stream = receiver.stream(ssrc) {
            if format.payloadFormat != nil, format !== stream.format {
                stream.change(to: format)
                stream.setFrames(receiver.wants)
            }
            return stream
        }
        guard mayBegin else { return nil }
        let stream = ReceiveStream(
            ssrc,
            encoding: route.encoding ?? 0,
            format: format,
            asksAgain: receiver.feedback.contains(.nack)
        )
        stream.setFrames(receiver.wants)
        // A stream that takes the place of another one (a new SSRC for the same encoding) ends it.
        receiver.streams.removeAll { $0.encoding == stream.encoding && receiver.streams.count >= Self.maximumStreams }
        receiver.streams.append(stream)
        return stream
    }

    // MARK: Frames

    /// Says who wants what a receiver gets.
    func setWants(_ wants: MediaReceiver.Wants, of id: TransceiverID) {
        guard let receiver = self.receiver(id) else {
            self.earlyWants[id] = wants
            return
        }
        receiver.wants = wants
        for stream in receiver.streams { stream.setFrames(wants) }
    }

    private func takeFrames(of stream: ReceiveStream, _ receiver: MediaReceiver, now: NIODeadline) {
        stream.frames?.delays.gap = stream.waitForGaps(roundTripTime: self.roundTripTime)
        while let output = stream.frames?.poll(now: now) {
            self.events.append(.frame(receiver.id, self.frame(output, of: stream)))
        }
        if stream.frames?.needsKeyFrame == true { self.requestKeyFrame(of: stream, receiver, now: now) }
    }

    private func frame(_ output: FrameBuffer.Output, of stream: ReceiveStream) -> RTCEncodedFrame {
        var frame = RTCEncodedFrame(
            data: output.frame.payload,
            timestamp: output.frame.timestamp,
            isKeyFrame: output.frame.isKeyFrame,
            codec: stream.format.codec
        )
        let map = stream.format.headerExtensions
        frame.encoding = stream.encoding
        frame.captureTime = stream.clock.ntpTime(of: output.frame.timestamp)
        frame.synchronizationSource = stream.ssrc
        frame.contributingSources = output.firstPacket.contributingSources
        frame.audioLevel = output.firstPacket.value(map: map)
        frame.videoOrientation = output.lastPacket.value(map: map)
        frame.arrival = output.arrival
        frame.followsLoss = output.followsLoss
        return frame
    }

    /// Asks the peer for a key frame; how often is limited.
    func requestKeyFrame(of stream: ReceiveStream, _ receiver: MediaReceiver, now: NIODeadline) {
        guard receiver.section.kind == .video, stream.mayRequestKeyFrame(roundTripTime: self.roundTripTime, now: now)
        else { return }
        if receiver.feedback.contains(.pictureLoss) {
            stream.counts.pictureLosses &+= 1
            self.pendingFeedback.append(.pictureLoss(stream.ssrc))
        } else if receiver.feedback.contains(.fullIntra) {
            stream.counts.fullIntras &+= 1
            receiver.fullIntraSequence &+= 1
            self.pendingFeedback.append(.fullIntra(stream.ssrc, sequenceNumber: receiver.fullIntraSequence))
        }
    }

    /// Asks for a key frame on the user's behalf.
    func requestKeyFrame(of id: TransceiverID, encoding: Int?, now: NIODeadline) {
        guard let receiver = self.receiver(id) else { return }
        for stream in receiver.streams where encoding == nil || stream.encoding == encoding {
            self.requestKeyFrame(of: stream, receiver, now: now)
        }
    }

    /// What time brings: packets to ask for again, frames to give up.
    func pollReceivers(now: NIODeadline) {
        for receiver in self.receivers {
            for stream in receiver.streams {
                if let due = stream.missing?.nextTimeout, due <= now {
                    var numbers: [UInt16] = []
                    stream.missing?.poll(roundTripTime: self.roundTripTime, now: now, into: &numbers)
                    if !numbers.isEmpty {
                        stream.counts.requests &+= 1
                        self.pendingFeedback.append(.nack(stream.ssrc, numbers))
                    }
                }
                if stream.tones != nil { self.takeTones(of: stream, receiver, now: now) }
                if stream.frames != nil { self.takeFrames(of: stream, receiver, now: now) }
            }
        }
    }

    /// Streams that one receiver may have at once: a peer that names ever new ones must not fill the memory.
    private static let maximumStreams = 16
    private static let maximumEarlyDatagrams = 64
    /// The headers of IP and UDP.
    static let datagramOverhead = 28
}
