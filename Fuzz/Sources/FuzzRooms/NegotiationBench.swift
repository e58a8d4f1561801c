import FuzzInput
import NIOCore
import RTCBase
import RTCCore
import RTCRooms

@testable import RTCCalls

/// A negotiation whose peer says anything, over a connection whose operations end any way.
struct NegotiationBench {
    private var negotiation: Negotiation
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var operation: Negotiation.Operation?
    /// What this side was told to do, by the peer, the user and time: each is worth a bounded number of messages.
    private var causes = 8
    private var sent = 0

    init(isPolite: Bool) {
        self.negotiation = Negotiation(isPolite: isPolite, random: .seeded(1), now: self.now)
    }

    mutating func run(_ input: inout FuzzInput) {
        for _ in 0..<256 where !input.isEmpty {
            self.step(&input)
            self.drain()
            require(self.negotiation.inbox.count <= Negotiation.maximumWaitingMessages + 1, "more waits than may")
        }
        self.negotiation.close()
        self.drain()
        require(self.negotiation.isEnded && self.negotiation.nextTimeout == nil, "not over")
    }

    private mutating func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        self.causes += 1
        switch kind & 15 {
        case 0: self.say(.offer(sdp: "x", number: Int(input.byte()) + 1, answered: Int(kind >> 4)))
        case 1: self.say(.answer(sdp: "x", number: Int(kind >> 4) + 1))
        case 2: self.say(.candidate(CandidateMessage(candidate: "x", usernameFragment: kind & 16 == 0 ? nil : "u")))
        case 3:
            let offer = kind & 16 == 0 ? nil : Int(input.byte() & 7) + 1
            let position = NegotiationPosition(offer: offer, answered: Int(kind >> 5), wantsReply: kind & 16 != 0)
            self.say(.synchronise(position))
        case 4: self.say(kind < 250 ? .restart : .bye(reason: ""))
        case 5: self.raw(String(decoding: input.run(), as: UTF8.self))
        case 6, 7, 8, 9: self.complete(kind)
        case 10: self.negotiation.negotiationNeeded(now: self.now)
        case 11:
            let states: [RTCPeerConnectionState] = [.new, .connecting, .connected, .disconnected, .failed]
            self.negotiation.connectionStateChanged(to: states[Int(kind >> 4) % states.count], now: self.now)
        case 12: self.negotiation.messageLost(now: self.now)
        case 13: kind & 16 == 0 ? self.negotiation.resynchronise(now: self.now) : self.negotiation.requestRestart()
        default: self.wait(.milliseconds(Int64(input.uint16())))
        }
    }

    private mutating func wait(_ time: TimeAmount) {
        let end = self.now + time
        while let next = self.negotiation.nextTimeout, next <= end {
            // What is due a second time at the same moment would never end.
            self.now = max(self.now, next)
            self.causes += 1
            self.negotiation.handleTimeout(now: self.now)
            self.drain()
            if self.operation != nil { break }
            if let next = self.negotiation.nextTimeout { require(next > self.now, "a deadline stays") }
        }
        self.now = end
    }

    private mutating func raw(_ text: String) {
        guard let message = JSONValue(parsing: text).flatMap(NegotiationMessage.init) else { return }
        self.negotiation.receive(message, now: self.now)
    }

    private mutating func say(_ content: NegotiationMessage.Content) {
        self.negotiation.receive(NegotiationMessage(call: 1, content), now: self.now)
    }

    private mutating func complete(_ kind: UInt8) {
        guard let operation = self.operation else { return }
        self.operation = nil
        let outcome: Negotiation.Outcome =
            switch operation {
            case _ where kind & 0x30 == 0x30: .failed(RTCError(.operation, "x"))
            case .offer: .done(RTCSessionDescription(type: .offer, sdp: "x"))
            case .answer: .done(RTCSessionDescription(type: .answer, sdp: "x"))
            case .repeatDescription(let type): .done(RTCSessionDescription(type: type, sdp: "x"))
            case .accept, .addCandidate, .restartICE: .done(nil)
            }
        self.negotiation.completed(outcome, now: self.now)
    }

    private mutating func drain() {
        while let output = self.negotiation.poll() {
            switch output {
            case .send(let message):
                self.sent += 1
                require(NegotiationMessage(message.json) == message, "another message: \(message)")
            case .perform(let operation):
                require(self.operation == nil, "two operations at once")
                self.operation = operation
            case .event: break
            }
        }
        require(self.sent <= 3 * self.causes, "\(self.sent) messages for \(self.causes) causes")
    }
}
