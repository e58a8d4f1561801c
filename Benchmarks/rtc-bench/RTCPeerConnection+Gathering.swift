import WebRTC

extension RTCPeerConnection {
    /// The local description once it holds all candidates, for signalling that carries one message each way.
    ///
    /// Reads ``RTCPeerConnection/events`` until then.
    func gatheredDescription() async throws(RTCError) -> RTCSessionDescription {
        if self.iceGatheringState != .complete {
            for await event in self.events {
                if case .iceGatheringStateChange(.complete) = event { break }
            }
        }
        guard self.iceGatheringState == .complete, let description = self.localDescription else {
            throw RTCError(.operation, "the connection was closed while its candidates were gathered")
        }
        return description
    }

    /// The first channel that the peer opens; `nil` if the connection ends before.
    func firstDataChannel() async -> RTCDataChannel? {
        for await event in self.events {
            if case .dataChannel(let channel) = event { return channel }
        }
        return nil
    }
}
