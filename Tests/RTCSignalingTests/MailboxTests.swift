import NIOCore
import RTCBase
import RTCSignaling
import Testing

@Suite struct MailboxTests {
    @Test("Two sides meet under a short number, and what one says comes to the other")
    func meeting() throws {
        var lab = Lab()
        let name = lab.allocate(1)
        #expect(name.count == 1)
        lab.say(.claim(nameplate: name), 2)
        expect(lab.take(2), [.claimed])
        expect(lab.take(1), [.joined(joiner: 1)])
        lab.say(.relay("from the inviter", joiner: 1), 1)
        lab.say(.relay("from the joiner", joiner: nil), 2)
        expect(lab.take(2), [.relay("from the inviter", joiner: nil)])
        expect(lab.take(1), [.relay("from the joiner", joiner: nil)])
        lab.leave(2)
        expect(lab.take(1), [.left])
    }

    @Test("Only two are at a nameplate")
    func third() {
        var lab = Lab()
        let name = lab.allocate(1)
        lab.say(.claim(nameplate: name), 2)
        lab.say(.claim(nameplate: name), 3)
        expect(lab.refusal(3), .busy)
        lab.say(.claim(nameplate: "123456789"), 4)
        expect(lab.refusal(4), .unknown)
        #expect(lab.closed == [3, 4])
    }

    @Test("The third wrong code locks the nameplate")
    func lock() {
        var lab = Lab()
        let name = lab.allocate(1)
        for client in UInt64(2)...4 {
            lab.say(.claim(nameplate: name), client)
            lab.say(.relay("a guess", joiner: nil), client)
            lab.say(.failed(joiner: client - 1), 1)
            #expect(lab.closed.contains(client))
        }
        expect(lab.take(1).last, .locked)
        lab.say(.claim(nameplate: name), 5)
        expect(lab.refusal(5), .locked)
    }

    @Test("Who says nothing has not tried, and who had the code clears the others' tries")
    func tries() {
        var lab = Lab()
        let name = lab.allocate(1)
        for client in UInt64(10)..<20 {
            lab.say(.claim(nameplate: name), client)
            lab.leave(client)
        }
        for client in UInt64(20)..<30 {
            lab.say(.claim(nameplate: name), client)
            expect(lab.take(client), [.claimed])
            lab.say(.relay("the code", joiner: nil), client)
            lab.say(.confirmed(joiner: client - 9), 1)
            lab.leave(client)
        }
        // Nobody says that these failed, but nobody says the contrary either.
        for client in UInt64(30)..<33 {
            lab.say(.claim(nameplate: name), client)
            lab.say(.relay("a guess", joiner: nil), client)
            lab.leave(client)
        }
        lab.say(.claim(nameplate: name), 40)
        expect(lab.refusal(40), .locked)
    }

    @Test("What the inviter says to one who has gone does not come to the next, however soon that one is there")
    func numbers() {
        var lab = Lab()
        let name = lab.allocate(1)
        lab.say(.claim(nameplate: name), 2)
        lab.leave(2)
        lab.say(.claim(nameplate: name), 3)
        expect(lab.take(1), [.joined(joiner: 1), .left, .joined(joiner: 2)])
        expect(lab.take(3), [.claimed])
        // All of it was under way when the second came.
        lab.say(.relay("stale", joiner: 1), 1)
        lab.say(.confirmed(joiner: 1), 1)
        lab.say(.failed(joiner: 1), 1)
        lab.say(.relay("from the future", joiner: 3), 1)
        lab.say(.relay("fresh", joiner: 2), 1)
        expect(lab.take(3), [.relay("fresh", joiner: nil)])
        #expect(lab.closed.isEmpty)
        // Nobody may speak without a number for the inviter, or with one for the joiner.
        lab.say(.relay("for whom", joiner: nil), 1)
        expect(lab.refusal(1), .malformed)
        lab.say(.relay("to whom", joiner: 2), 3)
        expect(lab.refusal(3), .malformed)
    }

    @Test("An inviter whose connection broke comes back with its token, and nobody else")
    func reopening() throws {
        var lab = Lab()
        lab.say(.allocate, 1)
        guard case .allocated(let name, let token) = lab.take(1).first else {
            Issue.record("no nameplate")
            return
        }
        lab.say(.claim(nameplate: name), 2)
        lab.leave(1)
        expect(lab.take(2), [.claimed, .left])
        lab.leave(2)
        lab.say(.claim(nameplate: name), 3)
        expect(lab.refusal(3), .absent)
        lab.say(.reopen(nameplate: name, token: token + "x"), 4)
        expect(lab.refusal(4), .unknown)
        lab.say(.reopen(nameplate: name, token: token), 5)
        expect(lab.take(5), [.allocated(nameplate: name, token: token)])
        lab.say(.claim(nameplate: name), 6)
        expect(lab.take(6), [.claimed])
        expect(lab.take(5), [.joined(joiner: 2)])
    }

    @Test("An inviter that stays away loses its nameplate, and time runs out for all")
    func expiry() {
        var lab = Lab()
        let first = lab.allocate(1)
        lab.leave(1)
        lab.pass(.minutes(2))
        lab.say(.claim(nameplate: first), 2)
        expect(lab.refusal(2), .unknown)
        let second = lab.allocate(3)
        lab.pass(.minutes(59))
        lab.say(.claim(nameplate: second), 4)
        expect(lab.take(4), [.claimed])
        lab.pass(.minutes(2))
        expect(lab.refusal(3), .expired)
        expect(lab.refusal(4), .expired)
        #expect(lab.service.count == 0)
    }

    @Test("Who had the code at the end of the hour keeps the nameplate for a day from then")
    func confirmedLifetime() {
        var lab = Lab()
        let name = lab.allocate(1)
        lab.pass(.minutes(59))
        lab.say(.claim(nameplate: name), 2)
        lab.say(.confirmed(joiner: 1), 1)
        lab.pass(TimeAmount.hours(24) - .seconds(1))
        #expect(lab.service.count == 1)
        lab.pass(.seconds(1))
        expect(lab.refusal(1), .expired)
        #expect(lab.service.count == 0)
    }

    @Test("A full server has room as soon as a time is over, whether or not anybody watched the clock")
    func lateClock() {
        var configuration = MailboxConfiguration()
        configuration.maximumNameplates = 2
        var lab = Lab(configuration)
        let name = lab.allocate(1)
        _ = lab.allocate(2)
        lab.now = lab.now + configuration.lifetime
        // One that is over answers nobody, and its inviter is told once.
        lab.say(.relay("late", joiner: 1), 1)
        expect(lab.take(1), [.error(.expired, "the nameplate's time is over")])
        lab.say(.claim(nameplate: name), 3)
        expect(lab.refusal(3), .unknown)
        #expect(lab.closed == [1, 2, 3] || lab.closed == [2, 1, 3])
        #expect(!lab.allocate(4).isEmpty)
    }

    @Test("Who allocates and goes, over and over, keeps nobody out")
    func absentInviters() {
        var configuration = MailboxConfiguration()
        configuration.maximumNameplates = 30
        var lab = Lab(configuration)
        let present = lab.allocate(1)
        for client in UInt64(100)..<20_000 {
            _ = lab.allocate(client)
            lab.leave(client)
        }
        #expect(lab.service.count == 30)
        let name = lab.allocate(2)
        #expect(!name.isEmpty)
        lab.say(.claim(nameplate: present), 3)
        expect(lab.take(3), [.claimed])
        // Those who are there keep all of it.
        for client in UInt64(200_000)..<200_028 { #expect(!lab.allocate(client).isEmpty) }
        lab.say(.allocate, 300_000)
        expect(lab.refusal(300_000), .full)
    }

    @Test("Deadlines that were taken away leave nothing behind", arguments: 0..<8)
    func deadlines(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var queue = DeadlineQueue<Int>()
        var expected: [Int: NIODeadline] = [:]
        for step in 0..<20_000 {
            let key = Int.random(in: 0..<40, using: &random)
            if Bool.random(using: &random) {
                let due = NIODeadline.uptimeNanoseconds(UInt64.random(in: 0..<1_000, using: &random))
                queue.set(due, for: key)
                expected[key] = due
            } else {
                queue.set(nil, for: key)
                expected[key] = nil
            }
            if queue.entryCount > 2 * 40 + 17 {
                Issue.record("seed \(seed), step \(step): \(queue.entryCount) entries")
                return
            }
        }
        for now in UInt64(0)..<1_000 {
            let now = NIODeadline.uptimeNanoseconds(now)
            while let key = queue.popDue(now: now) {
                #expect(expected.removeValue(forKey: key) == now, "seed \(seed)")
            }
        }
        #expect(expected.isEmpty && queue.next == nil, "seed \(seed)")
    }

    @Test("Nameplates, messages and bytes are bounded")
    func limits() {
        var configuration = MailboxConfiguration()
        configuration.maximumNameplates = 30
        configuration.maximumMessageSize = 100
        configuration.maximumBytes = 250
        var lab = Lab(configuration)
        var names: Set<String> = []
        for client in UInt64(1)...30 { names.insert(lab.allocate(client)) }
        #expect(names.count == 30)
        lab.say(.allocate, 31)
        expect(lab.refusal(31), .full)
        let name = names.first ?? ""
        lab.say(.claim(nameplate: name), 40)
        for _ in 0..<2 { lab.say(.relay(String(repeating: "x", count: 100), joiner: nil), 40) }
        expect(lab.take(40), [.claimed])
        lab.say(.relay(String(repeating: "x", count: 100), joiner: nil), 40)
        expect(lab.refusal(40), .excess)
    }

    @Test("What is passed on is as large as counted, also where characters have to be escaped")
    func escapes() {
        var configuration = MailboxConfiguration()
        configuration.maximumMessageSize = 100
        var lab = Lab(configuration)
        let name = lab.allocate(1)
        lab.say(.claim(nameplate: name), 2)
        _ = lab.take(1)
        // One byte each as it comes, six as it goes.
        lab.say("[\"relay\",\"" + String(repeating: "\u{7F}", count: 100) + "\"]", 2)
        expect(lab.take(1), [.left])
        expect(lab.refusal(2), .excess)
    }

    @Test("Whatever a client says, it harms nobody but itself", arguments: 0..<20)
    func hostile(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var lab = Lab()
        let name = lab.allocate(1)
        let texts = [
            "", "{", "[]", "[\"claim\"]", "[\"claim\",\"\(name)\"]", "[\"relay\",\"x\"]", "[\"relay\",\"x\",\"1\"]",
            "[\"relay\",\"x\",\"-1\"]", "[\"confirmed\"]", "[\"confirmed\",\"1\"]", "[\"failed\",\"1\"]",
            "[\"failed\",\"x\"]",
            "[\"allocate\"]", "[\"reopen\",\"\(name)\",\"\"]", "[\"allocated\",\"1\",\"\"]", "[\"joined\"]",
            String(repeating: "[", count: 10_000),
        ]
        for client in UInt64(100)..<200 {
            for _ in 0..<4 {
                guard let text = texts.randomElement(using: &random) else { continue }
                if !lab.closed.contains(client) { lab.say(text, client) }
            }
            if !lab.closed.contains(client) { lab.leave(client) }
        }
        #expect(!lab.closed.contains(1), "seed \(seed)")
        // Nameplates of those who have left wait for them, and not for ever.
        lab.pass(lab.service.configuration.absence)
        #expect(lab.service.count == 1, "seed \(seed)")
    }

    /// What macros cannot call, because it changes the lab.
    private func expect<Value: Equatable>(
        _ value: Value,
        _ expected: Value,
        at place: SourceLocation = #_sourceLocation
    ) {
        #expect(value == expected, sourceLocation: place)
    }

    /// A service whose clients are numbers.
    private struct Lab {
        var service: MailboxService
        var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var closed: [UInt64] = []
        private var inboxes: [UInt64: [MailboxMessage]] = [:]

        init(_ configuration: MailboxConfiguration = MailboxConfiguration()) {
            self.service = MailboxService(configuration: configuration, random: .seeded(7))
        }

        mutating func say(_ message: MailboxMessage, _ client: UInt64) { self.say(message.text, client) }

        mutating func say(_ text: String, _ client: UInt64) {
            self.service.receive(text, from: MailboxService.ClientID(rawValue: client), now: self.now)
            self.drain()
        }

        mutating func leave(_ client: UInt64) {
            self.service.disconnected(MailboxService.ClientID(rawValue: client), now: self.now)
            self.drain()
        }

        mutating func pass(_ time: TimeAmount) {
            self.now = self.now + time
            if let next = self.service.nextTimeout, next <= self.now { self.service.handleTimeout(now: self.now) }
            self.drain()
        }

        mutating func allocate(_ client: UInt64) -> String {
            self.say(.allocate, client)
            guard case .allocated(let name, _) = self.take(client).first else { return "" }
            return name
        }

        /// What a client was told since the last time.
        mutating func take(_ client: UInt64) -> [MailboxMessage] { self.inboxes.removeValue(forKey: client) ?? [] }

        /// The refusal that ended a client's connection.
        mutating func refusal(_ client: UInt64) -> MailboxRefusal? {
            guard self.closed.contains(client), case .error(let refusal, _) = self.take(client).last else { return nil }
            return refusal
        }

        private mutating func drain() {
            while let output = self.service.poll() {
                switch output {
                case .send(let text, let client):
                    if let message = MailboxMessage(text) { self.inboxes[client.rawValue, default: []].append(message) }
                case .close(let client): self.closed.append(client.rawValue)
                }
            }
        }
    }
}
