/// What a description is for (W3C webrtc-pc section 4.6.1).
public enum RTCSdpType: String, Sendable, Hashable {
    /// Proposes a session.
    case offer
    /// Answers an offer for the time being; an answer follows.
    case pranswer
    /// Answers an offer.
    case answer
    /// Takes an offer back: what was in force before is so again. Has no text.
    case rollback
}

/// An offer or an answer: its type and its SDP text (W3C webrtc-pc section 4.6.2).
public struct RTCSessionDescription: Sendable, Hashable {
    /// What the description is for.
    public var type: RTCSdpType
    /// The SDP text (RFC 8866); empty with ``RTCSdpType/rollback``.
    public var sdp: String

    /// A description.
    public init(type: RTCSdpType, sdp: String = "") {
        self.type = type
        self.sdp = sdp
    }
}

extension RTCSessionDescription {
    /// Whether its author is a lite agent (RFC 8839 section 5.3); a line of a description that cannot be read counts too.
    var saysICELite: Bool {
        self.sdp.split(whereSeparator: \.isNewline).contains { $0 == "a=ice-lite" }
    }
}

/// What `createOffer` is asked for (W3C webrtc-pc section 4.5.1).
public struct RTCOfferOptions: Sendable, Hashable {
    /// Whether the offer restarts ICE. Default `false`.
    public var iceRestart: Bool
    /// Whether the offer asks for sound: `true` sees to a transceiver that receives, `false` has none of them receive. Of old; use
    /// transceivers (W3C webrtc-pc section 4.4.3). Default `nil`: as the transceivers say.
    public var offerToReceiveAudio: Bool?
    /// Whether the offer asks for pictures. Otherwise like ``offerToReceiveAudio``.
    public var offerToReceiveVideo: Bool?

    /// The options, with their defaults.
    public init(iceRestart: Bool = false, offerToReceiveAudio: Bool? = nil, offerToReceiveVideo: Bool? = nil) {
        self.iceRestart = iceRestart
        self.offerToReceiveAudio = offerToReceiveAudio
        self.offerToReceiveVideo = offerToReceiveVideo
    }
}
