import RTCBase
import RTCRTP
import RTCSDP

/// A transceiver as negotiation sees it (RFC 9429 section 3.4.1, W3C webrtc-pc section 5.4).
struct JSEPTransceiver: Sendable {
    let id: TransceiverID
    let kind: MediaKind
    /// How it came to be.
    let origin: Origin
    /// Whether `addTrack` ever gave it a track: a rollback does not remove it then (W3C webrtc-pc section 4.4.1.5).
    var wasUsedByAddTrack: Bool
    /// The identification that the last offer made gave it, while it has none.
    var proposedMID: String?
    /// The identification of its section, `nil` while it has none.
    var mid: String?
    /// The index of its section, `nil` while it has none.
    var sectionIndex: Int?
    /// What the user wants ([[Direction]]).
    var direction: SDPDirection
    /// What was negotiated ([[CurrentDirection]]), `nil` before that.
    var currentDirection: SDPDirection?
    /// What the track events told of ([[FiredDirection]]).
    var firedDirection: SDPDirection?
    /// Whether `stop` was called ([[Stopping]]).
    var isStopping = false
    /// Whether it is over ([[Stopped]]).
    var isStopped = false
    /// Whether media of the peer is let through ([[Receptive]]).
    var isReceptive = false
    /// Whether its section has a transport.
    var hasTransport = false
    /// What `setCodecPreferences` said; empty for the default.
    var codecPreferences: [RTCRtpCodec] = []
    /// What `setHeaderExtensionsToNegotiate` said; at first the capabilities.
    var headerExtensions: [RTCRtpHeaderExtensionCapability]
    var sender: JSEPSender
    var receiver: JSEPReceiver

    /// What made a transceiver.
    enum Origin: Sendable {
        case addTransceiver
        case addTrack
        case remoteOffer
    }

    /// Whether a new section of the peer's offer may take it up (RFC 9429 section 5.10).
    var takesRemoteSection: Bool {
        guard self.sectionIndex == nil, !self.isStopping else { return false }
        return self.origin == .addTrack || (self.origin == .remoteOffer && self.wasUsedByAddTrack)
    }

    /// Whether it stands for a section: the index counts, the identification tells recycled sections apart.
    func stands(for index: Int, _ media: SDPMedia) -> Bool {
        self.sectionIndex == index && (media.mid == nil || media.mid == self.mid)
    }

    /// The direction to put into descriptions: a stopping transceiver wants nothing.
    var wantedDirection: SDPDirection { self.isStopping ? .inactive : self.direction }

    /// Whether the application prefers redundant sound to the plain one: it named it first.
    var prefersRedundancy: Bool {
        guard let redundant = self.codecPreferences.firstIndex(where: { $0.isNamed("red") }) else { return false }
        return self.codecPreferences.firstIndex { !$0.isAuxiliary }.map { redundant < $0 } ?? false
    }

    /// The codecs to negotiate.
    func codecs(_ capabilities: RTCMediaCapabilities) -> [RTCRtpCodec] {
        self.codecPreferences.isEmpty ? capabilities[self.kind].codecs : self.codecPreferences
    }
}

/// The sending half of a transceiver.
struct JSEPSender: Sendable {
    /// The identification of its track, `nil` without one.
    var trackID: String?
    /// What stands for the track in `msid` attributes; stays when the track is replaced.
    let msidTrack: String
    /// The streams to associate the track with ([[AssociatedMediaStreamIds]]), without repetitions.
    var streams: [String]
    /// Whether it was ever to send: `addTrack` does not take it then (W3C webrtc-pc section 5.1).
    var hasSent = false
    /// The encodings, one at least ([[SendEncodings]]).
    var encodings: [JSEPEncoding]
    var degradationPreference: RTCDegradationPreference?
}

/// One encoding of a sender and its streams.
struct JSEPEncoding: Sendable, Hashable {
    var parameters: RTCRtpEncodingParameters
    let ssrc: UInt32
    let rtxSSRC: UInt32
    let fecSSRC: UInt32
    /// Whether the peer asked for it to begin paused.
    var isPausedByPeer = false
}

/// The receiving half of a transceiver.
struct JSEPReceiver: Sendable {
    /// The identification of its track.
    let trackID: String
    /// The streams that the peer associates the track with ([[AssociatedRemoteMediaStreams]]).
    var streams: [String] = []
    /// Whether the track is muted: until media comes, and when it is not to come any more.
    var isMuted = true
    /// Whether the track has ended.
    var hasEnded = false
}

/// What a description did to tracks and streams; the events for it fire in this order (W3C webrtc-pc section 4.4.1.5).
struct JSEPMediaChanges: Sendable {
    struct Membership: Sendable {
        var stream: String
        var transceiver: TransceiverID
    }

    struct Track: Sendable {
        var transceiver: TransceiverID
        var streams: [String]
    }

    var muted: [TransceiverID] = []
    var removed: [Membership] = []
    var added: [Membership] = []
    var tracks: [Track] = []
    /// Tracks that end; later than all else.
    var ended: [TransceiverID] = []
}
