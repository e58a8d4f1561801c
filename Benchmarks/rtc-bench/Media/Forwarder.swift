import NIOCore
import Synchronization
import WebRTC

/// The smallest forwarding server: what one connection publishes goes to all that subscribed.
final class Forwarder: Sendable {
    private struct State {
        var connections: [RTCPeerConnection] = []
        var subscriberCount = 0
        var cpu = 0.0
    }

    private let endpoint: WebRTCEndpoint
    private let source = MediaStreamTrackSource(kind: .video, label: "forwarded")
    private let incoming = Atomic<Int>(0)
    private let state = Mutex(State())
    private let measure: @Sendable () -> Double

    /// - Parameter measure: The CPU time that counts, in seconds; called on the event loop.
    init(endpoint: WebRTCEndpoint, measure: @escaping @Sendable () -> Double) {
        self.endpoint = endpoint
        self.measure = measure
    }

    /// Packets that were published.
    var packetsIn: Int { self.incoming.load(ordering: .relaxed) }
    /// Packets that went out.
    var packetsOut: Int { self.packetsIn * self.subscriberCount }
    /// How many subscribed.
    var subscriberCount: Int { self.state.withLock { $0.subscriberCount } }
    /// The CPU time when the first packet came, in seconds.
    var cpuAtFirstPacket: Double { self.state.withLock { $0.cpu } }

    /// Answers a publisher's offer.
    func publish(_ offer: RTCSessionDescription) async throws -> RTCSessionDescription {
        let connection = try self.endpoint.makePeerConnection()
        try await connection.setRemoteDescription(offer)
        guard let receiver = connection.getReceivers().first else { throw BenchFailure("the publisher sends nothing") }
        self.source.setFeedbackHandler { feedback in
            if case .keyFrameRequest = feedback { receiver.requestKeyFrame() }
        }
        receiver.setPacketHandler { packet in
            if self.incoming.wrappingAdd(1, ordering: .relaxed).oldValue == 0 {
                self.state.withLock { $0.cpu = self.measure() }
            }
            self.source.write(packet)
        }
        return try await self.answer(on: connection)
    }

    /// Answers a subscriber's offer.
    func subscribe(_ offer: RTCSessionDescription) async throws -> RTCSessionDescription {
        let neighbour = self.state.withLock { $0.connections.first }
        let connection = try self.endpoint.makePeerConnection(near: neighbour)
        try await connection.addTrack(MediaStreamTrack(source: self.source))
        try await connection.setRemoteDescription(offer)
        self.state.withLock { $0.subscriberCount += 1 }
        return try await self.answer(on: connection)
    }

    private func answer(on connection: RTCPeerConnection) async throws -> RTCSessionDescription {
        self.state.withLock { $0.connections.append(connection) }
        try await connection.setLocalDescription()
        return try await connection.gatheredDescription()
    }

    /// Closes all connections.
    func close() async {
        let connections = self.state.withLock { state in
            defer { state.connections = [] }
            return state.connections
        }
        for connection in connections { await connection.close() }
    }
}
