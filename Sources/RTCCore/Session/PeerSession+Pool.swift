import NIOCore
import RTCBase
import RTCICE
import RTCSDP

// The candidate pool (W3C webrtc-pc section 4.2.1, RFC 9429 section 3.5.4): with bundling there is one transport to gather for, so
// one generation gathers ahead, however large the pool may be.

extension PeerSession {
    /// Begins to gather before there is a description, if that is wanted and none has begun.
    func fillPool() {
        guard self.configuration.iceCandidatePoolSize > 0, self.transport.pooled == nil,
            self.transport.generations.isEmpty, self.jsep.offeredCredentials == nil
        else { return }
        let credentials = ICECredentials.random(using: &self.random, ufragPrefix: self.environment.ufragPrefix)
        let agent = ICEAgent(
            configuration: ICEConfiguration(self.configuration),
            role: .controlling,
            localCredentials: credentials,
            random: self.random
        )
        _ = self.random.next()
        self.transport.pooled = ICEGeneration(agent: agent, ufrag: credentials.ufrag, sdpMid: nil, sdpMLineIndex: 0)
        self.outputs.append(.registerUfrag(credentials.ufrag))
        self.outputs.append(.gatherAddresses(ufrag: credentials.ufrag))
    }

    /// Drops what was gathered ahead.
    func emptyPool(now: NIODeadline) {
        guard let pooled = self.transport.pooled else { return }
        self.transport.pooled = nil
        pooled.agent.close()
        self.closeServers(of: pooled.ufrag, now: now)
        self.outputs.append(.unregisterUfrag(pooled.ufrag))
    }

    /// The credentials of a new generation: those of the pool if there are any.
    func freshCredentials() -> ICECredentials {
        self.transport.pooled?.agent.localCredentials
            ?? ICECredentials.random(using: &self.random, ufragPrefix: self.environment.ufragPrefix)
    }

    /// What was gathered ahead belongs to a description now, and is told.
    func takePooled(
        _ pooled: ICEGeneration,
        role: ICERole,
        section: Int,
        of local: JSEPDescription,
        now: NIODeadline
    ) {
        var generation = pooled
        self.transport.pooled = nil
        generation.sdpMid = local.content.media[section].mid
        generation.sdpMLineIndex = section
        generation.agent.setRole(role)
        let held = generation.heldEvents
        generation.heldEvents = []
        if self.transport.current == nil {
            self.transport.current = generation
        } else {
            self.transport.next = generation
        }
        for event in held { self.handle(.event(event), of: generation.ufrag, now: now) }
    }

    /// Lets the pool ask its servers, and keeps what it finds.
    func drainPooled(now: NIODeadline) {
        guard let pooled = self.transport.pooled else { return }
        while let output = pooled.agent.poll() {
            if case .event(let event) = output {
                // An address that appeared: nobody was told that there would be no more.
                if event == .gatheringStateChanged(.gathering) {
                    self.transport.pooled?.heldEvents.removeAll { $0 == .gatheringStateChanged(.complete) }
                }
                self.transport.pooled?.heldEvents.append(event)
            } else {
                self.handle(output, of: pooled.ufrag, now: now)
            }
        }
    }
}
