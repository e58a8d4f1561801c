import RTCBase
import RTCICE
import RTCSDP

extension JSEPSession {
    /// What setting a description did.
    struct Outcome {
        var signalingStateBefore: RTCSignalingState
        /// Whether an offer was taken back.
        var rolledBack = false
        /// The description that was set, unless it was a rollback.
        var applied: JSEPDescription?
        /// What it did to tracks and streams.
        var media = JSEPMediaChanges()
    }

    /// The type an implicit `setLocalDescription()` has in the present state.
    var implicitLocalType: RTCSdpType {
        switch self.signalingState {
        case .stable, .haveLocalOffer, .haveRemotePranswer, .closed: return .offer
        case .haveRemoteOffer, .haveLocalPranswer: return .answer
        }
    }

    mutating func setLocal(
        _ description: RTCSessionDescription,
        _ parameters: LocalParameters
    ) throws(RTCError) -> Outcome {
        if description.type == .rollback { return try self.rollBack(.local) }
        try self.checkTransition(description.type, .local)
        var text = description.sdp
        switch description.type {
        case .offer:
            if text.isEmpty { text = self.currentOffer(parameters) }
            guard text == self.lastOffer else {
                throw RTCError(.invalidModification, "the offer is not the one that createOffer made last")
            }
        case .answer, .pranswer:
            if text.isEmpty {
                // Made anew: transceivers may have changed since the last one.
                text = try self.createAnswer(parameters)
            }
            guard text == self.lastAnswer else {
                throw RTCError(.invalidModification, "the answer is not the one that createAnswer made last")
            }
        case .rollback:
            break
        }
        let content: SDPSession
        if let created = self.lastCreated, created.text == text {
            // As it was made; reading it would give the same.
            content = created.content
        } else {
            content = try Self.parse(text)
        }
        if description.type != .offer { try self.checkAnswer(content) }
        return self.apply(JSEPDescription(type: description.type, content: content, text: text), .local)
    }

    mutating func setRemote(_ description: RTCSessionDescription, maximumTransceivers: Int) throws(RTCError) -> Outcome
    {
        if description.type == .rollback { return try self.rollBack(.remote) }
        try self.checkTransition(description.type, .remote)
        let content = try Self.parse(description.sdp)
        try self.checkSections(of: content, type: description.type)
        let set = JSEPDescription(type: description.type, content: content, text: description.sdp)
        if let carrier = set.transportSection {
            _ = try JSEPTransportParameters(of: content, section: carrier, defaultSetup: .actpass)
        }
        if let data = set.dataSection { _ = try JSEPDataParameters(of: content.media[data]) }
        guard content.media.count(where: \.isRTPSection) <= maximumTransceivers else {
            throw RTCError(.operation, "the description has more than \(maximumTransceivers) sections for media")
        }
        return self.apply(set, .remote)
    }

    /// The offer that an implicit `setLocalDescription()` takes: the last one made, if it still says what is wanted.
    private mutating func currentOffer(_ parameters: LocalParameters) -> String {
        // What was made before is the same text when nothing changed: making it again costs little and never errs.
        self.createOffer(iceRestart: false, parameters)
    }

    private static func parse(_ text: String) throws(RTCError) -> SDPSession {
        let session: SDPSession
        do {
            session = try SDPSession(parsing: text)
        } catch {
            throw RTCError(detail: .sdpSyntaxError, error.reason, sdpLineNumber: error.line)
        }
        try Self.checkCredentials(of: session)
        do {
            try session.validate()
        } catch {
            throw RTCError(detail: .sdpSyntaxError, error.reason, sdpLineNumber: error.line)
        }
        return session
    }

    // MARK: Slots

    private mutating func apply(_ description: JSEPDescription, _ side: Side) -> Outcome {
        var outcome = Outcome(signalingStateBefore: self.signalingState)
        if self.signalingState == .stable {
            self.rememberStableStates()
            // Offers of this side that gave way, or were never set, must not stand against the peer's numbers.
            if side == .remote { self.numbers = self.settledNumbers }
        }
        self.numbers.learn(from: description.content, self.capabilities)
        outcome.media = self.applyMedia(description, side)
        outcome.applied = description
        self.place(description, side)
        return outcome
    }

    private mutating func place(_ description: JSEPDescription, _ side: Side) {
        switch (description.type, side) {
        case (.offer, .local):
            self.pendingLocal = description
            self.signalingState = .haveLocalOffer
        case (.offer, .remote):
            self.pendingRemote = description
            self.signalingState = .haveRemoteOffer
        case (.pranswer, .local):
            self.pendingLocal = description
            self.signalingState = .haveLocalPranswer
        case (.pranswer, .remote):
            self.pendingRemote = description
            self.signalingState = .haveRemotePranswer
        case (.answer, .local):
            self.currentLocal = description
            self.currentRemote = self.pendingRemote
            self.settle()
        case (.answer, .remote):
            self.currentRemote = description
            self.currentLocal = self.pendingLocal
            self.settle()
        case (.rollback, _):
            break
        }
    }

    private mutating func settle() {
        self.pendingLocal = nil
        self.pendingRemote = nil
        self.lastOffer = ""
        self.lastAnswer = ""
        self.signalingState = .stable
        self.stableStates = [:]
        self.removeStoppedTransceivers()
        for description in [self.currentLocal, self.currentRemote] {
            if let description { self.settledNumbers.learn(from: description.content, self.capabilities) }
        }
        self.numbers = self.settledNumbers
        guard let content = self.currentLocal?.content, let carrier = content.transportSection,
            let ufrag = content.iceUfrag(of: carrier), let password = content.icePwd(of: carrier)
        else { return }
        let credentials = ICECredentials(ufrag: ufrag, password: password)
        self.credentials = credentials
        self.offeredCredentials = credentials
        if !self.ufragsToReplace.contains(ufrag) { self.ufragsToReplace = [] }
    }

    /// Takes back the offer that `side` made (W3C webrtc-pc section 4.4.1.5).
    private mutating func rollBack(_ side: Side) throws(RTCError) -> Outcome {
        let before = self.signalingState
        guard before == (side == .local ? .haveLocalOffer : .haveRemoteOffer) else {
            throw RTCError(.invalidState, "no \(side) offer can be rolled back in state \(before.rawValue)")
        }
        var outcome = Outcome(signalingStateBefore: before)
        outcome.rolledBack = true
        self.pendingLocal = nil
        self.pendingRemote = nil
        self.offeredCredentials = self.credentials
        self.numbers = self.settledNumbers
        self.signalingState = .stable
        outcome.media = self.rollBackMedia()
        return outcome
    }
}
