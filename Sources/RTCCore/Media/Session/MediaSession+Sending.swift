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
        if !packet.format.isAccompaniment { self.note(format.codec, stream) }
        var outgoing = OutgoingPacket(
            source: packet.packet,
            header: header,
            remap: format.remap,
            rtx: sender.feedback.contains(.nack) ? format.codec.rtx : nil
        )
        self.addRedundancy(to: &outgoing, of: stream, sender, format.codec, now: now)
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
        for var packet in packets {
            guard stream.kind == .video else {
                self.addRedundancy(to: &packet, of: stream, sender, codec, now: now)
                self.sendNow(packet, of: stream, sender, now: now)
                continue
            }
            self.enqueue(packet, as: .media, of: stream, sender, priority: .video, now: now)
        }
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
            maximumPayloadSize: sender.maximumPayloadSize
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

    /// Sends a packet when the pacer lets it, or at once without one.
    func enqueue(
        _ packet: OutgoingPacket,
        as role: OutgoingPacketRole,
        of stream: SendStream,
        _ sender: MediaSender,
        priority: PacketPriority,
        now: NIODeadline
    ) {
        let paced = PacedPacket(packet: packet, stream: stream, sender: sender, role: role, enqueued: now)
        guard self.congestion != nil else { return self.sendPaced(paced, probe: nil, now: now) }
        self.congestion?.enqueue(paced, priority: priority, now: now)
    }

    /// Sends the packet that the peer misses, in the stream of retransmissions if there is one.
    func sendAgain(_ sequence: UInt16, of stream: SendStream, _ sender: MediaSender, now: NIODeadline) {
        let interval = self.roundTripTime
        guard let packet = stream.history.take(sequence, interval: min(interval, .milliseconds(500)), now: now) else {
            return
        }
        self.enqueue(packet, as: .retransmission, of: stream, sender, priority: .retransmission, now: now)
    }
}

extension RTCRtpCodec {
    /// RFC 6184 section 8.1: 0 unless said otherwise.
    var packetizationMode: H264PacketizationMode {
        guard self.isNamed("H264") else { return .nonInterleaved }
        let mode = FormatParameters(self.sdpFmtpLine)["packetization-mode"]
        return mode == "1" ? .nonInterleaved : .singleNALUnit
    }
}
