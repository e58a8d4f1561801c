public import RTCCore
public import WebRTC

extension WHIPService {
    /// A service that publishes what it takes.
    ///
    /// - Parameters:
    ///   - path: The path of the endpoint; names of streams follow it.
    ///   - endpoint: Where publishers connect to.
    ///   - streams: Where viewers find the streams.
    ///   - configuration: Who may publish, and bounds.
    ///   - connections: How the connections are configured.
    public convenience init(
        path: String,
        endpoint: WebRTCEndpoint,
        streams: LiveStreams,
        configuration: WHIPServiceConfiguration = WHIPServiceConfiguration(),
        connections: RTCConfiguration = RTCConfiguration()
    ) {
        self.init(
            path: path,
            configuration: configuration,
            connect: { try endpoint.makePeerConnection(connections) },
            prepare: { try await streams.prepare($0) },
            serve: { await streams.publish($0) }
        )
    }
}

extension WHEPService {
    /// A service whose viewers get what is published.
    ///
    /// - Parameters:
    ///   - path: The path of the endpoint; names of streams follow it.
    ///   - endpoint: Where viewers connect to.
    ///   - streams: The streams.
    ///   - negotiation: Who makes the offer.
    ///   - configuration: Who may watch, and bounds.
    ///   - connections: How the connections are configured.
    public convenience init(
        path: String,
        endpoint: WebRTCEndpoint,
        streams: LiveStreams,
        negotiation: Negotiation = .answers,
        configuration: WHIPServiceConfiguration = WHIPServiceConfiguration(),
        connections: RTCConfiguration = RTCConfiguration()
    ) {
        self.init(
            path: path,
            negotiation: negotiation,
            configuration: configuration,
            connect: { try endpoint.makePeerConnection(connections, near: $0) },
            source: { streams.source($0.name) }
        )
    }
}
