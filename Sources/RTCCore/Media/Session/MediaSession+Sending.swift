import NIOCore
import RTCBase
import RTCRTP
import RTCSRTP

extension MediaSession {
    /// Sends a packet of another stream, at once: whoever sent it paced it. Its names and numbers are changed to those of this stream.
    ///
    /// - Returns: Whether it was sent.
    func send(_ packet: RTCReceivedPacket, of id: TransceiverID, encoding: Int, now: NIODeadline) -> Bool {
        guard self.srtp != nil, let sender = self.sender(id), sender.isActive, encoding < sender.streams.count,
            let format = sender.outgoing(packet.format)
        else {
            self.counters.unsendable &+= 1
            return false
        }
        // A tone takes the place of the sound (RFC 4733 section 2.5.1).
        guard sender.tones?.isPlaying != true else { return false }
        let stream = sender.streams[encoding]
        stream.source.note(packet.packet.timestamp, now: now)
        guard stream.encoding.isWanted, stream.encoding.parameters.active else { return false }
        var header = packet.packet.header
        let clockRate = format.codec.codec.clockRate
        guard let place = stream.continuity.map(header, clockRate: clockRate, now: now) else { return false }
        (header.sequenceNumber, header.timestamp) = (place.sequence, place.timestamp)
        header.payloadType = format.codec.payloadType
        header.ssrc = stream.ssrc
        if !packet.format.isTelephoneEvent { self.note(format.codec, stream) }
        let outgoing = OutgoingPacket(
            source: packet.packet,
            header: header,
            remap: format.remap,
            rtx: sender.feedback.contains(.nack) ? format.codec.rtx : nil
        )
        self.sendNow(outgoing, of: stream, sender, now: now)
        return true
    }

    /// Sends a frame: sound at once, pictures as the pacer lets them.
    ///
    /// - Parameter source: Names what the frames come from; when it changes, timestamps go on where they were.
    /// - Throws: `PacketizationError` for frames that are not what their codec says.
    func send(
        _ frame: RTCEncodedFrame,
        of id: TransceiverID,
        source: Int,
        now: NIODeadline
    ) throws(PacketizationError) {
        guard self.srtp != nil, let sender = self.sender(id), sender.isActive, frame.encoding < sender.streams.count,
            let codec = sender.codec(for: frame.codec),
            let format = PayloadFormat(RTPCodecName(rawValue: codec.codec.name))
        else {
            self.counters.unsendable &+= 1
            return
        }
        let stream = sender.streams[frame.encoding]
        stream.source.note(frame.timestamp, now: now)
        if let level = frame.audioLevel { stream.source.level = level }
        // A tone takes the place of the sound (RFC 4733 section 2.5.1).
        guard stream.encoding.isWanted, stream.encoding.parameters.active, stream.isOn, sender.tones?.isPlaying != true
        else {
            stream.counts.droppedFrames &+= 1
            return
        }
        self.note(codec, stream)
        let timestamp = stream.continuity.timestamp(
            frame.timestamp,
            from: .frames(source: source),
            clockRate: codec.codec.clockRate,
            now: now
        )
        let packets = try self.packets(of: frame, as: format, codec, timestamp, stream, sender)
        stream.counts.encodedFrames &+= 1
        if frame.isKeyFrame { stream.counts.encodedKeyFrames &+= 1 }
        for packet in packets { self.enqueue(packet, of: stream, sender, now: now) }
    }

    private func packets(
        of frame: RTCEncodedFrame,
        as format: PayloadFormat,
        _ codec: NegotiatedMedia.Codec,
        _ timestamp: UInt32,
        _ stream: SendStream,
        _ sender: MediaSender
    ) throws(PacketizationError) -> [OutgoingPacket] {
        var packets: [OutgoingPacket] = []
        let remap = HeaderExtensionRemap(
            from: sender.headerExtensions,
            to: sender.headerExtensions,
            keeping: MediaSender.forwardedExtensions
        )
        let rtx = sender.feedback.contains(.nack) ? codec.rtx : nil
        try stream.packetize(
            frame.encodedFrame,
            as: format,
            mode: codec.codec.packetizationMode,
            maximumPayloadSize: Self.maximumPayloadSize
        ) { payload in
            let header = RTPHeader(
                marker: payload.marker,
                payloadType: codec.payloadType,
                sequenceNumber: stream.continuity.takeSequence(),
                timestamp: timestamp &+ payload.timestampOffset,
                ssrc: stream.ssrc
            )
            guard let packet = self.packet(header, payload, of: frame, sender.headerExtensions) else { return }
            packets.append(OutgoingPacket(source: packet, header: header, remap: remap, rtx: rtx))
        }
        return packets
    }

    private func packet(
        _ header: RTPHeader,
        _ payload: RTPPayload,
        of frame: RTCEncodedFrame,
        _ map: HeaderExtensionMap
    ) -> RTPPacket? {
        var buffer = ByteBufferAllocator().buffer(capacity: payload.byteCount + 64)
        let sources = frame.contributingSources.prefix(15)
        let head = buffer.writeRTPPacket(header, contributingSources: sources, maximumSize: 128) { writer in
            if let level = frame.audioLevel { writer.appendExtension(level, map: map) }
            // 3GPP TS 26.114 section 7.4.5: on the last packet of a key frame, and of every frame that differs.
            if payload.marker, let orientation = frame.videoOrientation {
                writer.appendExtension(orientation, map: map)
            }
        }
        guard head != nil else { return nil }
        payload.append(to: &buffer, from: frame.data)
        return RTPPacket(buffer)
    }

    private func note(_ codec: NegotiatedMedia.Codec, _ stream: SendStream) {
        guard stream.lastPayloadType != codec.payloadType else { return }
        stream.lastPayloadType = codec.payloadType
        stream.lastFormat = codec.codec
        stream.statistics.clockRate = codec.codec.clockRate
    }

    private func enqueue(_ packet: OutgoingPacket, of stream: SendStream, _ sender: MediaSender, now: NIODeadline) {
        guard stream.kind == .video, self.congestion != nil else {
            return self.sendNow(packet, of: stream, sender, now: now)
        }
        let paced = PacedPacket(packet: packet, stream: stream, sender: sender, isRetransmission: false, enqueued: now)
        self.congestion?.enqueue(paced, priority: .video, now: now)
    }

    /// Sends the packet that the peer misses, in the stream of retransmissions if there is one.
    func sendAgain(_ sequence: UInt16, of stream: SendStream, _ sender: MediaSender, now: NIODeadline) {
        let interval = self.roundTripTime
        guard let packet = stream.history.take(sequence, interval: min(interval, .milliseconds(500)), now: now) else {
            return
        }
        let paced = PacedPacket(packet: packet, stream: stream, sender: sender, isRetransmission: true, enqueued: now)
        guard self.congestion != nil else { return self.sendPaced(paced, probe: nil, now: now) }
        self.congestion?.enqueue(paced, priority: .retransmission, now: now)
    }

    // MARK: Onto the wire

    func sendPaced(_ paced: PacedPacket, probe: ProbeClusterID?, now: NIODeadline) {
        paced.stream.counts.totalQueueTime = paced.stream.counts.totalQueueTime + (now - paced.enqueued)
        if paced.isRetransmission {
            self.repeatNow(paced.packet, of: paced.stream, paced.sender, probe: probe, now: now)
        } else {
            self.sendNow(
                paced.packet,
                of: paced.stream,
                paced.sender,
                probe: probe,
                captureTime: paced.enqueued,
                now: now
            )
        }
    }

    /// - Parameter captureTime: When the packet was handed over; `nil` if that is now.
    func sendNow(
        _ packet: OutgoingPacket,
        of stream: SendStream,
        _ sender: MediaSender,
        probe: ProbeClusterID? = nil,
        captureTime: NIODeadline? = nil,
        now: NIODeadline
    ) {
        let payload = packet.source.view.payloadRange
        guard
            let headerSize = self.write(packet.header, of: packet, stream, sender, isRepair: false, probe: probe, now),
            self.protect(headerSize: headerSize, payload: packet.source, isRepair: false)
        else { return }
        stream.noteSent(
            packet.header,
            payloadSize: payload.count,
            overhead: headerSize,
            captureTime: captureTime,
            now: now
        )
        if sender.feedback.contains(.nack) {
            var kept = packet
            if packet.rtx == nil { kept.sentHeader = Array(self.headerScratch[..<headerSize]) }
            stream.history.store(kept, sequence: packet.header.sequenceNumber, now: now)
        }
    }

    private func repeatNow(
        _ packet: OutgoingPacket,
        of stream: SendStream,
        _ sender: MediaSender,
        probe: ProbeClusterID?,
        now: NIODeadline
    ) {
        if let sent = packet.sentHeader {
            // RFC 3711 section 9.1: what repeats a number repeats the whole packet, or SRTP would give the key stream away.
            self.headerScratch.copyBytes(from: sent)
            guard self.protect(headerSize: sent.count, payload: packet.source, isRepair: false) else { return }
            return stream.countRetransmission(of: packet, headerSize: sent.count)
        }
        var header = packet.header
        if let rtx = packet.rtx {
            header.payloadType = rtx
            header.ssrc = stream.encoding.rtxSSRC
            header.sequenceNumber = stream.nextRetransmissionSequence()
        }
        guard
            let headerSize = self.write(
                header,
                of: packet,
                stream,
                sender,
                isRepair: packet.rtx != nil,
                probe: probe,
                now
            ),
            self.protect(headerSize: headerSize, payload: packet.source, isRepair: packet.rtx != nil)
        else { return }
        // The number of the original, which a retransmission begins with, is no header (RFC 4588 section 4).
        stream.countRetransmission(of: packet, headerSize: headerSize - (packet.rtx == nil ? 0 : RTXPacket.overhead))
    }

    /// Writes the header, and of a retransmission the original's number, into ``headerScratch``.
    private func write(
        _ header: RTPHeader,
        of packet: OutgoingPacket,
        _ stream: SendStream,
        _ sender: MediaSender,
        isRepair: Bool,
        probe: ProbeClusterID?,
        _ now: NIODeadline
    ) -> Int? {
        let view = packet.source.view
        let bytes = packet.source.buffer.readableBytesSpan
        var writer: RTPPacketWriter
        if view.contributingSourceCount == 0 {
            writer = RTPPacketWriter(self.headerScratch, header: header)
        } else {
            writer = RTPPacketWriter(
                self.headerScratch,
                header: header,
                contributingSources: packet.source.contributingSources
            )
        }
        if !view.extensionRange.isEmpty { writer.appendExtensions(of: view, in: bytes, remap: packet.remap) }
        self.appendNames(of: stream, sender, isRepair: isRepair, to: &writer)
        let map = sender.headerExtensions
        if map[.absoluteSendTime] != nil {
            writer.appendExtension(AbsoluteSendTime(self.clock.time(at: now)), map: map)
        }
        if let id = map[.transportSequenceNumber], self.congestion != nil {
            let size = writer.size + 8 + view.payloadRange.count + 16 + Self.datagramOverhead
            let number = self.congestion?.record(
                bytes: size,
                probe: probe,
                now: now
            )
            if let number { writer.appendExtension(TransportSequenceNumber(number), id: id) }
        }
        if isRepair { writer.appendOriginalSequenceNumber(packet.header.sequenceNumber) }
        return writer.finish()
    }

    /// A peer that has reported on a stream knows where it belongs; until then each packet says so (RFC 9143 section 14).
    private func appendNames(
        of stream: SendStream,
        _ sender: MediaSender,
        isRepair: Bool,
        to writer: inout RTPPacketWriter
    ) {
        guard !stream.isKnownToPeer || isRepair && stream.counts.retransmittedPackets < 32 else { return }
        let map = sender.headerExtensions
        if map[.mid] != nil { writer.appendExtension(MIDExtension(sender.section.mid), map: map) }
        guard let rid = stream.encoding.rid else { return }
        if isRepair {
            writer.appendExtension(RepairedRIDExtension(rid), map: map)
        } else {
            writer.appendExtension(RIDExtension(rid), map: map)
        }
    }

    private func protect(headerSize: Int, payload packet: RTPPacket, isRepair: Bool) -> Bool {
        guard let srtp = self.srtp else { return false }
        let range = packet.view.payloadRange
        let header = UnsafeRawBufferPointer(rebasing: self.headerScratch[..<headerSize])
        let size = headerSize + range.count + srtp.sender.profile.rtpTagLength
        return packet.buffer.withUnsafeReadableBytes { bytes in
            let payload = UnsafeRawBufferPointer(rebasing: bytes[range])
            return self.batcher.append(count: size) { target in
                if isRepair {
                    // The original's number stands between header and payload, so these are not two pieces but one.
                    target.copyMemory(from: header)
                    UnsafeMutableRawBufferPointer(rebasing: target[headerSize...]).copyMemory(from: payload)
                    let length = try? srtp.sender.protectRTP(in: target, length: headerSize + range.count)
                    return length == size
                }
                return (try? srtp.sender.protectRTP(header: header, payload: payload, into: target)) == size
            }
        }
    }

    /// Padding, for probes: the last packet again, or nothing but padding, in the stream of retransmissions.
    func sendPadding(bytes: Int, probe: ProbeClusterID?, now: NIODeadline) {
        for sender in self.senders where sender.isActive {
            for stream in sender.streams where stream.kind == .video {
                guard let last = stream.history.last, last.rtx != nil else { continue }
                self.repeatNow(last, of: stream, sender, probe: probe, now: now)
                return
            }
        }
    }

    /// What fits a datagram of 1,200 bytes beside the headers of RTP and what SRTP adds: room for names, times and numbers.
    static let maximumPayloadSize = 1200 - 12 - 48 - 16
}

extension RTCRtpCodec {
    /// RFC 6184 section 8.1: 0 unless said otherwise.
    var packetizationMode: H264PacketizationMode {
        guard self.isNamed("H264") else { return .nonInterleaved }
        let mode = FormatParameters(self.sdpFmtpLine)["packetization-mode"]
        return mode == "1" ? .nonInterleaved : .singleNALUnit
    }
}
