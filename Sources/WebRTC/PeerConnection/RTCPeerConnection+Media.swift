public import RTCBase
import RTCCore
public import RTCRTP

extension RTCPeerConnection {
    /// Sends a track: by a transceiver whose sender is free, or a new one (W3C webrtc-pc section 5.1).
    ///
    /// - Parameters:
    ///   - track: The track.
    ///   - streams: The streams that the peer shall see it in.
    /// - Throws: `RTCError.Code.invalidState` after ``close()``, `RTCError.Code.invalidAccess` for a track that is sent already.
    @discardableResult
    public func addTrack(_ track: MediaStreamTrack, _ streams: MediaStream...) async throws(RTCError) -> RTCRtpSender {
        try await self.addTrack(track, streams: streams)
    }

    /// Sends a track: by a transceiver whose sender is free, or a new one (W3C webrtc-pc section 5.1).
    @discardableResult
    public func addTrack(_ track: MediaStreamTrack, streams: [MediaStream]) async throws(RTCError) -> RTCRtpSender {
        let names = streams.map(\.id)
        return try await self.shared.perform { (driver) throws(RTCError) in
            let id = try driver.session.addTrack(track.kind, id: track.id, streams: names)
            let sender = driver.transceiver(id).sender
            sender.setTrack(track)
            return sender
        }
    }

    /// Stops sending a track; the sender stays, without one (W3C webrtc-pc section 5.1).
    ///
    /// - Throws: `RTCError.Code.invalidState` after ``close()``, `RTCError.Code.invalidAccess` for a sender of another connection.
    public func removeTrack(_ sender: RTCRtpSender) async throws(RTCError) {
        try await self.shared.perform { (driver) throws(RTCError) in
            guard sender.shared === driver.shared else {
                throw RTCError(.invalidAccess, "the sender belongs to another connection")
            }
            if try driver.session.removeTrack(from: sender.id) { sender.setTrack(nil) }
        }
    }

    /// Makes a transceiver without a track to send (W3C webrtc-pc section 5.1).
    ///
    /// - Throws: `RTCError.Code.type`, `RTCError.Code.range` or `RTCError.Code.operation` for encodings that W3C refuses,
    ///   `RTCError.Code.invalidState` after ``close()``.
    @discardableResult
    public func addTransceiver(
        _ kind: MediaKind,
        _ options: RTCRtpTransceiverInit = RTCRtpTransceiverInit()
    ) async throws(RTCError) -> RTCRtpTransceiver {
        try await self.addTransceiver(kind, nil, options)
    }

    /// Makes a transceiver that sends a track (W3C webrtc-pc section 5.1).
    @discardableResult
    public func addTransceiver(
        _ track: MediaStreamTrack,
        _ options: RTCRtpTransceiverInit = RTCRtpTransceiverInit()
    ) async throws(RTCError) -> RTCRtpTransceiver {
        try await self.addTransceiver(track.kind, track, options)
    }

    private func addTransceiver(
        _ kind: MediaKind,
        _ track: MediaStreamTrack?,
        _ options: RTCRtpTransceiverInit
    ) async throws(RTCError) -> RTCRtpTransceiver {
        let settings = TransceiverInit(
            direction: options.direction,
            streams: options.streams.map(\.id),
            sendEncodings: options.sendEncodings
        )
        return try await self.shared.perform { (driver) throws(RTCError) in
            let id = try driver.session.addTransceiver(kind, trackID: track?.id, settings)
            let transceiver = driver.transceiver(id)
            transceiver.sender.setTrack(track)
            return transceiver
        }
    }

    /// The transceivers, in the order in which they were made; those that are over are left out.
    public nonisolated func getTransceivers() -> [RTCRtpTransceiver] { self.snapshot.transceivers }

    /// The senders of all transceivers.
    public nonisolated func getSenders() -> [RTCRtpSender] { self.snapshot.transceivers.map(\.sender) }

    /// The receivers of all transceivers.
    public nonisolated func getReceivers() -> [RTCRtpReceiver] { self.snapshot.transceivers.map(\.receiver) }
}
