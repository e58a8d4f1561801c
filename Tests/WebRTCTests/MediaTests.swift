import RTCRTP
import Testing
import WebRTC

/// Tracks, streams and transceivers as users see them.
@Suite("Media objects")
struct MediaTests {
    private func negotiate(_ left: RTCPeerConnection, _ right: RTCPeerConnection) async throws {
        try await left.setLocalDescription()
        try await right.setRemoteDescription(try #require(left.localDescription))
        try await right.setLocalDescription()
        try await left.setRemoteDescription(try #require(right.localDescription))
    }

    @Test("a track that is added arrives at the peer in its streams, and attributes need no waiting")
    func tracks() async throws {
        let (left, right) = (try RTCPeerConnection(), try RTCPeerConnection())
        let track = MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio, label: "tone"))
        let stream = MediaStream([track])
        let sender = try await left.addTrack(track, stream)
        #expect(sender.track === track && sender.transport == nil)
        await #expect(throws: RTCError.self) { try await left.addTrack(track) }
        try await self.negotiate(left, right)
        let remote = try #require(right.getTransceivers().first)
        #expect(remote.mid == left.getTransceivers().first?.mid && remote.kind == .audio)
        #expect(remote.direction == .recvonly && remote.currentDirection == .recvonly)
        #expect(left.getTransceivers().first?.currentDirection == .sendonly)
        #expect(remote.receiver.track.muted && remote.receiver.track.readyState == .live)
        #expect(remote.receiver.track.label == "remote audio")
        #expect(remote.receiver.transport != nil && sender.transport != nil)
        #expect(remote.receiver.getParameters().codecs.first?.codec.mimeType == "audio/opus")
        await right.close()
        var order: [String] = []
        for await event in right.events {
            switch event {
            case .signalingStateChange(let state): order.append(state.rawValue)
            case .addTrack(let joined, let track):
                order.append("addTrack")
                #expect(joined.id == stream.id && joined.getTracks().contains { $0 === track })
            case .track(let event):
                order.append("track")
                #expect(event.streams.map(\.id) == [stream.id])
                #expect(event.track === remote.receiver.track && event.transceiver === remote)
            default: break
            }
        }
        #expect(order == ["have-remote-offer", "addTrack", "track", "stable"])
        await left.close()
    }

    @Test("closing stops the transceivers and ends the tracks, and calls are refused from then on")
    func closing() async throws {
        let connection = try RTCPeerConnection()
        let transceiver = try await connection.addTransceiver(.video)
        #expect(connection.getSenders().count == 1 && connection.getReceivers().first === transceiver.receiver)
        await connection.close()
        #expect(transceiver.direction == .stopped && transceiver.currentDirection == .stopped)
        #expect(transceiver.receiver.track.readyState == .ended)
        await #expect(throws: RTCError.self) { try await transceiver.stop() }
        await #expect(throws: RTCError.self) { try await transceiver.setDirection(.inactive) }
        await #expect(throws: RTCError.self) { try await connection.addTransceiver(.audio) }
        #expect(connection.getTransceivers().count == 1)
    }

    @Test("a sender takes another track of its kind, its parameters once, and gives its track up")
    func senders() async throws {
        let connection = try RTCPeerConnection()
        let other = try RTCPeerConnection()
        let video = MediaStreamTrack(source: MediaStreamTrackSource(kind: .video))
        let audio = MediaStreamTrack(source: MediaStreamTrackSource(kind: .audio))
        let transceiver = try await connection.addTransceiver(video)
        let sender = transceiver.sender
        await #expect(throws: RTCError.self) { try await sender.replaceTrack(audio) }
        let clone = video.clone()
        try await sender.replaceTrack(clone)
        #expect(sender.track === clone)
        var parameters = sender.getParameters()
        #expect(sender.getParameters().transactionId == parameters.transactionId)
        parameters.encodings[0].maxBitrate = 500_000
        try await sender.setParameters(parameters)
        #expect(sender.getParameters().encodings[0].maxBitrate == 500_000)
        await #expect(throws: RTCError.self) { try await sender.setParameters(parameters) }
        await #expect(throws: RTCError.self) { try await other.removeTrack(sender) }
        try await connection.removeTrack(sender)
        #expect(sender.track == nil && transceiver.direction == .recvonly)
        await connection.close()
        await other.close()
    }

    @Test("a transceiver does not keep its connection alive, and refuses calls without it")
    func lifetime() async throws {
        weak var connection: RTCPeerConnection?
        var transceiver: RTCRtpTransceiver?
        do {
            let made = try RTCPeerConnection()
            connection = made
            transceiver = try await made.addTransceiver(.audio)
            await made.close()
        }
        #expect(connection == nil)
        let kept = try #require(transceiver)
        #expect(kept.direction == .stopped && kept.sender.transport == nil)
        await #expect(throws: RTCError.self) { try await kept.setCodecPreferences([]) }
    }

    @Test("streams hold each track once; clones have identifiers of their own and share the source")
    func streams() {
        let source = MediaStreamTrackSource(kind: .video)
        let track = MediaStreamTrack(source: source)
        let stream = MediaStream([track, track])
        #expect(stream.getTracks().count == 1 && stream.getVideoTracks().count == 1 && stream.getAudioTracks().isEmpty)
        #expect(stream.getTrackById(track.id) === track && stream.active)
        track.enabled = false
        let clone = stream.clone()
        #expect(clone.id != stream.id && clone.getTracks().first?.id != track.id)
        #expect(clone.getTracks().first?.source === source && clone.getTracks().first?.enabled == false)
        track.stop()
        #expect(!stream.active && clone.active)
        stream.removeTrack(track)
        #expect(stream.getTracks().isEmpty)
    }

    @Test("the jitter buffer's target is 0 to 4 s")
    func jitterBufferTarget() async throws {
        let connection = try RTCPeerConnection()
        let receiver = try await connection.addTransceiver(.audio).receiver
        #expect(receiver.jitterBufferTarget == nil)
        try receiver.setJitterBufferTarget(.seconds(4))
        #expect(receiver.jitterBufferTarget == .seconds(4))
        #expect(throws: RTCError.self) { try receiver.setJitterBufferTarget(.milliseconds(4_001)) }
        #expect(throws: RTCError.self) { try receiver.setJitterBufferTarget(.milliseconds(-1)) }
        #expect(receiver.jitterBufferTarget == .seconds(4))
        await connection.close()
    }
}
