import NIOCore
import RTCBase
import RTCRTP
import RTCSRTP

/// Packets onto the wire: headers, names and numbers at the last moment, encrypted into the batch.
extension MediaSession {
    func sendPaced(_ paced: PacedPacket, probe: ProbeClusterID?, now: NIODeadline) {
        paced.stream.counts.totalQueueTime = paced.stream.counts.totalQueueTime + (now - paced.enqueued)
        switch paced.role {
        case .media:
            self.sendNow(
                paced.packet,
                of: paced.stream,
                paced.sender,
                probe: probe,
                captureTime: paced.enqueued,
                now: now
            )
        case .retransmission: self.repeatNow(paced.packet, of: paced.stream, paced.sender, probe: probe, now: now)
        case .correction: self.sendCorrection(paced.packet, of: paced.stream, paced.sender, probe: probe, now: now)
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
            let headerSize = self.write(packet.header, of: packet, stream, sender, as: .media, probe: probe, now),
            self.protect(headerSize: headerSize, payload: packet.source, as: .media)
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
        self.protectAhead(packet, headerSize: headerSize, of: stream, sender, now: now)
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
            guard self.protect(headerSize: sent.count, payload: packet.source, as: .media) else { return }
            return stream.countRetransmission(of: packet, headerSize: sent.count)
        }
        var header = packet.header
        let role: OutgoingPacketRole = packet.rtx == nil ? .media : .retransmission
        if let rtx = packet.rtx {
            header.payloadType = rtx
            header.ssrc = stream.encoding.rtxSSRC
            header.sequenceNumber = stream.nextRetransmissionSequence()
        }
        guard
            let headerSize = self.write(header, of: packet, stream, sender, as: role, probe: probe, now),
            self.protect(headerSize: headerSize, payload: packet.source, as: role)
        else { return }
        // The number of the original, which a retransmission begins with, is no header (RFC 4588 section 4).
        stream.countRetransmission(of: packet, headerSize: headerSize - (packet.rtx == nil ? 0 : RTXPacket.overhead))
    }

    /// Writes the header, and of a retransmission the original's number, into ``headerScratch``.
    func write(
        _ header: RTPHeader,
        of packet: OutgoingPacket,
        _ stream: SendStream,
        _ sender: MediaSender,
        as role: OutgoingPacketRole,
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
        self.appendNames(of: stream, sender, as: role, to: &writer)
        let map = sender.headerExtensions
        if map[.absoluteSendTime] != nil {
            writer.appendExtension(AbsoluteSendTime(self.clock.time(at: now)), map: map)
        }
        let id = map[.transportSequenceNumber]
        if let congestion = self.congestion, id != nil || self.arrivalsComeByStream {
            let size = writer.size + 8 + view.payloadRange.count + 16 + Self.datagramOverhead
            let name = RTPPacketName(ssrc: header.ssrc, sequence: header.sequenceNumber)
            let number = congestion.record(
                bytes: size,
                probe: probe,
                stream: self.arrivalsComeByStream ? name : nil,
                now: now
            )
            if let id { writer.appendExtension(TransportSequenceNumber(number), id: id) }
        }
        if role == .retransmission { writer.appendOriginalSequenceNumber(packet.header.sequenceNumber) }
        return writer.finish()
    }

    /// A peer that has reported on a stream knows where it belongs; until then each packet says so (RFC 9143 section 14).
    private func appendNames(
        of stream: SendStream,
        _ sender: MediaSender,
        as role: OutgoingPacketRole,
        to writer: inout RTPPacketWriter
    ) {
        let isNew: Bool =
            switch role {
            case .media: false
            case .retransmission: stream.counts.retransmittedPackets < Self.packetsWithNames
            case .correction: stream.protection.packets < Self.packetsWithNames
            }
        guard !stream.isKnownToPeer || isNew else { return }
        let map = sender.headerExtensions
        if map[.mid] != nil { writer.appendExtension(MIDExtension(sender.section.mid), map: map) }
        guard let rid = stream.encoding.rid else { return }
        if role == .media {
            writer.appendExtension(RIDExtension(rid), map: map)
        } else {
            writer.appendExtension(RepairedRIDExtension(rid), map: map)
        }
    }

    func protect(headerSize: Int, payload packet: RTPPacket, as role: OutgoingPacketRole) -> Bool {
        guard let srtp = self.srtp else { return false }
        let range = packet.view.payloadRange
        let header = UnsafeRawBufferPointer(rebasing: self.headerScratch[..<headerSize])
        let size = headerSize + range.count + srtp.sender.profile.rtpTagLength
        return packet.buffer.withUnsafeReadableBytes { bytes in
            let payload = UnsafeRawBufferPointer(rebasing: bytes[range])
            return self.batcher.append(count: size) { target in
                if role == .retransmission {
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

    /// So many packets of a stream that the peer does not report on say where they belong.
    private static let packetsWithNames: UInt64 = 32

    /// What fits a datagram of 1,200 bytes beside the headers of RTP and what SRTP adds: room for names, times and numbers.
    static let maximumPayloadSize = 1200 - 12 - 48 - 16
}
