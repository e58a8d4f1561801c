package import RTCBase
package import RTCRTP
import RTCSDP

/// How a transceiver is made (W3C webrtc-pc section 5.1, `RTCRtpTransceiverInit`), with streams by their identifications.
package struct TransceiverInit: Sendable {
    package var direction: RTCRtpTransceiverDirection
    package var streams: [String]
    package var sendEncodings: [RTCRtpEncodingParameters]

    package init(
        direction: RTCRtpTransceiverDirection = .sendrecv,
        streams: [String] = [],
        sendEncodings: [RTCRtpEncodingParameters] = []
    ) {
        self.direction = direction
        self.streams = streams
        self.sendEncodings = sendEncodings
    }
}

extension PeerSession {
    /// Makes a transceiver (W3C webrtc-pc section 5.1, `addTransceiver`).
    ///
    /// - Throws: `RTCError.Code.type`, `RTCError.Code.range` or `RTCError.Code.operation` for what W3C refuses in `options`,
    ///   `RTCError.Code.invalidState` after ``close(now:)``, `RTCError.Code.operation` beyond `RTCLimits.transceivers`.
    package func addTransceiver(
        _ kind: MediaKind,
        trackID: String?,
        _ options: TransceiverInit
    ) throws(RTCError) -> TransceiverID {
        guard let direction = SDPDirection(rawValue: options.direction.rawValue) else {
            throw RTCError(.type, "a transceiver cannot begin as stopped")
        }
        let encodings = try SendEncodings.checked(
            options.sendEncodings,
            kind,
            self.configuration.media[kind].codecs,
            maximum: JSEPSession.maximumEncodings
        )
        try self.checkOpen()
        try self.checkRoom()
        let id = self.jsep.appendTransceiver(
            kind,
            origin: .addTransceiver,
            direction: direction,
            trackID: trackID,
            streams: options.streams,
            encodings: encodings
        )
        self.updateNegotiationNeeded()
        return id
    }

    /// Sends a track, by a transceiver that is free or a new one (W3C webrtc-pc section 5.1, `addTrack`).
    ///
    /// - Throws: `RTCError.Code.invalidState` after ``close(now:)``, `RTCError.Code.invalidAccess` for a track that is sent already.
    package func addTrack(
        _ kind: MediaKind,
        id trackID: String,
        streams: [String]
    ) throws(RTCError) -> TransceiverID {
        try self.checkOpen()
        guard !self.jsep.transceivers.contains(where: { $0.sender.trackID == trackID && !$0.isStopped }) else {
            throw RTCError(.invalidAccess, "the track is sent already")
        }
        try self.checkRoom()
        let id = self.jsep.addTrack(kind, id: trackID, streams: streams)
        self.media?.sourceChanged(of: id)
        self.updateNegotiatedMedia()
        self.updateNegotiationNeeded()
        return id
    }

    private func checkRoom() throws(RTCError) {
        let maximum = self.configuration.limits.transceivers
        guard self.jsep.transceivers.count < maximum else {
            throw RTCError(.operation, "there are \(maximum) transceivers already")
        }
    }

    /// Stops sending a track (W3C webrtc-pc section 5.1, `removeTrack`). Without effect on a sender that has none or is stopped.
    ///
    /// - Returns: Whether the sender lost its track.
    package func removeTrack(from id: TransceiverID) throws(RTCError) -> Bool {
        try self.checkOpen()
        guard let transceiver = self.jsep.transceiver(id), transceiver.sender.trackID != nil, !transceiver.isStopping
        else { return false }
        self.jsep.removeTrack(id)
        self.updateNegotiationNeeded()
        return true
    }

    /// Puts another track in the place of a sender's, without negotiation (W3C webrtc-pc section 5.2, `replaceTrack`).
    package func replaceTrack(of id: TransceiverID, with trackID: String?) throws(RTCError) {
        try self.checkOpen()
        guard let transceiver = self.jsep.transceiver(id), !transceiver.isStopping else {
            throw RTCError(.invalidState, "the transceiver is stopped")
        }
        guard transceiver.sender.trackID != trackID else { return }
        self.jsep.withTransceiver(id) { $0.sender.trackID = trackID }
        self.media?.sourceChanged(of: id)
    }

    /// Associates a sender's track with streams (W3C webrtc-pc section 5.2, `setStreams`).
    package func setStreams(_ streams: [String], of id: TransceiverID) throws(RTCError) {
        try self.checkOpen()
        self.jsep.withTransceiver(id) { $0.sender.streams = streams.withoutRepetitions }
        self.updateNegotiationNeeded()
    }

    /// Says what a transceiver shall do from the next negotiation on (W3C webrtc-pc section 5.4, `direction`).
    package func setDirection(_ direction: RTCRtpTransceiverDirection, of id: TransceiverID) throws(RTCError) {
        try self.checkOpen()
        guard let transceiver = self.jsep.transceiver(id), !transceiver.isStopping else {
            throw RTCError(.invalidState, "the transceiver is stopped")
        }
        guard let wanted = SDPDirection(rawValue: direction.rawValue) else {
            throw RTCError(.type, "a transceiver is stopped with stop()")
        }
        guard transceiver.direction != wanted else { return }
        self.jsep.withTransceiver(id) { $0.direction = wanted }
        self.updateNegotiationNeeded()
    }

    /// Ends a transceiver: at once on this side, at the peer's with the next negotiation (W3C webrtc-pc section 5.4, `stop`).
    package func stop(_ id: TransceiverID) throws(RTCError) {
        try self.checkOpen()
        guard let transceiver = self.jsep.transceiver(id), !transceiver.isStopping else { return }
        let ends = self.jsep.stop(id)
        self.updateNegotiatedMedia()
        self.updateNegotiationNeeded()
        if ends { self.emit(.trackEnded(id)) }
    }

    /// Says which codecs to negotiate, in which order; none restores the default (W3C webrtc-pc section 5.4, `setCodecPreferences`).
    ///
    /// - Throws: `RTCError.Code.invalidModification` for a codec that is not among the capabilities, or if none carries media.
    package func setCodecPreferences(_ codecs: [RTCRtpCodec], of id: TransceiverID) throws(RTCError) {
        guard let transceiver = self.jsep.transceiver(id) else { return }
        let capable = self.configuration.media[transceiver.kind].codecs
        var preferences: [RTCRtpCodec] = []
        for codec in codecs {
            guard let known = capable.first(where: { CodecMatching.areSame($0, codec) }) else {
                throw RTCError(
                    .invalidModification,
                    "\(codec.mimeType) with these parameters is not among the capabilities"
                )
            }
            if !preferences.contains(known) { preferences.append(known) }
        }
        guard preferences.isEmpty || preferences.contains(where: { !$0.isAuxiliary }) else {
            throw RTCError(.invalidModification, "none of the codecs carries media")
        }
        self.jsep.withTransceiver(id) { $0.codecPreferences = preferences }
    }

    /// Says which header extensions to negotiate (W3C webrtc-extensions, `setHeaderExtensionsToNegotiate`).
    ///
    /// - Throws: `RTCError.Code.invalidModification` unless the list has the capabilities in their order, with changed directions.
    package func setHeaderExtensions(
        _ extensions: [RTCRtpHeaderExtensionCapability],
        of id: TransceiverID
    ) throws(RTCError) {
        guard let transceiver = self.jsep.transceiver(id) else { return }
        guard extensions.map(\.uri) == transceiver.headerExtensions.map(\.uri) else {
            throw RTCError(
                .invalidModification,
                "the header extensions are not the ones that can be negotiated, in their order"
            )
        }
        let mid = HeaderExtensionKind.mid.uri
        guard extensions.allSatisfy({ $0.uri != mid || $0.direction == .sendrecv }) else {
            throw RTCError(.invalidModification, "the header extension for mid is needed in both directions")
        }
        self.jsep.withTransceiver(id) { $0.headerExtensions = extensions }
    }

    /// Changes what may be changed of a sender's parameters (W3C webrtc-pc section 5.2, `setParameters`).
    ///
    /// - Parameter last: What the sender returned last; what is read-only must be as it says.
    package func setParameters(
        _ parameters: RTCRtpSendParameters,
        last: RTCRtpSendParameters?,
        of id: TransceiverID
    ) throws(RTCError) {
        guard !self.isClosed, let transceiver = self.jsep.transceiver(id), !transceiver.isStopping else {
            throw RTCError(.invalidState, "the transceiver is stopped")
        }
        guard let last else {
            throw RTCError(.invalidState, "setParameters takes what getParameters returned last, once")
        }
        let choosable =
            last.codecs.isEmpty ? self.configuration.media[transceiver.kind].codecs : last.codecs.map(\.codec)
        let encodings = try SendEncodings.checked(change: parameters, from: last, transceiver.kind, choosable)
        self.jsep.withTransceiver(id) { transceiver in
            guard transceiver.sender.encodings.count == encodings.count else { return }
            for index in encodings.indices { transceiver.sender.encodings[index].parameters = encodings[index] }
            transceiver.sender.degradationPreference = parameters.degradationPreference
        }
        self.updateNegotiatedMedia()
    }

    /// The options of old that have an offer ask for media (W3C webrtc-pc section 4.4.3).
    func addRequestedTransceivers(_ options: RTCOfferOptions) {
        for (kind, wanted) in [(MediaKind.audio, options.offerToReceiveAudio), (.video, options.offerToReceiveVideo)] {
            guard let wanted else { continue }
            let ids = self.jsep.transceivers.filter { $0.kind == kind && !$0.isStopping }.map(\.id)
            if !wanted {
                for id in ids {
                    self.jsep.withTransceiver(id) {
                        $0.direction = SDPDirection(sends: $0.direction.sends, receives: false)
                    }
                }
            } else if !ids.contains(where: { self.jsep.transceiver($0)?.direction.receives == true }) {
                if let id = ids.first(where: { self.jsep.transceiver($0)?.direction == .sendonly }) {
                    self.jsep.withTransceiver(id) { $0.direction = .sendrecv }
                } else if let id = ids.first(where: { self.jsep.transceiver($0)?.direction == .inactive }) {
                    self.jsep.withTransceiver(id) { $0.direction = .recvonly }
                } else {
                    self.jsep.appendTransceiver(kind, origin: .addTransceiver, direction: .recvonly)
                }
            }
        }
    }
}
