import RTCBase
import RTCRTP
import RTCSDP

/// What descriptions do to transceivers, tracks and streams (W3C webrtc-pc section 4.4.1.5, RFC 9429 sections 5.9 to 5.11).
extension JSEPSession {
    /// What a rollback restores of a transceiver.
    struct StableState: Sendable {
        var mid: String?
        var sectionIndex: Int?
        var streams: [String]
        var isReceptive: Bool
        var hasTransport: Bool
        var encodings: [JSEPEncoding]
    }

    mutating func rememberStableStates() {
        self.stableStates = [:]
        for transceiver in self.transceivers {
            self.stableStates[transceiver.id] = StableState(
                mid: transceiver.mid,
                sectionIndex: transceiver.sectionIndex,
                streams: transceiver.receiver.streams,
                isReceptive: transceiver.isReceptive,
                hasTransport: transceiver.hasTransport,
                encodings: transceiver.sender.encodings
            )
        }
    }

    mutating func applyMedia(_ description: JSEPDescription, _ side: Side) -> JSEPMediaChanges {
        self.mediaRevision &+= 1
        var changes = JSEPMediaChanges()
        for (index, media) in description.content.media.enumerated() {
            guard media.isRTPSection else {
                self.releaseSection(index, keeping: nil)
                continue
            }
            switch (side, description.type) {
            case (.local, .offer): self.associateLocal(media, at: index)
            case (.remote, .offer): self.applyRemoteOffer(media, at: index, of: description.content, &changes)
            case (.local, _): self.applyLocalAnswer(media, at: index, of: description, &changes)
            case (.remote, _): self.applyRemoteAnswer(media, at: index, of: description, &changes)
            }
        }
        return changes
    }

    private func place(of media: SDPMedia, at index: Int) -> Int? {
        self.transceivers.firstIndex { $0.stands(for: index, media) }
    }

    /// A section that was used again no longer belongs to the transceiver that it had before.
    private mutating func releaseSection(_ index: Int, keeping kept: Int?) {
        for place in self.transceivers.indices where place != kept && self.transceivers[place].sectionIndex == index {
            self.transceivers[place].sectionIndex = nil
            self.transceivers[place].mid = nil
        }
    }

    // MARK: Offers of this side

    private mutating func associateLocal(_ media: SDPMedia, at index: Int) {
        guard !media.isRejected else { return }
        let place =
            self.place(of: media, at: index)
            ?? self.transceivers.firstIndex { $0.sectionIndex == nil && $0.proposedMID == media.mid }
        guard let place else { return }
        self.releaseSection(index, keeping: place)
        self.transceivers[place].mid = media.mid
        self.transceivers[place].sectionIndex = index
        self.transceivers[place].proposedMID = nil
        self.transceivers[place].hasTransport = true
        self.transceivers[place].isReceptive = media.direction?.receives ?? true
    }

    // MARK: Answers of this side

    private mutating func applyLocalAnswer(
        _ media: SDPMedia,
        at index: Int,
        of description: JSEPDescription,
        _ changes: inout JSEPMediaChanges
    ) {
        guard let place = self.place(of: media, at: index), !self.transceivers[place].isStopped else { return }
        guard !media.isRejected else {
            if description.type == .answer { self.end(place, &changes) }
            return
        }
        let direction = description.content.direction(of: index)
        self.transceivers[place].hasTransport = true
        self.transceivers[place].isReceptive = direction.receives
        if !direction.receives, self.transceivers[place].firedDirection?.receives == true {
            self.muteTrack(of: place, &changes)
            self.setStreams([], of: place, &changes)
        }
        self.settle(direction, of: place)
    }

    private mutating func settle(_ direction: SDPDirection, of place: Int) {
        self.transceivers[place].currentDirection = direction
        self.transceivers[place].firedDirection = direction
        if direction.sends { self.transceivers[place].sender.hasSent = true }
    }

    // MARK: Offers of the peer

    private mutating func applyRemoteOffer(
        _ media: SDPMedia,
        at index: Int,
        of content: SDPSession,
        _ changes: inout JSEPMediaChanges
    ) {
        guard let kind = MediaKind(rawValue: media.kind) else { return }
        let place: Int
        if let known = self.place(of: media, at: index) {
            place = known
        } else {
            // A section that is rejected from the first needs nobody to stand for it.
            guard !media.isRejected else { return }
            self.releaseSection(index, keeping: nil)
            place = self.placeForRemoteSection(kind, content.direction(of: index))
            self.transceivers[place].sectionIndex = index
            self.transceivers[place].mid = media.mid ?? String(self.random.uuid().prefix(8))
        }
        guard !media.isRejected else {
            if !self.transceivers[place].isStopped { self.end(place, &changes) }
            return
        }
        self.takeRequestedEncodings(of: media, place)
        let direction = content.direction(of: index).reversed
        self.receive(direction, media, place, &changes)
        self.transceivers[place].firedDirection = direction
    }

    /// A transceiver that `addTrack` made and no section has yet, else a new one (RFC 9429 section 5.10).
    private mutating func placeForRemoteSection(_ kind: MediaKind, _ offered: SDPDirection) -> Int {
        if offered.receives,
            let place = self.transceivers.firstIndex(where: { $0.kind == kind && $0.takesRemoteSection })
        {
            return place
        }
        self.appendTransceiver(kind, origin: .remoteOffer, direction: .recvonly)
        return self.transceivers.count - 1
    }

    /// The encodings that the peer asks for, where this side has not said any (W3C webrtc-pc section 4.4.1.5).
    private mutating func takeRequestedEncodings(of media: SDPMedia, _ place: Int) {
        let rids = Set(media.rids.filter { $0.direction == .recv }.map(\.id))
        let streams = (media.simulcast?.recv ?? []).compactMap(\.first).filter { rids.contains($0.rid) }
        guard streams.count > 1 else { return }
        let present = self.transceivers[place].sender.encodings
        guard present.count == 1, present[0].parameters.rid == nil else { return }
        let requested = streams.prefix(Self.maximumEncodings)
        self.transceivers[place].sender.encodings = requested.enumerated().map { number, stream in
            var encoding = number == 0 ? present[0] : self.newEncoding(RTCRtpEncodingParameters())
            encoding.parameters.rid = stream.rid
            encoding.isPausedByPeer = stream.isPaused
            if self.transceivers[place].kind == .video {
                encoding.parameters.scaleResolutionDownBy = Double(1 << (requested.count - 1 - number))
            }
            return encoding
        }
    }

    // MARK: Answers of the peer

    private mutating func applyRemoteAnswer(
        _ media: SDPMedia,
        at index: Int,
        of description: JSEPDescription,
        _ changes: inout JSEPMediaChanges
    ) {
        guard let place = self.place(of: media, at: index) else { return }
        guard !media.isRejected else {
            if description.type == .answer, !self.transceivers[place].isStopped { self.end(place, &changes) }
            return
        }
        self.restrictEncodings(to: media, place)
        let direction = description.content.direction(of: index).reversed
        self.transceivers[place].hasTransport = true
        self.transceivers[place].isReceptive = direction.receives
        self.receive(direction, media, place, &changes)
        self.settle(direction, of: place)
    }

    /// What the peer does not take of the encodings is gone (W3C webrtc-pc section 4.4.1.5).
    private mutating func restrictEncodings(to media: SDPMedia, _ place: Int) {
        guard self.transceivers[place].sender.encodings.count > 1 else { return }
        var isPaused: [String: Bool] = [:]
        for encoding in (media.simulcast?.recv ?? []).joined() { isPaused[encoding.rid] = encoding.isPaused }
        let kept = self.transceivers[place].sender.encodings.compactMap { encoding -> JSEPEncoding? in
            guard let rid = encoding.parameters.rid, let paused = isPaused[rid] else { return nil }
            var encoding = encoding
            encoding.isPausedByPeer = paused
            return encoding
        }
        if kept.isEmpty {
            self.transceivers[place].sender.encodings.removeLast(self.transceivers[place].sender.encodings.count - 1)
            self.transceivers[place].sender.encodings[0].parameters.rid = nil
        } else {
            self.transceivers[place].sender.encodings = kept
        }
    }

    // MARK: Tracks and streams

    /// What a description of the peer says of the track that it sends.
    private mutating func receive(
        _ direction: SDPDirection,
        _ media: SDPMedia,
        _ place: Int,
        _ changes: inout JSEPMediaChanges
    ) {
        let streams = direction.receives ? self.streams(of: media) : []
        let before = changes.added.count
        self.setStreams(streams, of: place, &changes)
        let hadFired = self.transceivers[place].firedDirection?.receives == true
        if direction.receives {
            if changes.added.count > before || !hadFired {
                changes.tracks.append(
                    JSEPMediaChanges.Track(transceiver: self.transceivers[place].id, streams: streams)
                )
            }
        } else {
            self.transceivers[place].isReceptive = false
            if hadFired { self.muteTrack(of: place, &changes) }
        }
    }

    /// The streams that a section names: by `msid` attributes, as older peers do by attributes of its sources, or by none at all, which stands
    /// for one stream of everything.
    private func streams(of media: SDPMedia) -> [String] {
        var names = media.msids.map(\.stream)
        if names.isEmpty {
            names = media.ssrcs.filter { $0.name == "msid" }.compactMap { source in
                source.value.flatMap { try? SDPMediaStreamID(parsing: $0) }?.stream
            }
        }
        if names.isEmpty { return [self.defaultStream] }
        return Array(names.filter { $0 != "-" }.withoutRepetitions.prefix(Self.maximumStreams))
    }

    /// The most streams of one track; further ones are left out.
    private static let maximumStreams = 32

    /// W3C webrtc-pc section 4.4.1.5, "set the associated remote streams".
    private mutating func setStreams(_ streams: [String], of place: Int, _ changes: inout JSEPMediaChanges) {
        let id = self.transceivers[place].id
        let before = self.transceivers[place].receiver.streams
        for stream in before where !streams.contains(stream) {
            changes.removed.append(JSEPMediaChanges.Membership(stream: stream, transceiver: id))
        }
        for stream in streams where !before.contains(stream) {
            changes.added.append(JSEPMediaChanges.Membership(stream: stream, transceiver: id))
        }
        self.transceivers[place].receiver.streams = streams
    }

    private mutating func muteTrack(of place: Int, _ changes: inout JSEPMediaChanges) {
        guard !self.transceivers[place].receiver.isMuted else { return }
        self.transceivers[place].receiver.isMuted = true
        changes.muted.append(self.transceivers[place].id)
    }

    // MARK: The end of a transceiver

    /// W3C webrtc-pc section 5.4, "stop the RTCRtpTransceiver".
    private mutating func end(_ place: Int, _ changes: inout JSEPMediaChanges) {
        self.transceivers[place].isStopping = true
        self.transceivers[place].isStopped = true
        self.transceivers[place].isReceptive = false
        if self.transceivers[place].firedDirection?.receives == true {
            self.setStreams([], of: place, &changes)
            self.muteTrack(of: place, &changes)
        }
        self.transceivers[place].firedDirection = nil
        self.endTrack(of: place, &changes)
    }

    private mutating func endTrack(of place: Int, _ changes: inout JSEPMediaChanges) {
        guard !self.transceivers[place].receiver.hasEnded else { return }
        self.transceivers[place].receiver.hasEnded = true
        changes.ended.append(self.transceivers[place].id)
    }

    /// Once stable, what is over leaves (RFC 9429 section 5.11); so does what was stopped before any section knew it.
    mutating func removeStoppedTransceivers() {
        self.transceivers.removeAll { $0.isStopped || ($0.isStopping && $0.sectionIndex == nil) }
    }

    // MARK: Rollback

    mutating func rollBackMedia() -> JSEPMediaChanges {
        self.mediaRevision &+= 1
        var changes = JSEPMediaChanges()
        for place in self.transceivers.indices {
            let stable = self.stableStates[self.transceivers[place].id]
            self.transceivers[place].mid = stable?.mid
            self.transceivers[place].sectionIndex = stable?.sectionIndex
            self.transceivers[place].hasTransport = stable?.hasTransport ?? false
            self.transceivers[place].isReceptive = stable?.isReceptive ?? false
            if let encodings = stable?.encodings, encodings.count != self.transceivers[place].sender.encodings.count {
                self.transceivers[place].sender.encodings = encodings
            }
            guard !self.transceivers[place].isStopped else { continue }
            self.restoreTrack(of: place, stable?.streams ?? [], &changes)
            if stable == nil, self.transceivers[place].origin == .remoteOffer,
                !self.transceivers[place].wasUsedByAddTrack
            {
                self.end(place, &changes)
            }
        }
        self.transceivers.removeAll { $0.isStopped && self.stableStates[$0.id] == nil }
        self.stableStates = [:]
        return changes
    }

    private mutating func restoreTrack(of place: Int, _ streams: [String], _ changes: inout JSEPMediaChanges) {
        let current = self.transceivers[place].currentDirection
        let receives = current?.receives == true
        let hadFired = self.transceivers[place].firedDirection?.receives == true
        let before = changes.added.count
        self.setStreams(receives ? streams : [], of: place, &changes)
        if receives, changes.added.count > before || !hadFired {
            changes.tracks.append(
                JSEPMediaChanges.Track(transceiver: self.transceivers[place].id, streams: streams)
            )
        } else if !receives, hadFired {
            self.muteTrack(of: place, &changes)
        }
        self.transceivers[place].firedDirection = current
    }
}
