import RTCBase
import RTCDTLS
import RTCICE
import RTCSDP

/// What a description says of the transport: all that ICE and DTLS need.
struct JSEPTransportParameters: Sendable {
    var mid: String?
    var sectionIndex: Int
    var credentials: ICECredentials
    var isICELite: Bool
    var renominates: Bool
    var fingerprints: [DTLSFingerprint]
    var setup: SDPSetup
    var candidates: [String]
    var endOfCandidates: Bool

    /// Reads the parameters of the section with the given index.
    ///
    /// A section that names no transport of its own, because it was offered `bundle-only` (RFC 9143 section 7.1.3), takes that
    /// of the first section in its group that does.
    init(of content: SDPSession, section index: Int, defaultSetup: SDPSetup) throws(RTCError) {
        let media = content.media[index]
        let transportIndex = Self.transportSection(of: content, for: index)
        guard let ufrag = content.iceUfrag(of: transportIndex), let password = content.icePwd(of: transportIndex) else {
            throw RTCError(.invalidAccess, "section \(index) has no ice-ufrag and ice-pwd (RFC 8839 section 5.4)")
        }
        let fingerprints = content.fingerprints(of: transportIndex)
        guard !fingerprints.isEmpty else {
            throw RTCError(.invalidAccess, "section \(index) has no fingerprint (RFC 8122 section 5)")
        }
        self.mid = media.mid
        self.sectionIndex = index
        self.credentials = ICECredentials(ufrag: ufrag, password: password)
        self.isICELite = content.iceLite
        self.renominates = content.iceOptions(of: transportIndex).contains(JSEPSession.renomination)
        // Digests too weak to prove anything are passed over; when none is left, no certificate matches and DTLS fails.
        self.fingerprints = fingerprints.compactMap { DTLSFingerprint($0) }
        self.setup = content.setup(of: transportIndex) ?? defaultSetup
        // A peer may name candidates in any section that may come to carry the bundle.
        let carriers = content.media.indices.filter { $0 == transportIndex || content.iceUfrag(of: $0) == ufrag }
        self.candidates = carriers.flatMap { content.media[$0].attributes.all("candidate") }.map { "candidate:" + $0 }
        self.endOfCandidates = content.media[transportIndex].endOfCandidates
    }

    /// The section whose transport a section uses.
    static func transportSection(of content: SDPSession, for index: Int) -> Int {
        guard content.iceUfrag(of: index) == nil, let mid = content.media[index].mid,
            let group = content.groups.first(where: { $0.semantics == SDPGroup.bundle && $0.mids.contains(mid) })
        else { return index }
        let tagged = content.media.indices.first { candidate in
            guard let candidateMID = content.media[candidate].mid else { return false }
            return group.mids.contains(candidateMID) && content.iceUfrag(of: candidate) != nil
        }
        return tagged ?? index
    }
}

/// What a description says of SCTP (RFC 8841).
struct JSEPDataParameters: Sendable {
    var sctpPort: UInt16
    /// The largest message its author takes, in bytes; `nil` without limit (RFC 8841 section 6: a value of 0).
    var maximumMessageSize: Int?

    init(of media: SDPMedia) throws(RTCError) {
        guard let port = UInt16(exactly: media.dataChannelPort ?? 5000) else {
            throw RTCError(.invalidAccess, "the SCTP port is not a port number")
        }
        self.sctpPort = port
        switch media.maxMessageSize {
        case 0: self.maximumMessageSize = nil
        case let size?: self.maximumMessageSize = Int(clamping: size)
        case nil: self.maximumMessageSize = 65_536
        }
    }
}
