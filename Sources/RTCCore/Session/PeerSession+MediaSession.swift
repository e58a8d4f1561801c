package import NIOCore
import RTCBase
import RTCDTLS
import RTCICE
package import RTCRTP
import RTCTURN

// Where the media plane meets keys, path and user.

extension PeerSession {
    /// What the descriptions settled for media has changed: streams begin, change or end by this.
    private func mediaNegotiated(now: NIODeadline) {
        self.isMediaStale = false
        let media = self.negotiatedMedia
        if self.media == nil, !media.sections.isEmpty {
            self.media = MediaSession(random: self.random, clock: self.environment.wallClock)
            _ = self.random.next()
            for (id, wants) in self.mediaWants { self.media?.setWants(wants, of: id) }
            self.mediaWants = [:]
        }
        self.media?.update(media, now: now)
        self.startMedia(now: now)
    }

    /// Begins as soon as there is media and DTLS has given the keys.
    func startMedia(now: NIODeadline) {
        guard let media = self.media, media.srtp == nil, let dtls = self.transport.dtls, dtls.state == .connected,
            let role = self.transport.dtlsRole
        else { return }
        do {
            try media.start(dtls.exportSRTPKeys(), isClient: role == .client, now: now)
        } catch {
            // Without a common profile media cannot be: the peer offered media without SRTP keys.
            self.counters.withoutKeys += 1
        }
    }

    func receiveMedia(_ datagram: RawSpan, now: NIODeadline) {
        if self.isMediaStale { self.mediaNegotiated(now: now) }
        self.startMedia(now: now)
        guard let media = self.media else {
            self.counters.unknownProtocol += 1
            return
        }
        media.receive(datagram, now: now)
    }

    func settleMedia(now: NIODeadline) {
        if self.isMediaStale { self.mediaNegotiated(now: now) }
        guard let media = self.media else { return }
        media.settle(now: now)
        for event in media.events {
            switch event {
            case .arrived(let id): self.mediaArrives(for: id)
            case .left(let id): self.mediaLeaves(id)
            default: break
            }
        }
        self.transmitMedia(now: now)
    }

    func transmitMedia(now: NIODeadline) {
        guard let media = self.media, !media.batcher.isEmpty else { return }
        guard let path = self.transport.path else { return media.batcher.removeAll() }
        while let batch = media.batcher.next() {
            self.transport.noteSent(batch, path: path, now: now)
            self.transmit(batch, along: path, now: now)
        }
    }

    /// The peer sends a track no more: it is muted (W3C webrtc-pc section 5.3).
    private func mediaLeaves(_ id: TransceiverID) {
        guard let transceiver = self.jsep.transceiver(id), !transceiver.receiver.isMuted, !transceiver.receiver.hasEnded
        else { return }
        self.jsep.withTransceiver(id) { $0.receiver.isMuted = true }
        self.emit(.trackMuted(id))
    }

    /// The next datagrams of media that was sent since the last ``poll(now:)``, with the path that they take. A short cut for who only
    /// forwards: it leaves alone all that is not media.
    package func pollMedia(now: NIODeadline) -> Output? {
        guard let media = self.media, let path = self.transport.path else { return nil }
        if let relay = self.servers.relay(at: path.base) {
            return self.pollMedia(media, through: relay, path, now: now)
        }
        guard let batch = media.batcher.next() else { return nil }
        self.transport.noteSent(batch, path: path, now: now)
        return .transmit(batch, from: path.base, to: path.remote)
    }

    private func pollMedia(
        _ media: MediaSession,
        through relay: ServerConnection,
        _ path: ICEPath,
        now: NIODeadline
    ) -> Output? {
        guard let client = relay.turn else { return nil }
        while true {
            while let output = client.poll() {
                switch output {
                case .transmit(let batch): return .transmitFlow(relay.id, batch)
                case .event(let event): relay.heldEvents.append(event)
                }
            }
            guard let batch = media.batcher.next() else { return nil }
            self.transport.noteSent(batch, path: path, now: now)
            client.send(batch, to: path.remote, now: now)
        }
    }

    // MARK: For the user

    /// Takes what arrived and what the peer asks for, in order. To be called after each burst.
    package func takeMedia() -> [MediaEvent] {
        guard let media = self.media, !media.events.isEmpty else { return [] }
        var events: [MediaEvent] = []
        swap(&events, &media.events)
        return events
    }

    /// Sends a packet of another stream at once.
    ///
    /// - Returns: Whether it was sent: not before the peer wants it, nor if it takes no such codec.
    @discardableResult
    package func send(
        _ packet: RTCReceivedPacket,
        of id: TransceiverID,
        encoding: Int,
        now: NIODeadline
    ) -> Bool {
        self.media?.send(packet, of: id, encoding: encoding, now: now) ?? false
    }

    /// Sends a frame, as soon as the pacer lets it go.
    ///
    /// - Parameter source: Names what the frames come from; when it changes, timestamps go on where they were.
    /// - Throws: `PacketizationError` for a frame that is not what its codec says.
    package func send(
        _ frame: RTCEncodedFrame,
        of id: TransceiverID,
        source: Int,
        now: NIODeadline
    ) throws(PacketizationError) {
        try self.media?.send(frame, of: id, source: source, now: now)
    }

    /// Says what of a receiver's media is to come up: packets, frames, or neither.
    ///
    /// - Parameter target: By how much frames are held back; `nil` for not at all.
    package func setWants(packets: Bool, frames: Bool, target: TimeAmount?, of id: TransceiverID) {
        let wants = MediaReceiver.Wants(packets: packets, frames: frames, target: target)
        guard let media = self.media else {
            self.mediaWants[id] = wants
            return
        }
        media.setWants(wants, of: id)
    }

    /// Asks the peer for a key frame, at most every 200 ms.
    package func requestKeyFrame(of id: TransceiverID, encoding: Int?, now: NIODeadline) {
        self.media?.requestKeyFrame(of: id, encoding: encoding, now: now)
    }
}

// MARK: - Sources

extension PeerSession {
    /// The streams that a receiver got media of in the last ten seconds, the newest first.
    package func synchronizationSources(of id: TransceiverID, now: NIODeadline) -> [RTCRtpSynchronizationSource] {
        let streams = self.media?.receiver(id)?.streams ?? []
        return streams.compactMap { stream -> RTCRtpSynchronizationSource? in
            guard let latest = stream.latest, now - latest.arrival <= Self.sourceMemory else { return nil }
            return RTCRtpSynchronizationSource(
                timestamp: latest.arrival,
                source: stream.ssrc,
                audioLevel: latest.level?.linear,
                rtpTimestamp: latest.timestamp
            )
        }.sorted { $0.timestamp > $1.timestamp }
    }

    /// What was mixed into them, the newest first.
    package func contributingSources(of id: TransceiverID, now: NIODeadline) -> [RTCRtpContributingSource] {
        let entries = (self.media?.receiver(id)?.streams ?? []).flatMap(\.contributors)
        return entries.filter { now - $0.arrival <= Self.sourceMemory }.map { entry in
            RTCRtpContributingSource(timestamp: entry.arrival, source: entry.ssrc, rtpTimestamp: entry.timestamp)
        }.sorted { $0.timestamp > $1.timestamp }
    }

    private static let sourceMemory = TimeAmount.seconds(10)
}
