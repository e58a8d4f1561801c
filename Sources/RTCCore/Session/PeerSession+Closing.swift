public import NIOCore
import RTCBase
import RTCDTLS
import RTCICE
import RTCSCTP

extension PeerSession {
    /// Ends the session; always possible, and only once of consequence (W3C webrtc-pc section 4.4.3). Poll it afterwards: the peer is told.
    ///
    /// No event fires: whoever closes knows (W3C: the states read `closed` at once).
    public func close(now: NIODeadline) {
        guard !self.isClosed else { return }
        self.settle(now: now)
        self.channels.transport.abort()
        self.transmit(now: now)
        self.media?.sendGoodbye(now: now)
        self.transmitMedia(now: now)
        self.transport.dtls?.close(now: now)
        self.transmit(now: now)
        for generation in self.transport.allGenerations {
            generation.agent.close()
            self.closeServers(of: generation.ufrag, now: now)
            self.outputs.append(.unregisterUfrag(generation.ufrag))
        }
        self.jsep.close()
        self.jsep.mediaRevision &+= 1
        self.states.iceTransport = .closed
        self.states.iceConnection = .closed
        self.states.connection = .closed
        self.transport.dtlsState = .closed
        if self.states.sctp != nil { self.states.sctp = .closed }
        self.isClosed = true
        self.dropQueuedEvents()
    }

    /// How far local candidates are collected (W3C webrtc-pc section 4.3.2).
    public var iceGatheringState: RTCIceGatheringState { self.states.iceGathering }
    /// The state of ICE (W3C webrtc-pc section 4.3.4).
    public var iceConnectionState: RTCIceConnectionState { self.states.iceConnection }
    /// The state of ICE and DTLS together (W3C webrtc-pc section 4.3.3).
    public var connectionState: RTCPeerConnectionState { self.states.connection }

    /// The transports' states and parameters at one moment.
    public struct TransportSnapshot: Sendable {
        /// The state of SCTP, `nil` while no data section is negotiated.
        public var sctpState: RTCSctpTransportState?
        /// The state of DTLS.
        public var dtlsState: RTCDtlsTransportState
        /// The state of ICE.
        public var iceState: RTCIceTransportState
        /// The gathering state of ICE.
        public var iceGatheringState: RTCIceGatheringState
        /// The ICE role of this side.
        public var iceRole: RTCIceRole
        /// The largest message that may be sent, in bytes; `Int.max` without limit.
        public var maximumMessageSize: Int
        /// The most channels, known once SCTP is connected.
        public var maxChannels: Int?
        /// The peer's certificates (DER), empty before DTLS is connected.
        public var remoteCertificates: [[UInt8]]
        /// The path that data takes.
        public var selectedCandidatePair: RTCIceCandidatePair?
        /// The candidates that were sent to the peer.
        public var localCandidates: [RTCIceCandidate]
        /// The candidates that came from the peer.
        public var remoteCandidates: [RTCIceCandidate]
        /// The ufrag and password of this side, if negotiation began.
        public var localParameters: RTCIceParameters?
        /// The ufrag and password of the peer, if its description is known.
        public var remoteParameters: RTCIceParameters?
    }

    /// The transports as they are now; `nil` before there are any.
    public var transportSnapshot: TransportSnapshot? {
        let generation = self.transport.current ?? self.transport.next
        guard generation != nil || self.states.sctp != nil else { return nil }
        let agent = generation?.agent
        if let generation {
            self.candidateLists.update(from: generation, selected: agent?.selectedPair) {
                self.rtcCandidate($0, generation, ufrag: $1)
            }
        }
        return TransportSnapshot(
            sctpState: self.states.sctp,
            dtlsState: self.transport.dtlsState,
            iceState: self.states.iceTransport,
            iceGatheringState: generation?.gatheringState ?? .new,
            iceRole: agent.map { $0.role == .controlling ? .controlling : .controlled } ?? .unknown,
            maximumMessageSize: self.maximumMessageSize ?? 65_536,
            maxChannels: self.states.sctp == .connected ? self.channels.transport.maxChannels : nil,
            remoteCertificates: self.transport.dtlsInfo?.peerCertificates ?? [],
            selectedCandidatePair: self.candidateLists.selected,
            localCandidates: self.candidateLists.local,
            remoteCandidates: self.candidateLists.remote,
            localParameters: agent.map { RTCIceParameters($0.localCredentials) },
            remoteParameters: agent?.remoteCredentials.map { RTCIceParameters($0) }
        )
    }

    /// Takes a changed configuration; what it says of servers and policy holds for the next gathering. New credentials for
    /// the same servers reach the allocations that there are, without a restart.
    public func update(_ configuration: RTCConfiguration, now: NIODeadline) {
        // What was gathered by other rules must be gathered anew (RFC 9429 section 4.1.18): the next offer restarts ICE.
        if configuration.iceTransportPolicy != self.configuration.iceTransportPolicy
            || configuration.iceServers.map(\.urls) != self.configuration.iceServers.map(\.urls)
        {
            self.jsep.requestRestart()
            self.emptyPool(now: now)
        }
        let isRotation = configuration.iceServers != self.configuration.iceServers
        self.configuration = configuration
        self.jsep.isICELite = configuration.isIceLite
        self.jsep.offersRenomination = configuration.offersRenomination
        if isRotation { self.updateServerCredentials(now: now) }
        if configuration.iceCandidatePoolSize == 0 { self.emptyPool(now: now) }
        self.fillPool()
        self.jsep.capabilities = configuration.media
    }
}
