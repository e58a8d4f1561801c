import NIOCore
import RTCBase
import RTCCalls
import RTCCore
import RTCRooms
import RTCSCTP
import RTCTestKit

/// Two peers that negotiate over a signalling path which takes its time and loses what is under way when it breaks, all in virtual
/// time.
final class NegotiationWorld {
    struct Side {
        var negotiation: Negotiation
        var events: [NegotiationEvent] = []
        /// How many of the session's events were handed to the negotiation.
        var taken = 0
        /// What is under way to this side.
        var incoming: [(due: NIODeadline, message: NegotiationMessage)] = []
        var channels = 0
    }

    let pair: PeerPair
    var sides: [Side]
    var random: RandomSource
    var isConnected = true
    /// Whether what is sent while the path is broken waits, as in a room, or is lost.
    var sent = 0
    var lost = 0

    private static let certificates = (try! RTCCertificate.generate(), try! RTCCertificate.generate())

    init(seed: UInt64, configuration: NegotiatorConfiguration = NegotiatorConfiguration()) throws {
        var (left, right) = (RTCConfiguration(), RTCConfiguration())
        left.certificates = [Self.certificates.0]
        right.certificates = [Self.certificates.1]
        self.pair = try PeerPair(seed: seed, leftConfiguration: left, rightConfiguration: right)
        self.pair.left.trickles = false
        self.pair.right.trickles = false
        self.random = .seeded(seed &+ 99)
        let now = self.pair.now
        self.sides = [true, false].map { isPolite in
            Side(
                negotiation: Negotiation(
                    isPolite: isPolite,
                    configuration: configuration,
                    random: .seeded(seed &+ (isPolite ? 1 : 2)),
                    now: now
                )
            )
        }
    }

    func peer(_ side: Int) -> PeerPair.Peer { side == 0 ? self.pair.left : self.pair.right }

    /// Loses all that is under way.
    func breakPath() {
        for side in 0...1 {
            self.lost += self.sides[side].incoming.count
            self.sides[side].incoming = []
        }
    }

    func openChannel(_ side: Int) throws {
        let number = self.sides[side].channels
        self.sides[side].channels += 1
        let parameters = DataChannelParameters(label: "\(side)-\(number)")
        _ = try self.peer(side).session.createDataChannel(parameters, id: nil, now: self.pair.now)
    }

    func restart(_ side: Int) { self.sides[side].negotiation.restart(now: self.pair.now) }

    /// Does what is due in the negotiations; whether there was anything.
    private func step() -> Bool {
        var isBusy = false
        for side in 0...1 {
            let peer = self.peer(side)
            self.pair.settle()
            while self.sides[side].taken < peer.events.count {
                isBusy = true
                self.take(peer.events[self.sides[side].taken], side)
                self.sides[side].taken += 1
            }
            while let first = self.sides[side].incoming.first, first.due <= self.pair.now {
                isBusy = true
                self.sides[side].incoming.removeFirst()
                self.sides[side].negotiation.receive(first.message, now: self.pair.now)
            }
            if let due = self.sides[side].negotiation.nextTimeout, due <= self.pair.now {
                self.sides[side].negotiation.handleTimeout(now: self.pair.now)
            }
            while let output = self.sides[side].negotiation.poll() {
                isBusy = true
                self.perform(output, side)
            }
        }
        return isBusy
    }

    private func take(_ event: PeerSession.Event, _ side: Int) {
        let now = self.pair.now
        switch event {
        case .negotiationNeeded: self.sides[side].negotiation.negotiationNeeded(now: now)
        case .iceCandidate(let candidate): self.sides[side].negotiation.localCandidate(candidate)
        case .connectionStateChange(let state):
            self.sides[side].negotiation.connectionStateChanged(to: state, now: now)
        default: break
        }
    }

    private func perform(_ output: Negotiation.Output, _ side: Int) {
        switch output {
        case .event(let event): self.sides[side].events.append(event)
        case .send(let message):
            self.sent += 1
            let delay = TimeAmount.milliseconds(Int64.random(in: 1...80, using: &self.random))
            let due = max(self.sides[1 - side].incoming.last?.due ?? self.pair.now, self.pair.now + delay)
            guard self.isConnected else {
                self.lost += 1
                return
            }
            self.sides[1 - side].incoming.append((due, message))
        case .perform(let operation):
            var outcome: Negotiation.Outcome
            do throws(RTCError) {
                outcome = .done(try self.perform(operation, on: self.peer(side).session))
            } catch {
                outcome = .failed(error)
            }
            self.sides[side].negotiation.completed(outcome, now: self.pair.now)
        }
    }

    private func perform(
        _ operation: Negotiation.Operation,
        on session: PeerSession
    ) throws(RTCError) -> RTCSessionDescription? {
        let now = self.pair.now
        switch operation {
        case .offer:
            try session.setLocalDescription(nil, now: now)
            return session.pendingLocalDescription
        case .answer(let sdp):
            try session.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: sdp), now: now)
            try session.setLocalDescription(nil, now: now)
            return session.currentLocalDescription
        case .accept(let sdp):
            try session.setRemoteDescription(RTCSessionDescription(type: .answer, sdp: sdp), now: now)
        case .repeatDescription(let type):
            return [session.pendingLocalDescription, session.currentLocalDescription].compactMap { $0 }
                .first { $0.type == type }
        case .addCandidate(let candidate):
            let members = RTCIceCandidateInit(
                candidate: candidate.candidate,
                sdpMid: candidate.sdpMid,
                sdpMLineIndex: candidate.sdpMLineIndex,
                usernameFragment: candidate.usernameFragment
            )
            try session.addICECandidate(members, now: now)
        case .restartICE: try session.restartICE()
        }
        return nil
    }

    /// Lets time pass until the condition holds.
    func run(for duration: TimeAmount, until condition: () -> Bool = { false }) -> Bool {
        let limit = self.pair.now + duration
        while true {
            while self.step() {}
            if condition() { return true }
            guard self.pair.now < limit else { return false }
            var next = limit
            for side in self.sides {
                for due in [side.negotiation.nextTimeout, side.incoming.first?.due] {
                    if let due { next = min(next, max(due, self.pair.now + .milliseconds(1))) }
                }
            }
            _ = self.pair.step(until: next)
        }
    }

    // MARK: Looking

    /// Whether nothing is left to negotiate, and all channels are open at both ends.
    var isSettled: Bool {
        let channels = self.sides[0].channels + self.sides[1].channels
        return [0, 1].allSatisfy { side in
            let peer = self.peer(side)
            let opened = peer.events.count { if case .dataChannelOpen = $0 { true } else { false } }
            return peer.session.signalingState == .stable && peer.session.connectionState == .connected
                && opened == channels
        }
    }

    var description: String {
        [0, 1].map { side in
            let session = self.peer(side).session
            return "\(session.signalingState) \(session.connectionState) \(self.sides[side].events)"
        }.joined(separator: "; ")
    }
}
