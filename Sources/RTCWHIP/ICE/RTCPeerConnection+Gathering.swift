import RTCCore
import RTCSDP
import WebRTC

extension RTCPeerConnection {
    /// The local description with the candidates that are found in time.
    func gatheredDescription(within timeout: Duration, _ clock: any Clock<Duration>) async -> RTCSessionDescription? {
        let isDone = Latch()
        // Ends when gathering or the connection does, which nobody can cancel.
        Task {
            _ = try? await self.gatheredDescription()
            isDone.open()
        }
        let timer = Task {
            try? await clock.sleep(for: timeout)
            isDone.open()
        }
        await isDone.wait()
        timer.cancel()
        return self.localDescription
    }

    /// Adds what a fragment brings of the present ICE session; candidates that are of no use here are dropped
    /// (RFC 9725 section 4.3.2).
    func add(_ trickle: TrickleFragment, section: Int, mid: String?, ufrag: String?) async {
        for candidate in trickle.candidates {
            try? await self.addIceCandidate(
                RTCIceCandidateInit(
                    candidate: candidate.description,
                    sdpMid: mid,
                    sdpMLineIndex: section,
                    usernameFragment: ufrag
                )
            )
        }
        guard trickle.isComplete else { return }
        try? await self.addIceCandidate(
            RTCIceCandidateInit(sdpMid: mid, sdpMLineIndex: section, usernameFragment: ufrag)
        )
    }
}
