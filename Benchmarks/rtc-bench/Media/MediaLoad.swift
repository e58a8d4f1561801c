import NIOCore
import WebRTC

/// Publishers and subscribers that put load on a forwarding server.
struct MediaLoad: Sendable {
    typealias Answering = @Sendable (RTCSessionDescription) async throws -> RTCSessionDescription

    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Connects a publisher.
    func publisher(_ answer: Answering) async throws -> (RTCPeerConnection, MediaStreamTrackSource) {
        let connection = try self.makeConnection()
        let source = MediaStreamTrackSource(kind: .video)
        try await connection.addTrack(MediaStreamTrack(source: source))
        try await self.connect(connection, answer)
        return (connection, source)
    }

    /// Connects a subscriber that counts what it gets.
    func subscriber(counting counter: Counter, _ answer: Answering) async throws -> RTCPeerConnection {
        let connection = try self.makeConnection()
        let options = RTCRtpTransceiverInit(direction: .recvonly)
        let transceiver = try await connection.addTransceiver(.video, options)
        transceiver.receiver.setPacketHandler { _ in counter.increment() }
        try await self.connect(connection, answer)
        return connection
    }

    private func makeConnection() throws -> RTCPeerConnection {
        var policy = RTCAddressPolicy.defaults
        policy.addresses = [AgentOptions.address]
        return try RTCPeerConnection(addressPolicy: policy, eventLoop: self.eventLoop)
    }

    private func connect(_ connection: RTCPeerConnection, _ answer: Answering) async throws {
        try await connection.setLocalDescription()
        try await connection.setRemoteDescription(try await answer(connection.gatheredDescription()))
        let giveUp = connection.eventLoop.scheduleTask(in: Self.connectTimeout) { Task { await connection.close() } }
        defer { giveUp.cancel() }
        for await event in connection.events {
            guard case .connectionStateChange(let state) = event else { continue }
            if state == .connected { return }
        }
        throw BenchFailure("a peer did not connect")
    }

    private static let connectTimeout = TimeAmount.seconds(15)
}
