import NIOCore
import RTCBase
import RTCCore
import RTCRooms

/// What comes next, and what follows from messages and outcomes.
extension Negotiation {
    mutating func send(_ content: NegotiationMessage.Content) {
        guard !self.isEnded else { return }
        self.outputs.append(.send(NegotiationMessage(call: self.call, content)))
    }

    mutating func perform(_ operation: Operation) {
        self.operation = operation
        self.outputs.append(.perform(operation))
    }

    mutating func end() {
        self.isEnded = true
        self.inbox.removeAll()
        self.heldCandidates = []
        self.restartDue = nil
    }

    /// Does what comes next, if nothing is under way.
    mutating func proceed(_ now: NIODeadline) {
        if self.needsRestart, self.operation == nil, !self.isEnded {
            self.needsRestart = false
            self.perform(.restartICE)
        }
        while self.operation == nil, !self.isEnded, let content = self.inbox.popFirst() { self.process(content, now) }
        guard self.operation == nil, !self.isEnded, self.needsOffer, self.outstanding == nil, self.comparisonDue == nil,
            self.offersFrom <= now
        else { return }
        self.needsOffer = false
        self.perform(.offer)
    }

    mutating func process(_ content: NegotiationMessage.Content, _ now: NIODeadline) {
        switch content {
        case .offer(let sdp, let number, let answered): self.receiveOffer(sdp, number, answered, now)
        case .answer(let sdp, let number):
            guard self.outstanding?.number == number else {
                self.droppedMessages += 1
                return
            }
            self.perform(.accept(sdp: sdp))
        case .candidate(let candidate): self.receive(candidate)
        case .endOfCandidates(let fragment): self.receive(CandidateMessage(candidate: "", usernameFragment: fragment))
        case .restart:
            // One restart for the other side, however often it asks at once.
            if let last = self.lastRequestedRestart, now - last < .seconds(2) { return }
            self.lastRequestedRestart = now
            self.perform(.restartICE)
        case .synchronise(let position): self.receive(position, now)
        case .bye(let reason):
            self.outputs.append(.event(.bye(reason: reason)))
            self.end()
        }
    }

    mutating func receiveOffer(_ sdp: String, _ number: Int, _ answered: Int, _ now: NIODeadline) {
        guard number > self.answered else {
            // The answer got lost, or is on its way.
            guard number == self.answered else {
                self.droppedMessages += 1
                return
            }
            if self.mayRepeat(now) { self.perform(.repeatDescription(.answer)) }
            return
        }
        guard number != self.refusedOffer else {
            self.droppedMessages += 1
            return
        }
        if let outstanding = self.outstanding {
            if answered >= outstanding.number {
                // Ours was answered: to take it back now would tear the two apart.
                return self.compare(now)
            }
            self.collisions += 1
            guard self.isPolite else {
                self.ignoresOffer = true
                return
            }
        }
        self.ignoresOffer = false
        self.answering = number
        // If an offer of ours is still needed afterwards, the connection says so again.
        self.outstanding = nil
        self.needsOffer = false
        self.perform(.answer(sdp: sdp))
    }

    mutating func receive(_ candidate: CandidateMessage) {
        // Those that name their generation are told apart by the connection.
        if self.ignoresOffer, candidate.usernameFragment == nil {
            self.droppedMessages += 1
            return
        }
        self.perform(.addCandidate(candidate))
    }

    mutating func completed(_ operation: Operation, _ outcome: Outcome, _ now: NIODeadline) {
        switch (operation, outcome) {
        case (.offer, .done(let description?)):
            self.lastOffer += 1
            self.outstanding = Outstanding(number: self.lastOffer, answerDue: now + self.configuration.answerTimeout)
            self.send(.offer(sdp: description.sdp, number: self.lastOffer, answered: self.answered))
            self.expectConnection(now)
        case (.answer, .done(let description?)):
            self.answered = self.answering
            self.send(.answer(sdp: description.sdp, number: self.answered))
            self.expectConnection(now)
        case (.accept, .done):
            self.outstanding = nil
            self.ignoresOffer = false
        case (.repeatDescription(.offer), .done(let description?)):
            guard let outstanding = self.outstanding else { break }
            self.send(.offer(sdp: description.sdp, number: outstanding.number, answered: self.answered))
        case (.repeatDescription, .done(let description?)):
            self.send(.answer(sdp: description.sdp, number: self.answered))
        case (.addCandidate, .failed): self.droppedMessages += 1
        case (.answer, .failed(let error)):
            self.refusedOffer = self.answering
            self.outputs.append(.event(.failed(error.description)))
        case (.offer, .failed(let error)), (.accept, .failed(let error)):
            self.outputs.append(.event(.failed(error.description)))
        case (.addCandidate, .done), (.restartICE, _), (.repeatDescription, _), (.offer, .done), (.answer, .done): break
        }
    }
}
