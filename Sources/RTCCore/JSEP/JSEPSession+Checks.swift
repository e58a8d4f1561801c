import RTCBase
import RTCSDP

/// What a description must be like to be taken.
extension JSEPSession {
    func checkTransition(_ type: RTCSdpType, _ side: Side) throws(RTCError) {
        let allowed: [RTCSignalingState]
        switch (type, side) {
        case (.offer, .local): allowed = [.stable, .haveLocalOffer]
        case (.offer, .remote): allowed = [.stable, .haveRemoteOffer]
        case (.answer, .local), (.pranswer, .local): allowed = [.haveRemoteOffer, .haveLocalPranswer]
        case (.answer, .remote), (.pranswer, .remote): allowed = [.haveLocalOffer, .haveRemotePranswer]
        case (.rollback, _): return
        }
        guard allowed.contains(self.signalingState) else {
            throw RTCError(
                .invalidState,
                "a \(side) \(type.rawValue) does not fit the signaling state \(self.signalingState.rawValue)"
            )
        }
    }

    /// Section order never changes (RFC 3264 section 6 and 8), and an answer has the offer's sections.
    func checkSections(of content: SDPSession, type: RTCSdpType) throws(RTCError) {
        for (index, media) in content.media.enumerated() where !media.isRejected {
            try Self.checkTransport(of: media, at: index, in: content)
        }
        if type == .offer {
            try self.checkOrder(of: content)
        } else if let offer = self.pendingLocal?.content {
            guard content.media.count == offer.media.count else {
                throw RTCError(
                    .invalidAccess,
                    "the answer has \(content.media.count) sections, the offer \(offer.media.count) (RFC 3264 section 6)"
                )
            }
            for (index, (answered, offered)) in zip(content.media, offer.media).enumerated() {
                guard answered.kind == offered.kind, answered.mid == nil || answered.mid == offered.mid else {
                    throw RTCError(.invalidAccess, "section \(index) of the answer is not that of the offer")
                }
            }
        }
    }

    /// The last answer made may be one to an offer that was taken back since.
    func checkAnswer(_ content: SDPSession) throws(RTCError) {
        let offered = self.pendingRemote?.content.media ?? []
        let fits =
            content.media.count == offered.count
            && zip(content.media, offered).allSatisfy { $0.kind == $1.kind && $0.mid == $1.mid }
        guard fits else {
            throw RTCError(.invalidModification, "the answer is not one to the present offer")
        }
    }

    /// Only a section that was rejected may become another one.
    private func checkOrder(of content: SDPSession) throws(RTCError) {
        guard let previous = self.currentLocal?.content ?? self.currentRemote?.content else { return }
        guard content.media.count >= previous.media.count else {
            throw RTCError(.invalidAccess, "the offer has fewer sections than were negotiated (RFC 3264 section 8)")
        }
        for (index, (offered, before)) in zip(content.media, previous.media).enumerated() {
            let wasRejected = before.isRejected || self.currentRemote?.content.media[index].isRejected == true
            let isSame = before.mid == nil || offered.mid == nil || offered.mid == before.mid
            guard wasRejected || (offered.kind == before.kind && isSame) else {
                throw RTCError(.invalidAccess, "section \(index) of the offer is not the one that was negotiated")
            }
        }
    }

    /// Nothing but DTLS secures a section, and RTCP has no transport of its own (RFC 8827 section 6.5, W3C `rtcpMuxPolicy`).
    private static func checkTransport(of media: SDPMedia, at index: Int, in content: SDPSession) throws(RTCError) {
        let transport = JSEPTransportParameters.transportSection(of: content, for: index)
        guard !content.fingerprints(of: transport).isEmpty else {
            throw RTCError(.invalidAccess, "section \(index) has no fingerprint (RFC 8122 section 5)")
        }
        guard media.kind == "application" || media.rtcpMux || content.media[transport].rtcpMux else {
            throw RTCError(.invalidAccess, "section \(index) has no rtcp-mux (RFC 8834 section 4.5)")
        }
    }

    /// The one fault of grammar that is no syntax error to browsers. The text stays out of the message: a password is a secret.
    static func checkCredentials(of session: SDPSession) throws(RTCError) {
        // As tolerant as the grammar check that follows: characters that some implementations send besides.
        let isICE = { (byte: UInt8) in byte.isASCIILetterOrDigit || "+/-_=#".utf8.contains(byte) }
        for index in session.media.indices {
            let texts = [session.iceUfrag(of: index), session.icePwd(of: index)].compactMap { $0 }
            guard texts.allSatisfy({ $0.utf8.allSatisfy(isICE) }) else {
                throw RTCError(
                    .invalidAccess,
                    "ice-ufrag and ice-pwd are letters, digits, '+' and '/' (RFC 8839 section 5.4)"
                )
            }
        }
    }
}
