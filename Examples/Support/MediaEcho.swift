package import WebRTC

/// Returns the tracks of a peer: what a transceiver receives goes out by its own sender, packet by packet.
package enum MediaEcho {
    /// Has every track that an offer brings sent back; to be called before the answer is made.
    package static func attach(to connection: RTCPeerConnection) async throws(RTCError) {
        for transceiver in connection.getTransceivers() {
            guard transceiver.direction == .recvonly || transceiver.direction == .sendrecv else { continue }
            try await self.attach(to: transceiver)
        }
    }

    /// Has what a transceiver receives sent back by it; does nothing if it sends something already.
    package static func attach(to transceiver: RTCRtpTransceiver) async throws(RTCError) {
        guard transceiver.sender.track == nil else { return }
        // Of simulcast the first encoding is returned.
        let source = MediaForwarding.source(fedBy: transceiver.receiver, label: "echo")
        try await transceiver.sender.replaceTrack(MediaStreamTrack(source: source))
        try await transceiver.setDirection(.sendrecv)
    }
}
