import RTCCore
public import WebRTC

/// What viewers of a stream get.
public struct WHEPSource: Sendable {
    /// What feeds the tracks: at most one of each kind.
    public var sources: [MediaStreamTrackSource]
    /// The names of the codecs that the sources bring, `VP8` for example; a viewer must have them. Empty: whatever is agreed upon.
    public var codecs: [String]
    /// A connection to share an event loop with: that of the publisher.
    public var neighbour: RTCPeerConnection?
    /// Serves a viewer who is connected; the session ends when it returns. Its task is cancelled when the session ends.
    public var serve: @Sendable (WHIPPeer) async -> Void

    /// What viewers get.
    public init(
        sources: [MediaStreamTrackSource],
        codecs: [String] = [],
        neighbour: RTCPeerConnection? = nil,
        serve: @escaping @Sendable (WHIPPeer) async -> Void
    ) {
        self.sources = sources
        self.codecs = codecs
        self.neighbour = neighbour
        self.serve = serve
    }

    /// Has a transceiver send the source of its kind; false if there is none.
    func attach(to transceiver: RTCRtpTransceiver, _ stream: MediaStream) async throws -> Bool {
        guard let source = self.sources.first(where: { $0.kind == transceiver.kind }) else {
            try await transceiver.setDirection(.inactive)
            return false
        }
        try await transceiver.sender.replaceTrack(MediaStreamTrack(source: source))
        try await transceiver.sender.setStreams([stream])
        try await transceiver.setDirection(.sendonly)
        try await transceiver.prefer(self.codecs)
        return true
    }
}

extension RTCRtpTransceiver {
    /// Negotiates codecs of some names only, and what repairs them; all if none of the names is one of this kind.
    func prefer(_ names: [String]) async throws {
        let codecs = RTCRtpSender.getCapabilities(self.kind).codecs
        let wanted = Set(names.map { $0.lowercased() })
        guard codecs.contains(where: { wanted.contains($0.name.lowercased()) }) else { return }
        try await self.setCodecPreferences(
            codecs.filter { wanted.contains($0.name.lowercased()) || $0.name.lowercased() == "rtx" }
        )
    }
}
