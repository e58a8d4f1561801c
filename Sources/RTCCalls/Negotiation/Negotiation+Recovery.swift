import NIOCore
import RTCBase
import RTCCore
import RTCRooms
import RTCSignaling

/// After messages were lost: comparing where both stand.
extension Negotiation {
    /// Says where this side stands, some times until the other does.
    mutating func compare(_ now: NIODeadline) {
        self.comparisons += 1
        guard self.comparisons <= Self.maximumComparisons else {
            self.comparisonDue = nil
            return
        }
        self.comparisonDue = now + self.configuration.answerTimeout * Int64(min(6, self.comparisons))
        self.send(.synchronise(self.position(wantsReply: true)))
    }

    func position(wantsReply: Bool) -> NegotiationPosition {
        NegotiationPosition(offer: self.outstanding?.number, answered: self.answered, wantsReply: wantsReply)
    }

    /// Whether to say something again that the other side asks for; else that message is dropped.
    mutating func mayRepeat(_ now: NIODeadline) -> Bool {
        let limit = Self.repetitionLimit
        guard self.repetitions.take(1, rate: limit.rate, burst: limit.burst, now: now) else {
            self.droppedMessages += 1
            return false
        }
        return true
    }

    mutating func receive(_ position: NegotiationPosition, _ now: NIODeadline) {
        // What this side waits for comes once for each time that it asked.
        guard self.comparisonDue != nil || self.mayRepeat(now) else { return }
        if position.wantsReply { self.send(.synchronise(self.position(wantsReply: false))) }
        self.comparisonDue = nil
        if let offer = position.offer, offer == self.answered { return self.perform(.repeatDescription(.answer)) }
        if let outstanding = self.outstanding {
            // Where the other side answered, it repeats the answer by itself.
            if position.answered < outstanding.number { self.perform(.repeatDescription(.offer)) }
        } else if position.offer == nil, self.connectionState != .connected, !self.isPolite {
            // Candidates may be missing: a new exchange has them all.
            self.needsOffer = true
        }
    }
}

/// After the connection was lost: restarting ICE.
extension Negotiation {
    /// What a polite side waits longer, so that rarely both restart.
    var courtesy: TimeAmount { self.isPolite ? .milliseconds(1_500) : .zero }

    mutating func expectConnection(_ now: NIODeadline) {
        guard self.connectionState != .connected, self.restartDue == nil else { return }
        self.restartDue = now + self.configuration.connectTimeout + self.courtesy
    }

    mutating func restartForFailure(_ now: NIODeadline) {
        self.restartDue = nil
        guard self.connectionState != .connected else { return }
        if let maximum = self.configuration.maximumRestarts, self.restarts >= maximum {
            return self.outputs.append(.event(.gaveUp))
        }
        self.restarts += 1
        self.outputs.append(.event(.restarting(attempt: self.restarts)))
        self.restartDue = now + self.configuration.connectTimeout + self.restartDelay.next() + self.courtesy
        self.restart(now: now)
    }
}
