import RTCBase
import RTCCore
import RTCSDP
import WebRTC

/// The steps of opening a session.
extension SessionService {
    static func connection(
        _ connect: @Sendable () async throws -> RTCPeerConnection
    ) async throws(WHIPRefusal) -> RTCPeerConnection {
        do {
            return try await connect()
        } catch let refusal as WHIPRefusal {
            throw refusal
        } catch {
            throw .unavailable("no connection can be made", retryAfter: .seconds(10))
        }
    }

    static func setOffer(_ request: WHIPRequest, on connection: RTCPeerConnection) async throws(WHIPRefusal) {
        let text = try request.http.text()
        do throws(RTCError) {
            try await connection.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: text))
        } catch {
            throw WHIPRefusal(error.code == .rtc ? 400 : 422, "the offer cannot be used: \(error.message)")
        }
    }

    /// The answer that was set, with all candidates (RFC 9725 section 4.3.2).
    static func answer(
        to offer: SDPSession,
        on connection: RTCPeerConnection,
        _ configuration: WHIPServiceConfiguration
    ) async throws(WHIPRefusal) -> RTCSessionDescription {
        let answer = try await self.description(of: connection, configuration)
        try OfferRules.checkAnswer(answer, to: offer)
        return RTCSessionDescription(type: .answer, sdp: answer.withExclusiveRTCPMultiplexing.description)
    }

    static func description(
        of connection: RTCPeerConnection,
        _ configuration: WHIPServiceConfiguration
    ) async throws(WHIPRefusal) -> SDPSession {
        let local = await connection.gatheredDescription(within: configuration.gatheringTimeout, configuration.clock)
        guard let local, let session = try? SDPSession(parsing: local.sdp) else {
            throw .unavailable("the connection was closed")
        }
        return session
    }

    static func refusal(_ error: any Error) -> WHIPRefusal {
        switch error {
        case let refusal as WHIPRefusal: refusal
        case let error as RTCError: WHIPRefusal(422, "the offer cannot be used: \(error.message)")
        default: WHIPRefusal(500, "the session could not be made ready")
        }
    }
}

extension SDPSession {
    /// With `rtcp-mux-only` in every section of the bundle (RFC 9725 section 4.4.1).
    var withExclusiveRTCPMultiplexing: SDPSession {
        var session = self
        for index in session.media.indices where session.media[index].rtcpMux && !session.media[index].isRejected {
            session.media[index].rtcpMuxOnly = true
        }
        return session
    }
}
