import WebRTC

/// What could be read of a connection when something happened.
struct Moment {
    let snapshot: RTCPeerConnection.Snapshot
    let transceivers: [Transceiver]

    /// What changes of a transceiver with descriptions alone; what calls change as well is read when it is told.
    struct Transceiver {
        let object: RTCRtpTransceiver
        let mid: String?
        let currentDirection: RTCRtpTransceiverDirection?
        let hasTransport: Bool
    }

    init(_ connection: RTCPeerConnection) {
        self.snapshot = connection.snapshot
        self.transceivers = self.snapshot.transceivers.map { transceiver in
            Transceiver(
                object: transceiver,
                mid: transceiver.mid,
                currentDirection: transceiver.currentDirection,
                hasTransport: transceiver.sender.transport != nil
            )
        }
    }
}
