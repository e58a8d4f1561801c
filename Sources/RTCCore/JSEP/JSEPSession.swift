import RTCBase
import RTCICE
import RTCRTP
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

/// The offer/answer machine of a connection (RFC 9429, W3C webrtc-pc section 4.4): which description stands in which slot, what may
/// come next, and which transceivers stand behind their sections. What descriptions mean for the transport is its owner's affair.
struct JSEPSession {
    /// Who speaks.
    enum Side {
        case local
        case remote
    }

    var signalingState: RTCSignalingState = .stable
    var currentLocal: JSEPDescription?
    var currentRemote: JSEPDescription?
    var pendingLocal: JSEPDescription?
    var pendingRemote: JSEPDescription?
    /// The texts that `createOffer` and `createAnswer` returned last; the only ones `setLocal` takes.
    var lastOffer = ""
    var lastAnswer = ""
    /// The ufrags that a requested restart is to replace (W3C slot [[LocalIceCredentialsToReplace]]).
    var ufragsToReplace: Set<String> = []
    /// The credentials of the newest description created, and those of the one set before.
    var offeredCredentials: ICECredentials?
    var credentials: ICECredentials?

    /// The transceivers, in the order in which they were made.
    var transceivers: [JSEPTransceiver] = []
    var numberOfTransceivers = 0
    /// What a rollback restores, as it was when the session was stable last.
    var stableStates: [TransceiverID: StableState] = [:]
    /// Grows with every change of a transceiver.
    var mediaRevision: UInt64 = 0
    var capabilities: RTCMediaCapabilities
    /// The canonical name of this endpoint (RFC 7022).
    let cname: String
    /// The stream of a peer's tracks that name none.
    let defaultStream: String
    var random: RandomSource
    var numbers = NegotiatedNumbers()
    /// Without those that a description only proposed.
    var settledNumbers = NegotiatedNumbers()

    /// Whether this side is a lite agent, and says so.
    var isICELite = false
    /// Whether offers say that a later nomination may replace an earlier one; answers say so when the offer does.
    var offersRenomination = false

    let sessionID: UInt64
    var sessionVersion: UInt64 = 1
    /// The description made last, and its text.
    var lastCreated: (content: SDPSession, text: String)?
    /// The lowest number that no section of ours was ever named with, and the name of the section for data.
    var nextMID = 0
    var proposedDataMID: String?

    init(sessionID: UInt64, capabilities: RTCMediaCapabilities, random: RandomSource) {
        self.sessionID = sessionID
        self.capabilities = capabilities
        self.random = random
        self.cname = self.random.iceCharacters(count: 16)
        self.defaultStream = self.random.uuid()
    }

    var local: JSEPDescription? { self.pendingLocal ?? self.currentLocal }
    var remote: JSEPDescription? { self.pendingRemote ?? self.currentRemote }

    mutating func close() { self.signalingState = .closed }
}

// MARK: - Local parameters

extension JSEPSession {
    /// What descriptions say of this side.
    struct LocalParameters {
        var fingerprints: [SDPFingerprint]
        var maximumMessageSize: Int
        /// Whether a data channel was created, so that an offer must have a section for it.
        var wantsData: Bool
        var bundlePolicy: RTCBundlePolicy
        /// The DTLS role once it is settled: an answer to a later offer must repeat it.
        var settledSetup: SDPSetup?
        /// The candidates gathered so far for a ufrag: a later offer repeats them (RFC 9429 section 5.2.2).
        var gatheredCandidates: (_ ufrag: String) -> JSEPGatheredCandidates
        var freshCredentials: () -> ICECredentials
    }

    /// What one description says of the transport, the same in all its sections.
    struct SectionTransport {
        var credentials: ICECredentials
        var fingerprints: [SDPFingerprint]
        var setup: SDPSetup

        func write(to media: inout SDPMedia) {
            media.iceUfrag = self.credentials.ufrag
            media.icePwd = self.credentials.password
            media.fingerprints = self.fingerprints
            media.setup = self.setup
        }
    }

    mutating func credentialsForOffer(iceRestart: Bool, _ parameters: LocalParameters) -> ICECredentials {
        if let current = self.credentials, !iceRestart, self.ufragsToReplace.isEmpty { return current }
        // Asked twice for the same restart, the answer is the same.
        if let offered = self.offeredCredentials, offered != self.credentials, !iceRestart { return offered }
        return parameters.freshCredentials()
    }

    func credentialsForAnswer(to offer: JSEPDescription, _ parameters: LocalParameters) -> ICECredentials {
        guard let current = self.credentials else { return self.offeredCredentials ?? parameters.freshCredentials() }
        guard let old = self.currentRemote, let oldIndex = old.transportSection, let newIndex = offer.transportSection,
            let oldUfrag = old.content.iceUfrag(of: oldIndex), let newUfrag = offer.content.iceUfrag(of: newIndex)
        else { return current }
        let restarts = oldUfrag != newUfrag || old.content.icePwd(of: oldIndex) != offer.content.icePwd(of: newIndex)
        guard restarts else { return current }
        if let offered = self.offeredCredentials, offered != current { return offered }
        return parameters.freshCredentials()
    }

    /// Asks the next offer to restart ICE (W3C `restartIce`).
    mutating func requestRestart() {
        for description in [self.currentLocal, self.pendingLocal] {
            guard let description, let index = description.transportSection,
                let ufrag = description.content.iceUfrag(of: index)
            else { continue }
            self.ufragsToReplace.insert(ufrag)
        }
    }

    var restartRequested: Bool { !self.ufragsToReplace.isEmpty }
}
