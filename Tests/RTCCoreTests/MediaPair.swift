import NIOCore
import RTCBase
import RTCRTP
import RTCSDP
import RTCTestKit
import Testing

@testable import RTCCore

/// Two sessions that negotiate media, told of by what they say in the descriptions.
extension PeerPair.Peer {
    var transceivers: [PeerSession.TransceiverState] { self.session.transceiverStates }

    func directions() -> [RTCRtpTransceiverDirection?] { self.transceivers.map(\.currentDirection) }

    func offer(_ options: RTCOfferOptions = RTCOfferOptions()) throws -> SDPSession {
        try SDPSession(parsing: self.session.createOffer(options).sdp)
    }

    /// Everything that happened to tracks and streams, in order.
    var mediaEvents: [String] {
        self.events.compactMap { event in
            switch event {
            case .signalingStateChange(let state): return "signaling \(state.rawValue)"
            case .trackMuted(let id): return "mute \(id.number)"
            case .trackUnmuted(let id): return "unmute \(id.number)"
            case .streamTrackRemoved(let stream, let id): return "remove \(stream) \(id.number)"
            case .streamTrackAdded(let stream, let id): return "add \(stream) \(id.number)"
            case .track(let id, let streams): return "track \(id.number) \(streams.joined(separator: ","))"
            case .trackEnded(let id): return "ended \(id.number)"
            case .negotiationNeeded: return "negotiationneeded"
            default: return nil
            }
        }
    }
}

extension PeerPair {
    /// Exchanges an offer of the left peer, as `alter` makes it, and the other's answer.
    func negotiate(altering alter: (inout SDPSession) -> Void) throws {
        try self.left.session.setLocalDescription(nil, now: self.now)
        self.settle()
        var offer = try SDPSession(parsing: #require(self.left.session.pendingLocalDescription).sdp)
        alter(&offer)
        try self.take(.offer, offer, at: self.right)
        try self.right.session.setLocalDescription(nil, now: self.now)
        self.settle()
        let answer = try #require(self.right.session.currentLocalDescription)
        try self.left.session.setRemoteDescription(answer, now: self.now)
        self.settle()
    }

    /// Hands a description over without its setter's own text.
    func take(_ type: RTCSdpType, _ content: SDPSession, at peer: Peer) throws {
        try peer.session.setRemoteDescription(
            RTCSessionDescription(type: type, sdp: content.description),
            now: self.now
        )
    }
}

extension SDPMedia {
    /// The codecs in order, retransmission and the like left out.
    var codecNames: [String] {
        SectionFormats(self).formats.filter { !$0.codec.isAuxiliary }.map { $0.codec.name }
    }
}
