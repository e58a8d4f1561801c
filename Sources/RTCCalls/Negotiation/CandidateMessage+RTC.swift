import RTCCore
import RTCRooms

extension CandidateMessage {
    init(_ candidate: RTCIceCandidate) {
        self.init(
            candidate: candidate.candidate,
            sdpMid: candidate.sdpMid,
            sdpMLineIndex: candidate.sdpMLineIndex,
            usernameFragment: candidate.usernameFragment
        )
    }

    /// The candidate as a connection takes it.
    var candidateInit: RTCIceCandidateInit {
        RTCIceCandidateInit(
            candidate: self.candidate,
            sdpMid: self.sdpMid,
            sdpMLineIndex: self.sdpMLineIndex,
            usernameFragment: self.usernameFragment
        )
    }
}
