import NIOCore
import WebRTC

/// Two connected peers in this process, each on an event loop of its own, over 127.0.0.1.
struct LoopbackPair: Sendable {
    /// The side that offered.
    let near: RTCPeerConnection
    /// The side that answered.
    let far: RTCPeerConnection
    let channels: [Ends]
    /// From the first call to the open channels, in milliseconds.
    let milliseconds: Double

    /// The two ends of a channel.
    struct Ends: Sendable {
        let near: RTCDataChannel
        let far: RTCDataChannel
    }

    /// What a pair is made of.
    struct Configuration: Sendable {
        var channels = 1
        var options = RTCDataChannelInit()
        var sendHighWatermark = 4 << 20
        /// Sources whose tracks the near side sends.
        var sources: [MediaStreamTrackSource] = []
        /// Where the far side lives: on a port it shares, or if `nil` on sockets of its own.
        var endpoint: WebRTCEndpoint?
    }

    /// Connects a pair.
    static func connect(_ configuration: Configuration, loops: BenchLoops) async throws -> LoopbackPair {
        let start = NIODeadline.now()
        var limits = RTCLimits.defaults
        limits.sendHighWatermark = configuration.sendHighWatermark
        limits.sendLowWatermark = configuration.sendHighWatermark / 4
        let settings = RTCConfiguration(limits: limits)
        var policy = RTCAddressPolicy.defaults
        policy.addresses = ["127.0.0.1"]
        let near = try RTCPeerConnection(configuration: settings, addressPolicy: policy, eventLoop: loops.near)
        let far: RTCPeerConnection
        if let endpoint = configuration.endpoint {
            far = try endpoint.makePeerConnection(settings)
        } else {
            far = try RTCPeerConnection(configuration: settings, addressPolicy: policy, eventLoop: loops.far)
        }
        do {
            let channels = try await Self.open(near, far, configuration)
            let milliseconds = Double((NIODeadline.now() - start).nanoseconds) / 1e6
            return LoopbackPair(near: near, far: far, channels: channels, milliseconds: milliseconds)
        } catch {
            await near.close()
            await far.close()
            throw error
        }
    }

    /// Closes both sides.
    func close() async {
        await self.near.close()
        await self.far.close()
    }

    private static let openTimeout = TimeAmount.seconds(20)

    private static func open(
        _ near: RTCPeerConnection,
        _ far: RTCPeerConnection,
        _ configuration: Configuration
    ) async throws -> [Ends] {
        let giveUp = near.eventLoop.scheduleTask(in: Self.openTimeout) {
            Task {
                await near.close()
                await far.close()
            }
        }
        defer { giveUp.cancel() }
        var nearChannels: [String: RTCDataChannel] = [:]
        for index in 0..<configuration.channels {
            nearChannels["bench\(index)"] = try await near.createDataChannel("bench\(index)", configuration.options)
        }
        for source in configuration.sources { try await near.addTrack(MediaStreamTrack(source: source)) }
        try await near.setLocalDescription()
        try await far.setRemoteDescription(try await near.gatheredDescription())
        try await far.setLocalDescription()
        try await near.setRemoteDescription(try await far.gatheredDescription())
        var ends: [Ends] = []
        while ends.count < configuration.channels {
            guard let channel = await far.firstDataChannel(), let mate = nearChannels[channel.label] else {
                throw BenchFailure("the two peers did not connect")
            }
            try await mate.waitUntilOpen()
            ends.append(Ends(near: mate, far: channel))
        }
        return ends
    }
}
