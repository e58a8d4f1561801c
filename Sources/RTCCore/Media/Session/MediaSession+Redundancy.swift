import NIOCore
import RTCRTP

/// What is sent ahead of loss: repair packets for pictures, sound with what went before it.
extension MediaSession {
    // MARK: Pictures

    /// Shows a packet that was sent to the stream's error correction, and sends the repair packets that it makes.
    ///
    /// - Parameter headerSize: How much of ``headerScratch`` is the packet's header.
    func protectAhead(
        _ packet: OutgoingPacket,
        headerSize: Int,
        of stream: SendStream,
        _ sender: MediaSender,
        now: NIODeadline
    ) {
        guard stream.kind == .video, stream.protection.level > 0, let type = sender.section.send.formats.flexFEC
        else { return }
        self.protectionScratch.clear()
        self.protectionScratch.writeBytes(self.headerScratch[..<headerSize])
        packet.source.withBytes { bytes in
            _ = self.protectionScratch.writeBytes(bytes.extracting(packet.source.view.payloadRange))
        }
        var repairs: [RTPPacket] = []
        let header = RTPHeader(
            payloadType: type,
            sequenceNumber: 0,
            timestamp: packet.header.timestamp,
            ssrc: stream.encoding.fecSSRC
        )
        let whole = self.protectionScratch
        stream.protection.append(
            whole.readableBytesSpan,
            of: stream.ssrc,
            sender.headerExtensions,
            endsFrame: packet.header.marker
        ) { payload in
            var buffer = ByteBufferAllocator().buffer(capacity: RTPHeader.fixedSize + payload.byteCount)
            buffer.writeRTPPacket(header, maximumSize: RTPHeader.fixedSize) { _ in }
            buffer.writeBytes(payload)
            if let repair = RTPPacket(buffer) { repairs.append(repair) }
        }
        for repair in repairs {
            let outgoing = OutgoingPacket(source: repair, header: header, remap: Self.noExtensions)
            self.enqueue(outgoing, as: .correction, of: stream, sender, priority: .forwardErrorCorrection, now: now)
        }
    }

    /// Sends a repair packet. Its number and time are those of its sending.
    func sendCorrection(
        _ packet: OutgoingPacket,
        of stream: SendStream,
        _ sender: MediaSender,
        probe: ProbeClusterID?,
        now: NIODeadline
    ) {
        // What was negotiated may have changed while it waited.
        guard sender.section.send.formats.flexFEC == packet.header.payloadType else { return }
        var header = packet.header
        header.sequenceNumber = stream.protection.takeSequence()
        let clockRate = stream.lastFormat?.clockRate ?? 90_000
        header.timestamp = stream.continuity.timestamp(at: now, clockRate: clockRate)
        guard let headerSize = self.write(header, of: packet, stream, sender, as: .correction, probe: probe, now),
            self.protect(headerSize: headerSize, payload: packet.source, as: .correction)
        else { return }
        stream.protection.noteSent(payloadSize: packet.source.view.payloadRange.count, headerSize: headerSize)
    }

    // MARK: Sound

    /// Puts sound and the sound before it into one packet, where that is preferred.
    func addRedundancy(
        to packet: inout OutgoingPacket,
        of stream: SendStream,
        _ sender: MediaSender,
        _ codec: NegotiatedMedia.Codec,
        now: NIODeadline
    ) {
        guard stream.kind == .audio else { return }
        let before = self.overhead(of: stream, sender)
        stream.prepareRedundancy(sender.redundancy(for: stream.encoding, codec), of: codec)
        if self.overhead(of: stream, sender) != before { self.sharesChanged(now: now) }
        guard stream.redundancy != nil else { return }
        let source = packet.source
        let range = source.view.payloadRange
        guard let sound = source.buffer.getSlice(at: source.buffer.readerIndex + range.lowerBound, length: range.count)
        else { return }
        var payload = ByteBuffer()
        let type = stream.redundancy?.encode(
            sound,
            header: packet.header,
            maximumPayloadSize: Self.maximumPayloadSize,
            into: &payload
        )
        guard let type, type != packet.header.payloadType,
            let redundant = source.replacingPayload(with: payload, as: type)
        else { return }
        packet.source = redundant
        packet.header.payloadType = type
        // Nothing was agreed upon for retransmissions of redundant sound: it is repeated as it was.
        packet.rtx = nil
    }

    // MARK: What it costs

    /// The peer reports a loss: more or less is sent ahead of the next ones.
    func adaptRedundancy(of stream: SendStream, _ sender: MediaSender, fractionLost: Double, now: NIODeadline) {
        let before = self.overhead(of: stream, sender)
        stream.protection.update(fractionLost: fractionLost, roundTripTime: self.roundTripTime)
        stream.redundancy?.update(fractionLost: fractionLost, now: now)
        if self.overhead(of: stream, sender) != before { self.sharesChanged(now: now) }
    }

    /// How much is sent ahead of loss for each byte of media.
    func overhead(of stream: SendStream, _ sender: MediaSender) -> Double {
        switch stream.kind {
        case .audio: return Double(stream.redundancy?.redundancy ?? 0)
        case .video: return sender.section.send.formats.flexFEC == nil ? 0 : stream.protection.level
        }
    }
}

extension MediaSender {
    /// The payload type of redundant sound of a codec; `nil` where it is not preferred.
    func redundancy(for encoding: NegotiatedMedia.Encoding, _ codec: NegotiatedMedia.Codec) -> PayloadType? {
        let isPreferred = self.section.send.prefersRedundancy || encoding.parameters.codec?.isNamed("red") == true
        guard isPreferred else { return nil }
        return self.section.send.formats.red.first { $0.carries.first == codec.payloadType }?.payloadType
    }
}

extension SendStream {
    /// Begins or ends redundancy as a packet of a codec asks for it.
    fileprivate func prepareRedundancy(_ type: PayloadType?, of codec: NegotiatedMedia.Codec) {
        guard let type else {
            // A tone between sounds is no change of their format.
            if self.lastPayloadType == codec.payloadType { self.redundancy = nil }
            return
        }
        if self.redundancy?.redPayloadType == type, self.redundancy?.payloadType == codec.payloadType { return }
        self.redundancy = StreamRedundancy(redPayloadType: type, payloadType: codec.payloadType)
    }
}
