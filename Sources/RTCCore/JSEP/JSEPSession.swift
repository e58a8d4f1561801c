import RTCBase
import RTCICE
import RTCSDP

/// The candidates of ours that are known for one generation.
struct JSEPGatheredCandidates {
    /// The values of their `candidate` attributes.
    var attributes: [String] = []
    /// Whether no more will come.
    var isComplete = false
    /// The address for the section's `m=` and `c=` lines (RFC 8839 section 4.2.1.2).
    var defaultAddress: TransportAddress?
}

/// The offer/answer machine of a connection (RFC 9429, W3C webrtc-pc section 4.4): which description stands in which slot, and what
/// may come next. It knows descriptions only; what they mean for the transport is its owner's affair.
struct JSEPSession {
    /// Who speaks.
    enum Side {
        case local
        case remote
    }

    private(set) var signalingState: RTCSignalingState = .stable
    private(set) var currentLocal: JSEPDescription?
    private(set) var currentRemote: JSEPDescription?
    private(set) var pendingLocal: JSEPDescription?
    private(set) var pendingRemote: JSEPDescription?
    /// The texts that `createOffer` and `createAnswer` returned last; the only ones `setLocal` takes.
    private var lastOffer = ""
    private var lastAnswer = ""
    /// The ufrags that a requested restart is to replace (W3C slot [[LocalIceCredentialsToReplace]]).
    private var ufragsToReplace: Set<String> = []
    /// The credentials of the newest description created, and those of the one set before.
    private var offeredCredentials: ICECredentials?
    private var credentials: ICECredentials?
    private let sessionID: UInt64
    private var sessionVersion: UInt64 = 1
    private var lastCreated: SDPSession?

    init(sessionID: UInt64) { self.sessionID = sessionID }

    var local: JSEPDescription? { self.pendingLocal ?? self.currentLocal }
    var remote: JSEPDescription? { self.pendingRemote ?? self.currentRemote }

    mutating func close() { self.signalingState = .closed }
}

// MARK: - Creating descriptions

extension JSEPSession {
    /// What descriptions say of this side.
    struct LocalParameters {
        var fingerprints: [SDPFingerprint]
        var maximumMessageSize: Int
        /// Whether a data channel was created, so that an offer must have a section for it.
        var wantsData: Bool
        /// The DTLS role once it is settled: an answer to a later offer must repeat it.
        var settledSetup: SDPSetup?
        /// The candidates gathered so far for a ufrag: a later offer repeats them (RFC 9429 section 5.2.2).
        var gatheredCandidates: (_ ufrag: String) -> JSEPGatheredCandidates
        var freshCredentials: () -> ICECredentials
    }

    mutating func createOffer(iceRestart: Bool, _ parameters: LocalParameters) -> String {
        let credentials = self.credentialsForOffer(iceRestart: iceRestart, parameters)
        var session = self.emptySession()
        let previous = self.currentLocal?.content ?? self.currentRemote?.content
        for media in previous?.media ?? [] {
            if media.isDataChannelSection, !media.isRejected, let mid = media.mid {
                session.media.append(
                    self.dataSection(like: nil, mid: mid, setup: .actpass, credentials: credentials, parameters)
                )
            } else {
                session.media.append(Self.rejected(media))
            }
        }
        if parameters.wantsData, !session.media.contains(where: { $0.isDataChannelSection && !$0.isRejected }) {
            let section = self.dataSection(
                like: nil,
                mid: Self.unusedMID(besides: [session, self.currentRemote?.content].compactMap { $0 }),
                setup: .actpass,
                credentials: credentials,
                parameters
            )
            // A section that was rejected in the current descriptions may be used again (RFC 9429 section 5.2.2).
            if let free = session.media.firstIndex(where: { $0.kind == "application" && $0.isRejected }) {
                session.media[free] = section
            } else {
                session.media.append(section)
            }
        }
        Self.bundle(session.media.compactMap { $0.isRejected ? nil : $0.mid }, in: &session)
        self.offeredCredentials = credentials
        self.lastOffer = self.finish(session)
        return self.lastOffer
    }

    mutating func createAnswer(_ parameters: LocalParameters) throws(RTCError) -> String {
        guard self.signalingState == .haveRemoteOffer || self.signalingState == .haveLocalPranswer,
            let offer = self.pendingRemote
        else {
            throw RTCError(.invalidState, "there is no remote offer to answer in state \(self.signalingState.rawValue)")
        }
        let credentials = self.credentialsForAnswer(to: offer, parameters)
        var session = self.emptySession()
        let accepted = offer.dataSection
        for (index, media) in offer.content.media.enumerated() {
            guard index == accepted else {
                session.media.append(Self.rejected(media))
                continue
            }
            session.media.append(
                self.dataSection(
                    like: media,
                    mid: media.mid,
                    setup: Self.answer(
                        to: offer.content.setup(of: index) ?? .actpass,
                        settled: parameters.settledSetup
                    ),
                    credentials: credentials,
                    parameters
                )
            )
        }
        let offered = offer.content.groups.first { $0.semantics == "BUNDLE" }?.mids ?? []
        Self.bundle(session.media.compactMap { $0.isRejected ? nil : $0.mid }.filter(offered.contains), in: &session)
        self.offeredCredentials = credentials
        self.lastAnswer = self.finish(session)
        return self.lastAnswer
    }

    private mutating func credentialsForOffer(iceRestart: Bool, _ parameters: LocalParameters) -> ICECredentials {
        if let current = self.credentials, !iceRestart, self.ufragsToReplace.isEmpty { return current }
        // Asked twice for the same restart, the answer is the same.
        if let offered = self.offeredCredentials, offered != self.credentials, !iceRestart { return offered }
        return parameters.freshCredentials()
    }

    private func credentialsForAnswer(to offer: JSEPDescription, _ parameters: LocalParameters) -> ICECredentials {
        guard let current = self.credentials else { return self.offeredCredentials ?? parameters.freshCredentials() }
        guard let old = self.currentRemote, let oldIndex = old.dataSection, let newIndex = offer.dataSection,
            let oldUfrag = old.content.iceUfrag(of: oldIndex), let newUfrag = offer.content.iceUfrag(of: newIndex)
        else { return current }
        let restarts = oldUfrag != newUfrag || old.content.icePwd(of: oldIndex) != offer.content.icePwd(of: newIndex)
        guard restarts else { return current }
        if let offered = self.offeredCredentials, offered != current { return offered }
        return parameters.freshCredentials()
    }

    private func emptySession() -> SDPSession {
        var session = SDPSession(origin: SDPOrigin(sessionID: self.sessionID, sessionVersion: self.sessionVersion))
        session.attributes.append("extmap-allow-mixed")
        session.attributes.append("msid-semantic", " WMS")
        session.attributes.append("ice-options", "trickle ice2")
        return session
    }

    /// Raises the version when the content differs from what was created before (RFC 3264 section 8).
    private mutating func finish(_ session: SDPSession) -> String {
        var session = session
        if let last = self.lastCreated {
            session.origin.sessionVersion = last.origin.sessionVersion
            if session != last { self.sessionVersion = last.origin.sessionVersion + 1 }
        }
        session.origin.sessionVersion = self.sessionVersion
        self.lastCreated = session
        return session.description
    }

    private func dataSection(
        like offered: SDPMedia?,
        mid: String?,
        setup: SDPSetup,
        credentials: ICECredentials,
        _ parameters: LocalParameters
    ) -> SDPMedia {
        let usesOldForm = offered?.sctpmap != nil && offered?.sctpPort == nil
        var media = SDPMedia(
            kind: "application",
            port: 9,
            proto: offered?.proto ?? "UDP/DTLS/SCTP",
            formats: usesOldForm ? ["5000"] : ["webrtc-datachannel"]
        )
        media.connection = .unspecified
        media.iceUfrag = credentials.ufrag
        media.icePwd = credentials.password
        media.fingerprints = parameters.fingerprints
        media.setup = setup
        media.mid = mid
        if usesOldForm {
            media.attributes.append("sctpmap", "5000 webrtc-datachannel 1024")
        } else {
            media.sctpPort = 5000
        }
        media.maxMessageSize = UInt64(parameters.maximumMessageSize)
        let gathered = parameters.gatheredCandidates(credentials.ufrag)
        for candidate in gathered.attributes { media.attributes.append("candidate", candidate) }
        if gathered.isComplete { media.endOfCandidates = true }
        if let address = gathered.defaultAddress {
            media.port = Int(address.port)
            media.connection = SDPConnection(address)
        }
        return media
    }

    private static func rejected(_ media: SDPMedia) -> SDPMedia {
        var rejected = SDPMedia(kind: media.kind, port: 0, proto: media.proto, formats: media.formats)
        rejected.connection = .unspecified
        rejected.mid = media.mid
        if media.kind != "application" { rejected.direction = .inactive }
        return rejected
    }

    private static func bundle(_ mids: [String], in session: inout SDPSession) {
        guard !mids.isEmpty else { return }
        session.groups = [SDPGroup(semantics: "BUNDLE", mids: mids)]
    }

    private static func unusedMID(besides sessions: [SDPSession]) -> String {
        let used = Set(sessions.flatMap { $0.media.compactMap(\.mid) })
        var number = 0
        while used.contains(String(number)) { number += 1 }
        return String(number)
    }

    private static func answer(to setup: SDPSetup, settled: SDPSetup?) -> SDPSetup {
        switch setup {
        case .actpass, .holdconn: return settled ?? .active
        case .active: return .passive
        case .passive: return .active
        }
    }
}

// MARK: - Setting descriptions

extension JSEPSession {
    /// What setting a description did.
    struct Outcome {
        var signalingStateBefore: RTCSignalingState
        /// Whether an offer was taken back.
        var rolledBack = false
        /// The description that was set, unless it was a rollback.
        var applied: JSEPDescription?
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
        let before = self.signalingState
        if description.type == .rollback { return try self.rollBack(.local) }
        try self.checkTransition(description.type, .local)
        var text = description.sdp
        switch description.type {
        case .offer:
            if text.isEmpty {
                if self.lastOffer.isEmpty || !self.ufragsToReplace.isEmpty || self.offerIsStale(parameters) {
                    _ = self.createOffer(iceRestart: false, parameters)
                }
                text = self.lastOffer
            }
            guard text == self.lastOffer else {
                throw RTCError(.invalidModification, "the offer is not the one that createOffer made last")
            }
        case .answer, .pranswer:
            if text.isEmpty {
                if self.lastAnswer.isEmpty { _ = try self.createAnswer(parameters) }
                text = self.lastAnswer
            }
            guard text == self.lastAnswer else {
                throw RTCError(.invalidModification, "the answer is not the one that createAnswer made last")
            }
        case .rollback:
            break
        }
        let set = JSEPDescription(type: description.type, content: try Self.parse(text), text: text)
        var outcome = Outcome(signalingStateBefore: before)
        outcome.applied = set
        self.apply(set, .local)
        return outcome
    }

    mutating func setRemote(_ description: RTCSessionDescription) throws(RTCError) -> Outcome {
        let before = self.signalingState
        if description.type == .rollback { return try self.rollBack(.remote) }
        try self.checkTransition(description.type, .remote)
        let content = try Self.parse(description.sdp)
        try self.checkSections(of: content, type: description.type)
        let set = JSEPDescription(type: description.type, content: content, text: description.sdp)
        if let data = set.dataSection {
            _ = try JSEPTransportParameters(of: content, section: data, defaultSetup: .actpass)
        }
        var outcome = Outcome(signalingStateBefore: before)
        outcome.applied = set
        self.apply(set, .remote)
        return outcome
    }

    /// Asks the next offer to restart ICE (W3C `restartIce`).
    mutating func requestRestart() {
        for description in [self.currentLocal, self.pendingLocal] {
            guard let description, let index = description.dataSection,
                let ufrag = description.content.iceUfrag(of: index)
            else { continue }
            self.ufragsToReplace.insert(ufrag)
        }
    }

    var restartRequested: Bool { !self.ufragsToReplace.isEmpty }

    /// Adds a candidate of ours, or the mark of their end, to every local description of its generation.
    mutating func addLocalCandidate(_ attribute: String?, ufrag: String, defaultAddress: TransportAddress?) {
        func add(_ description: inout JSEPDescription?) {
            guard let index = description?.dataSection, description?.content.iceUfrag(of: index) == ufrag else {
                return
            }
            description?.update { content in
                if let attribute {
                    content.media[index].attributes.append("candidate", attribute)
                    if let address = defaultAddress, content.media[index].port == 9 {
                        content.media[index].port = Int(address.port)
                        content.media[index].connection = SDPConnection(address)
                    }
                } else {
                    content.media[index].endOfCandidates = true
                }
            }
        }
        add(&self.currentLocal)
        add(&self.pendingLocal)
    }

    /// Adds a candidate of the peer, or the mark of their end, to the remote description of its generation.
    ///
    /// - Parameter section: Where it belongs; `nil` for all sections (W3C webrtc-pc section 4.4.2, `addIceCandidate`).
    mutating func addRemoteCandidate(_ attribute: String?, section: Int?, inPending: Bool) {
        func add(_ description: inout JSEPDescription?) {
            description?.update { content in
                for index in content.media.indices where section == nil || section == index {
                    if let attribute {
                        content.media[index].attributes.append("candidate", attribute)
                    } else {
                        content.media[index].endOfCandidates = true
                    }
                }
            }
        }
        if inPending { add(&self.pendingRemote) } else { add(&self.currentRemote) }
    }

    private func offerIsStale(_ parameters: LocalParameters) -> Bool {
        guard let last = self.lastCreated else { return true }
        let covers = last.media.contains { $0.isDataChannelSection && !$0.isRejected }
        return parameters.wantsData != covers || last.media.count < (self.currentRemote?.content.media.count ?? 0)
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

    /// The one fault of grammar that is no syntax error to browsers. The text stays out of the message: a password is a secret.
    private static func checkCredentials(of session: SDPSession) throws(RTCError) {
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

    private func checkTransition(_ type: RTCSdpType, _ side: Side) throws(RTCError) {
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
    private func checkSections(of content: SDPSession, type: RTCSdpType) throws(RTCError) {
        for (index, media) in content.media.enumerated() where !media.isRejected {
            try Self.checkTransport(of: media, at: index, in: content)
        }
        if type == .offer {
            guard let previous = self.currentLocal?.content ?? self.currentRemote?.content else { return }
            guard content.media.count >= previous.media.count else {
                throw RTCError(.invalidAccess, "the offer has fewer sections than were negotiated (RFC 3264 section 8)")
            }
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
        self.lastOffer = ""
        self.lastAnswer = ""
        self.offeredCredentials = self.credentials
        self.signalingState = .stable
        return outcome
    }

    private mutating func apply(_ description: JSEPDescription, _ side: Side) {
        switch (description.type, side) {
        case (.offer, .local):
            self.pendingLocal = description
            self.signalingState = .haveLocalOffer
        case (.offer, .remote):
            self.pendingRemote = description
            self.lastAnswer = ""
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
        if self.currentLocal?.dataSection != nil {
            self.credentials = self.offeredCredentials
            if let ufrag = self.credentials?.ufrag, !self.ufragsToReplace.contains(ufrag) { self.ufragsToReplace = [] }
        }
    }
}
