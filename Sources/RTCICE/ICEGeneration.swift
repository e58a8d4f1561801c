internal import NIOCore
internal import RTCBase
internal import RTCSTUN

/// All that belongs to one pair of credentials: candidates, the checklist, what was nominated. A restart makes a new
/// one.
final class ICEGeneration {
    let number: Int
    let localCredentials: ICECredentials
    let localKey: STUNIntegrityKey

    var remoteCredentials: ICECredentials?
    var remoteKey: STUNIntegrityKey?
    var remoteIsLite = false
    /// Whether both sides take a later nomination for a better one (draft-thatcher-ice-renomination).
    var renominates = false
    /// The number of our latest nomination.
    var nominationNumber: UInt32 = 0
    /// The largest number of a nomination of the peer.
    var highestNomination: UInt32?
    /// Names of the peer's that nobody knew.
    var unknownNames: Set<String> = []
    /// When the peer's credentials became known: patience counts from here.
    var startedAt: NIODeadline?

    /// Whether the peer was told that there are no more candidates of ours.
    var isEndTold = false
    var localCandidates: [ICECandidate] = []
    /// The candidate that stands for a base in pairs: the most preferred of those sent from it.
    var localByBase: [TransportAddress: ICECandidate] = [:]

    var remoteCandidates: [ICECandidate] = []
    var remoteByAddress: [TransportAddress: Int] = [:]
    var signalledCount = 0
    var peerReflexiveCount = 0
    /// Candidates that came before the credentials they must match.
    var pendingCandidates: [ICECandidate] = []
    /// Candidates that wait for their names' addresses.
    var unresolved: [String: [ICECandidate]] = [:]
    var remoteIsComplete = false

    var pairs: [ICEPath: ICECheckPair] = [:]
    /// The checklist, by falling priority.
    var checklist: [ICECheckPair] = []
    var triggered: [ICECheckPair] = []
    var earlyChecks: [EarlyCheck] = []

    var firstValidAt: NIODeadline?
    /// The pair whose nomination is under way; controlling agents only.
    var nominating: ICECheckPair?
    var nominated: ICECheckPair?
    /// When a replaced generation is forgotten.
    var expiresAt: NIODeadline?

    /// A peer's check that came before it could be acted upon.
    struct EarlyCheck {
        var path: ICEPath
        /// The sender's ufrag, by which its description is known when it comes.
        var remoteUfrag: Substring
        var priority: UInt32
        var useCandidate: Bool
        var nomination: UInt32?
    }

    init(number: Int, localCredentials: ICECredentials) {
        self.number = number
        self.localCredentials = localCredentials
        self.localKey = STUNIntegrityKey(shortTermPassword: localCredentials.password)
    }

    func sortChecklist() {
        self.checklist.sort { $0.priority > $1.priority }
    }

    func remove(_ pair: ICECheckPair) {
        self.pairs[pair.path] = nil
        self.checklist.removeAll { $0 === pair }
        self.triggered.removeAll { $0 === pair }
        if self.nominated === pair { self.nominated = nil }
        if self.nominating === pair { self.nominating = nil }
    }

    /// The next pair for an ordinary check: the best that waits, or that is frozen while no pair of its foundation is
    /// being checked (RFC 8445 section 6.1.4.2).
    func nextOrdinaryPair() -> ICECheckPair? {
        var busy: Set<PairFoundation> = []
        for pair in self.checklist where pair.state == .inProgress || pair.state == .waiting {
            busy.insert(pair.foundation)
        }
        return self.checklist.first { pair in
            pair.state == .waiting || pair.state == .frozen && !busy.contains(pair.foundation)
        }
    }

    /// The best pair that works.
    var bestValidPair: ICECheckPair? {
        self.checklist.first { $0.state == .succeeded }
    }

    /// Whether a pair may still come to work.
    var hasUnfinishedPairs: Bool {
        self.checklist.contains { $0.state == .inProgress || $0.state == .waiting || $0.state == .frozen }
    }
}
