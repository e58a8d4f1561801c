import NIOCore
import RTCRTP

// MARK: - Sending

extension MediaSession {
    /// Replaces the tones that a sender is to play (W3C webrtc-pc section 7.2).
    func insertTones(
        _ tones: String,
        duration: TimeAmount,
        gap: TimeAmount,
        of sender: MediaSender,
        now: NIODeadline
    ) throws(TelephoneEventSender.InsertionError) {
        var player = sender.tones ?? TelephoneEventSender(clockRate: 0)
        if player.isIdle { player = TelephoneEventSender(clockRate: Int(sender.toneFormat?.clockRate ?? 8000)) }
        try player.insert(tones, duration: duration, gap: gap, now: now)
        sender.tones = player
    }

    /// Plays what is due.
    func playTones(now: NIODeadline) {
        for sender in self.senders {
            guard let due = sender.tones?.nextTimeout, due <= now, let stream = sender.streams.first else { continue }
            guard sender.isActive else {
                sender.tones?.stop()
                continue
            }
            let timestamp = stream.continuity.timestamp(at: now, clockRate: stream.clockRate(of: sender))
            sender.tones?.handleTimeout(now: now, timestamp: timestamp)
            while let output = sender.tones?.poll() {
                switch output {
                case .packet(let payload, let timestamp, let marker):
                    self.send(payload, timestamp, marker, of: stream, sender, now: now)
                case .toneChange(let tone):
                    self.events.append(.toneChange(sender.id, tone, remaining: sender.tones?.toneBuffer ?? ""))
                }
            }
        }
    }

    /// The same stream and numbers as the sound's (RFC 4733 section 2.3).
    private func send(
        _ payload: TelephoneEventPayload,
        _ timestamp: UInt32,
        _ marker: Bool,
        of stream: SendStream,
        _ sender: MediaSender,
        now: NIODeadline
    ) {
        guard let format = sender.toneFormat, stream.encoding.parameters.active else { return }
        let header = RTPHeader(
            marker: marker,
            payloadType: format.payloadType,
            sequenceNumber: stream.continuity.interject(),
            timestamp: timestamp,
            ssrc: stream.ssrc
        )
        var buffer = ByteBufferAllocator().buffer(capacity: 16)
        guard buffer.writeRTPPacket(header, maximumSize: 16, { _ in }) != nil else { return }
        buffer.writeInteger(payload.word)
        guard let packet = RTPPacket(buffer) else { return }
        let outgoing = OutgoingPacket(source: packet, header: header, remap: Self.noExtensions, rtx: nil)
        self.sendNow(outgoing, of: stream, sender, now: now)
    }

    static let noExtensions = HeaderExtensionRemap(
        from: HeaderExtensionMap(),
        to: HeaderExtensionMap(),
        keeping: []
    )
}

extension MediaSender {
    /// How tones are sent: at the clock rate of the sound, so that timestamps of both go together (RFC 4733 section 2.1), or else as the peer
    /// takes them.
    var toneFormat: (payloadType: PayloadType, clockRate: UInt32)? {
        let events = self.section.send.formats.telephoneEvents
        let rate = self.streams.first?.clockRate(of: self) ?? 0
        if let type = events[rate] { return (type, rate) }
        return events.max { $0.key < $1.key }.map { ($0.value, $0.key) }
    }
}

extension SendStream {
    /// The rate of the stream's timestamps: that of the codec in use, or of the one that is to be used.
    fileprivate func clockRate(of sender: MediaSender) -> UInt32 {
        (self.lastFormat ?? sender.section.send.formats.codecs.first?.codec)?.clockRate ?? 8000
    }
}

// MARK: - Receiving

extension MediaSession {
    func receiveTone(
        _ packet: RTPPacket,
        _ format: RTPStreamFormat,
        of stream: ReceiveStream,
        _ receiver: MediaReceiver,
        now: NIODeadline
    ) {
        if stream.tones == nil { stream.tones = TelephoneEventReceiver() }
        stream.toneClockRate = format.codec.clockRate
        packet.withBytes { bytes in
            stream.tones?.receive(
                bytes.extracting(packet.view.payloadRange),
                timestamp: packet.timestamp,
                marker: packet.marker,
                now: now
            )
        }
        self.takeTones(of: stream, receiver, now: now)
    }

    func takeTones(of stream: ReceiveStream, _ receiver: MediaReceiver, now: NIODeadline) {
        stream.tones?.handleTimeout(now: now)
        while let output = stream.tones?.poll() {
            let event: RTCTelephoneEvent
            switch output {
            case .began(let number, _, let timestamp):
                event = RTCTelephoneEvent(
                    event: number,
                    phase: .began,
                    synchronizationSource: stream.ssrc,
                    timestamp: timestamp
                )
            case .ended(let number, let ticks, let timestamp):
                let nanoseconds = Int64(ticks) * 1_000_000_000 / Int64(max(stream.toneClockRate, 1))
                event = RTCTelephoneEvent(
                    event: number,
                    phase: .ended(duration: .nanoseconds(nanoseconds)),
                    synchronizationSource: stream.ssrc,
                    timestamp: timestamp
                )
            }
            self.events.append(.tone(receiver.id, event))
        }
    }
}
