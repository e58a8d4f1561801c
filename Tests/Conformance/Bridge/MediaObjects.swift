import WebRTC

/// The media objects that Node knows, by their ids and by themselves.
struct MediaObjects {
    /// A transceiver as Node sees it.
    final class Transceiver {
        let id: String
        let senderID: String
        let receiverID: String
        /// `nil` for pictures.
        let dtmfID: String?
        let object: RTCRtpTransceiver
        let owner: ConnectionObject

        init(
            id: String,
            senderID: String,
            receiverID: String,
            dtmfID: String?,
            object: RTCRtpTransceiver,
            owner: ConnectionObject
        ) {
            self.id = id
            self.senderID = senderID
            self.receiverID = receiverID
            self.dtmfID = dtmfID
            self.object = object
            self.owner = owner
        }
    }

    private(set) var transceivers: [String: Transceiver] = [:]
    private(set) var senders: [String: Transceiver] = [:]
    private(set) var receivers: [String: Transceiver] = [:]
    /// Those that play tones, by the ids of what does.
    private(set) var dtmf: [String: Transceiver] = [:]
    private var sources: [ObjectIdentifier: SyntheticSource] = [:]
    private var known: [ObjectIdentifier: Transceiver] = [:]
    private(set) var tracks: [String: MediaStreamTrack] = [:]
    private var trackIDs: [ObjectIdentifier: String] = [:]
    private(set) var streams: [String: MediaStream] = [:]
    private var streamIDs: [ObjectIdentifier: String] = [:]

    func transceiver(_ object: RTCRtpTransceiver) -> Transceiver? { self.known[ObjectIdentifier(object)] }

    mutating func add(_ transceiver: Transceiver) {
        self.transceivers[transceiver.id] = transceiver
        self.senders[transceiver.senderID] = transceiver
        self.receivers[transceiver.receiverID] = transceiver
        if let id = transceiver.dtmfID { self.dtmf[id] = transceiver }
        self.known[ObjectIdentifier(transceiver.object)] = transceiver
    }

    func source(_ source: MediaStreamTrackSource) -> SyntheticSource? { self.sources[ObjectIdentifier(source)] }

    mutating func add(_ synthetic: SyntheticSource, for source: MediaStreamTrackSource) {
        self.sources[ObjectIdentifier(source)] = synthetic
    }

    func id(of track: MediaStreamTrack) -> String? { self.trackIDs[ObjectIdentifier(track)] }

    mutating func add(_ track: MediaStreamTrack, id: String) {
        self.tracks[id] = track
        self.trackIDs[ObjectIdentifier(track)] = id
    }

    func id(of stream: MediaStream) -> String? { self.streamIDs[ObjectIdentifier(stream)] }

    mutating func add(_ stream: MediaStream, id: String) {
        self.streams[id] = stream
        self.streamIDs[ObjectIdentifier(stream)] = id
    }
}
