import RTCSDP

/// What a fragment says of ICE (RFC 8840 section 4.4, RFC 9725 section 4.3): everything is bundled, so there is one transport.
struct TrickleFragment: Sendable, Hashable {
    /// The ufrag and the password of one ICE session.
    struct Credentials: Sendable, Hashable {
        var ufrag: String
        var password: String
    }

    /// Whose candidates these are; nil where the fragment does not say.
    var credentials: Credentials?
    /// The candidates, each once.
    var candidates: [SDPCandidate] = []
    /// Whether there will be no more.
    var isComplete = false

    /// The most candidates that are taken of one fragment.
    static let maximumCandidates = 256

    init(credentials: Credentials?, candidates: [SDPCandidate], isComplete: Bool) {
        self.credentials = credentials
        self.candidates = candidates
        self.isComplete = isComplete
    }

    /// Reads a fragment.
    ///
    /// The section that a candidate stands in is not looked at: implementations name the section of the bundle that has the
    /// transport, or all, or write identifications of their own.
    init(parsing text: String) throws(SDPError) {
        let fragment = try SDPFragment(parsing: text)
        try fragment.validate()
        let sections = fragment.media.map { Self.credentials(of: $0) } + [Self.credentials(of: fragment)]
        let credentials = Set(sections.compactMap { $0 })
        guard credentials.count <= 1 else { throw SDPError(line: 1, reason: "sections of one bundle differ in ICE") }
        self.credentials = credentials.first
        // A ufrag alone names no session that one could check against.
        let isHalf = fragment.iceUfrag != nil || fragment.media.contains { $0.iceUfrag != nil }
        guard !isHalf || self.credentials != nil else { throw SDPError(line: 1, reason: "ice-ufrag without ice-pwd") }
        var seen: Set<SDPCandidate> = []
        for text in (fragment.attributes.all("candidate") + fragment.media.flatMap { $0.attributes.all("candidate") }) {
            var candidate = try SDPCandidate(parsing: text)
            // Whose it is stands in the fragment; copies from before a restart tell of the old one.
            candidate.ufrag = nil
            guard seen.insert(candidate).inserted else { continue }
            self.candidates.append(candidate)
            guard self.candidates.count <= Self.maximumCandidates else {
                throw SDPError(line: 1, reason: "more than \(Self.maximumCandidates) candidates")
            }
        }
        self.isComplete = fragment.endOfCandidates || fragment.media.contains { $0.endOfCandidates }
    }

    private static func credentials(of section: some SDPSection) -> Credentials? {
        guard let ufrag = section.iceUfrag, let password = section.icePwd else { return nil }
        return Credentials(ufrag: ufrag, password: password)
    }
}

extension SDPSession {
    /// The section whose transport all of the bundle share (RFC 9143 section 7.2.1); the first in use where nothing is bundled.
    var transportIndex: Int? {
        let used = self.media.indices.filter { !self.media[$0].isRejected }
        let tagged = self.bundleGroups.first?.mids.lazy.compactMap { mid in used.first { self.media[$0].mid == mid } }
            .first
        return tagged ?? used.first
    }

    /// What the description says of ICE.
    var trickle: TrickleFragment? {
        guard let index = self.transportIndex, let ufrag = self.iceUfrag(of: index),
            let password = self.icePwd(of: index)
        else { return nil }
        return TrickleFragment(
            credentials: TrickleFragment.Credentials(ufrag: ufrag, password: password),
            candidates: self.media[index].candidates,
            isComplete: self.media[index].endOfCandidates || self.endOfCandidates
        )
    }

    /// Writes a fragment about this description's transport, with the options that stand in the description (RFC 9725
    /// section 4.3.3).
    func fragment(with trickle: TrickleFragment) -> String {
        var fragment = SDPFragment()
        fragment.iceLite = self.iceLite
        guard let index = self.transportIndex else { return fragment.description }
        fragment.iceOptions = self.iceOptions(of: index)
        fragment.attributes[first: "ice-pacing"] = self.attributes[first: "ice-pacing"]
        fragment.groups = Array(self.bundleGroups.prefix(1))
        let section = self.media[index]
        var media = SDPMedia(kind: section.kind, port: 9, proto: section.proto, formats: section.formats)
        media.connection = nil
        media.mid = section.mid
        media.iceUfrag = trickle.credentials?.ufrag ?? self.iceUfrag(of: index)
        media.icePwd = trickle.credentials?.password ?? self.icePwd(of: index)
        for candidate in trickle.candidates { media.append(candidate) }
        media.endOfCandidates = trickle.isComplete
        fragment.media = [media]
        return fragment.description
    }

    /// The description after a restart of ICE: everything else is as it was (RFC 9725 section 4.3.3).
    func restarted(with trickle: TrickleFragment) -> SDPSession {
        var session = self
        session.origin.sessionVersion &+= 1
        guard let index = self.transportIndex, let credentials = trickle.credentials else { return session }
        if session.iceUfrag != nil { session.iceUfrag = credentials.ufrag }
        if session.icePwd != nil { session.icePwd = credentials.password }
        session.endOfCandidates = false
        for section in session.media.indices {
            if session.media[section].iceUfrag != nil { session.media[section].iceUfrag = credentials.ufrag }
            if session.media[section].icePwd != nil { session.media[section].icePwd = credentials.password }
            session.media[section].candidates = []
            session.media[section].attributes.removeAll("candidate")
            session.media[section].endOfCandidates = false
        }
        for candidate in trickle.candidates { session.media[index].append(candidate) }
        session.media[index].endOfCandidates = trickle.isComplete
        return session
    }

    /// The description with another role in DTLS, in all places that name one.
    func with(setup: SDPSetup) -> SDPSession {
        var session = self
        if session.setup != nil { session.setup = setup }
        for section in session.media.indices where session.media[section].setup != nil {
            session.media[section].setup = setup
        }
        return session
    }
}
