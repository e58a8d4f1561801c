import RTCBase
import RTCDTLS
import RTCICE
import RTCSDP

/// A description in one of the slots of a session: its type, its parsed content and its text.
struct JSEPDescription: Sendable {
    let type: RTCSdpType
    /// The content; candidates are added to it as they come.
    private(set) var content: SDPSession
    /// The text, always that of the content.
    private(set) var text: String

    init(type: RTCSdpType, content: SDPSession, text: String) {
        self.type = type
        self.content = content
        self.text = text
    }

    /// The description as W3C shows it.
    var rtc: RTCSessionDescription { RTCSessionDescription(type: self.type, sdp: self.text) }

    /// The index of the section that carries data channels and is not rejected, `nil` if there is none.
    var dataSection: Int? {
        self.content.media.firstIndex { $0.isDataChannelSection && !$0.isRejected }
    }

    mutating func update(_ change: (inout SDPSession) -> Void) {
        change(&self.content)
        self.text = self.content.description
    }
}

extension SDPMedia {
    /// Whether the section is SCTP over DTLS with data channels, in the form of RFC 8841 or the older one with `sctpmap`.
    var isDataChannelSection: Bool {
        self.kind == "application" && self.proto.hasSuffix("DTLS/SCTP")
            && (self.formats.contains("webrtc-datachannel") || self.sctpmap?.application == "webrtc-datachannel")
    }
}

/// What a description says of the transport of its data section: all that ICE, DTLS and SCTP need.
struct JSEPTransportParameters: Sendable {
    var mid: String?
    var sectionIndex: Int
    var credentials: ICECredentials
    var isICELite: Bool
    var fingerprints: [DTLSFingerprint]
    var setup: SDPSetup
    var candidates: [String]
    var endOfCandidates: Bool
    var sctpPort: UInt16
    /// The largest message its author takes, in bytes; `nil` without limit (RFC 8841 section 6: a value of 0).
    var maximumMessageSize: Int?

    /// Reads the parameters of the section with the given index.
    ///
    /// A section that names no transport of its own, because it was offered `bundle-only` (RFC 9143 section 7.1.3), takes that
    /// of the first section in its group that does.
    init(of content: SDPSession, section index: Int, defaultSetup: SDPSetup) throws(RTCError) {
        let media = content.media[index]
        let transportIndex = Self.transportSection(of: content, for: index)
        guard let ufrag = content.iceUfrag(of: transportIndex), let password = content.icePwd(of: transportIndex) else {
            throw RTCError(.invalidAccess, "the data section has no ice-ufrag and ice-pwd (RFC 8839 section 5.4)")
        }
        let fingerprints = content.fingerprints(of: transportIndex)
        guard !fingerprints.isEmpty else {
            throw RTCError(.invalidAccess, "the data section has no fingerprint (RFC 8122 section 5)")
        }
        self.mid = media.mid
        self.sectionIndex = index
        self.credentials = ICECredentials(ufrag: ufrag, password: password)
        self.isICELite = content.iceLite
        // Digests too weak to prove anything are passed over; when none is left, no certificate matches and DTLS fails.
        self.fingerprints = fingerprints.compactMap { DTLSFingerprint($0) }
        self.setup = content.setup(of: transportIndex) ?? defaultSetup
        self.candidates = content.media[transportIndex].attributes.all("candidate").map { "candidate:" + $0 }
        self.endOfCandidates = content.media[transportIndex].endOfCandidates
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

    /// The section whose transport a section uses.
    static func transportSection(of content: SDPSession, for index: Int) -> Int {
        guard content.iceUfrag(of: index) == nil, let mid = content.media[index].mid,
            let group = content.groups.first(where: { $0.semantics == "BUNDLE" && $0.mids.contains(mid) })
        else { return index }
        let tagged = content.media.indices.first { candidate in
            guard let candidateMID = content.media[candidate].mid else { return false }
            return group.mids.contains(candidateMID) && content.iceUfrag(of: candidate) != nil
        }
        return tagged ?? index
    }
}
