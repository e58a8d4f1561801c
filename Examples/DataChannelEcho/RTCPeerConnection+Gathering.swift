import WebRTC

extension RTCPeerConnection {
    /// The local description once it holds all candidates, for signalling that carries one message each way.
    ///
    /// Reads ``RTCPeerConnection/events`` until then; only candidates and states can come before the peer has it.
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
}
