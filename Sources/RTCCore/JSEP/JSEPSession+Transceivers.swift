import RTCBase
import RTCRTP
import RTCSDP

/// What the user does to transceivers.
extension JSEPSession {
    /// The most encodings of a sender; further ones are left out (W3C webrtc-pc section 5.1, `addTransceiver`).
    static let maximumEncodings = 8

    func transceiver(_ id: TransceiverID) -> JSEPTransceiver? { self.transceivers.first { $0.id == id } }

    /// Changes a transceiver, if there still is one with this id.
    mutating func withTransceiver(_ id: TransceiverID, _ body: (inout JSEPTransceiver) -> Void) {
        guard let place = self.transceivers.firstIndex(where: { $0.id == id }) else { return }
        body(&self.transceivers[place])
        self.mediaRevision &+= 1
    }

    @discardableResult
    mutating func appendTransceiver(
        _ kind: MediaKind,
        origin: JSEPTransceiver.Origin,
        direction: SDPDirection,
        trackID: String? = nil,
        streams: [String] = [],
        encodings: [RTCRtpEncodingParameters] = []
    ) -> TransceiverID {
        let id = TransceiverID(self.numberOfTransceivers)
        self.numberOfTransceivers += 1
        self.mediaRevision &+= 1
        var encodings = encodings
        if encodings.isEmpty {
            encodings = [RTCRtpEncodingParameters(scaleResolutionDownBy: kind == .video ? 1 : nil)]
        }
        let sender = JSEPSender(
            trackID: trackID,
            msidTrack: trackID ?? self.random.uuid(),
            streams: streams.withoutRepetitions,
            encodings: encodings.map { self.newEncoding($0) }
        )
        self.transceivers.append(
            JSEPTransceiver(
                id: id,
                kind: kind,
                origin: origin,
                wasUsedByAddTrack: origin == .addTrack,
                direction: direction,
                headerExtensions: self.capabilities[kind].headerExtensions,
                sender: sender,
                receiver: JSEPReceiver(trackID: self.random.uuid())
            )
        )
        return id
    }

    mutating func newEncoding(_ parameters: RTCRtpEncodingParameters) -> JSEPEncoding {
        var used = Set(self.transceivers.flatMap { $0.sender.encodings.flatMap { [$0.ssrc, $0.rtxSSRC, $0.fecSSRC] } })
        var sources: [UInt32] = []
        while sources.count < 3 {
            let source = UInt32(truncatingIfNeeded: self.random.next())
            if source != 0, used.insert(source).inserted { sources.append(source) }
        }
        return JSEPEncoding(parameters: parameters, ssrc: sources[0], rtxSSRC: sources[1], fecSSRC: sources[2])
    }

    /// Gives a track to a sender that never sent, or to a new one (W3C webrtc-pc section 5.1, `addTrack`).
    mutating func addTrack(_ kind: MediaKind, id trackID: String, streams: [String]) -> TransceiverID {
        let place = self.transceivers.firstIndex { transceiver in
            transceiver.kind == kind && transceiver.sender.trackID == nil && !transceiver.isStopping
                && !transceiver.sender.hasSent
        }
        guard let place else {
            return self.appendTransceiver(
                kind,
                origin: .addTrack,
                direction: .sendrecv,
                trackID: trackID,
                streams: streams
            )
        }
        self.mediaRevision &+= 1
        self.transceivers[place].sender.trackID = trackID
        self.transceivers[place].sender.streams = streams.withoutRepetitions
        self.transceivers[place].wasUsedByAddTrack = true
        let direction = self.transceivers[place].direction
        self.transceivers[place].direction = SDPDirection(sends: true, receives: direction.receives)
        return self.transceivers[place].id
    }

    /// Takes the track from a sender; the direction follows (W3C webrtc-pc section 5.1, `removeTrack`).
    mutating func removeTrack(_ id: TransceiverID) {
        self.withTransceiver(id) { transceiver in
            guard transceiver.sender.trackID != nil, !transceiver.isStopping else { return }
            transceiver.sender.trackID = nil
            transceiver.direction = SDPDirection(sends: false, receives: transceiver.direction.receives)
        }
    }

    /// Begins to stop a transceiver (W3C webrtc-pc section 5.4, `stop`).
    ///
    /// - Returns: Whether its track ended by this.
    mutating func stop(_ id: TransceiverID) -> Bool {
        var ends = false
        self.withTransceiver(id) { transceiver in
            guard !transceiver.isStopping else { return }
            transceiver.isStopping = true
            ends = !transceiver.receiver.hasEnded
            transceiver.receiver.hasEnded = true
        }
        return ends
    }

    /// Whether an offer is due for the sake of media (W3C webrtc-pc section 4.7.3).
    var mediaNeedsNegotiation: Bool { self.transceivers.contains { self.needsNegotiation($0) } }

    private func needsNegotiation(_ transceiver: JSEPTransceiver) -> Bool {
        if transceiver.isStopped { return false }
        if transceiver.isStopping { return true }
        guard let description = self.currentLocal, let index = transceiver.sectionIndex,
            description.content.media.indices.contains(index), transceiver.mid != nil
        else { return true }
        let media = description.content.media[index]
        guard transceiver.stands(for: index, media) else { return true }
        let local = description.content.direction(of: index)
        let remote = self.currentRemote?.content
        if transceiver.direction.sends {
            let wanted = transceiver.sender.streams.isEmpty ? ["-"] : transceiver.sender.streams
            let written = media.msids.map(\.stream)
            if written.sorted() != wanted.sorted() { return true }
        }
        if description.type == .offer {
            return local != transceiver.direction && remote?.direction(of: index).reversed != transceiver.direction
        }
        let offered = remote?.direction(of: index) ?? .sendrecv
        return local != transceiver.direction.intersection(offered.reversed)
    }
}

extension RandomSource {
    /// A random identifier (RFC 9562 section 5.4).
    package mutating func uuid() -> String {
        var bytes = self.bytes(count: 16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

extension [String] {
    /// Each text once, in the order of the first.
    var withoutRepetitions: [String] {
        var seen: Set<String> = []
        return self.filter { seen.insert($0).inserted }
    }
}
