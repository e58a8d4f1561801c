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

    /// The index of the section whose transport all others share; `nil` if no section is in use.
    var transportSection: Int? { self.content.transportSection }

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

    /// Whether the section carries sound or pictures in RTP.
    var isRTPSection: Bool {
        (self.kind == "audio" || self.kind == "video") && self.proto.contains("RTP/")
    }
}

extension SDPSession {
    /// The sections that can share a transport with the first of them: those of its bundle that are not rejected, or that one alone.
    ///
    /// There is one transport. In a description without a bundle only one section can have it: the first that is not rejected.
    var bundledSections: [Int] {
        let usable = self.media.indices.filter { !self.media[$0].isRejected }
        for group in self.groups where group.semantics == SDPGroup.bundle {
            // The first in the group is the tagged one (RFC 9143 section 7.2.1), so its order counts.
            let members = group.mids.compactMap { mid in usable.first { self.media[$0].mid == mid } }
            if !members.isEmpty { return members }
        }
        return usable.first.map { [$0] } ?? []
    }

    /// The index of the section whose transport all others share.
    var transportSection: Int? { self.bundledSections.first }
}
