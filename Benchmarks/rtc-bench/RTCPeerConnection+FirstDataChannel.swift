import WebRTC

extension RTCPeerConnection {
    /// The first channel that the peer opens; `nil` if the connection ends before.
    func firstDataChannel() async -> RTCDataChannel? {
        for await event in self.events {
            if case .dataChannel(let channel) = event { return channel }
        }
        return nil
    }
}
