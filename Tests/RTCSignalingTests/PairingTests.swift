import RTCBase
import RTCSignaling
import Testing

@Suite struct PairingTests {
    @Test("A code is a number and a word of each list, and is read as people type it")
    func codes() throws {
        var random = RandomSource.seeded(1)
        var seen: Set<PairingCode> = []
        for _ in 0..<200 {
            let code = PairingCode(nameplate: "7", random: &random)
            seen.insert(code)
            #expect(try PairingCode(code.description) == code)
        }
        #expect(seen.count > 190)
        #expect(try PairingCode(" 7 Crossword-GUITAR ").description == "7-crossword-guitar")
        #expect(throws: PairingCode.Problem.unknownWord("guitarr")) { try PairingCode("7-crossword-guitarr") }
        #expect(throws: PairingCode.Problem.unknownWord("guitar")) { try PairingCode("7-guitar-crossword") }
        for text in ["", "7", "7-crossword", "x-crossword-guitar", "7-crossword-guitar-more", "1234567890-a-b"] {
            #expect(throws: PairingCode.Problem.malformed) { try PairingCode(text) }
        }
    }

    @Test("Who has the code is paired, and messages arrive in their order")
    func pairing() throws {
        var wire = try Wire("7-crossword-guitar", "7-crossword-guitar")
        wire.run()
        #expect(wire.inviter.isPaired && wire.joiner.isPaired)
        for number in 0..<3 {
            wire.inviter.send(["from the inviter", String(number)])
            wire.joiner.send(["\u{0}\"\\ ünïcode 文", String(number)])
        }
        wire.run()
        #expect(wire.atJoiner == (0..<3).map { ["from the inviter", String($0)] })
        #expect(wire.atInviter == (0..<3).map { ["\u{0}\"\\ ünïcode 文", String($0)] })
        #expect(!wire.carried.contains { $0.contains("inviter") || $0.contains("文") })
    }

    @Test("Who has another code is refused, and both know why")
    func wrongCode() throws {
        var wire = try Wire("7-crossword-guitar", "7-crossword-violin")
        wire.run()
        #expect(wire.inviterFailure == .wrongCode && wire.joinerFailure == .wrongCode)
        #expect(!wire.inviter.isPaired && !wire.joiner.isPaired)
        // The inviter's confirmation is only for who has the code.
        #expect(wire.carried.filter { $0.contains("confirm") }.count == 1)
    }

    @Test("Whatever is altered, repeated, dropped or put in another order is noticed", arguments: 0..<60)
    func meddling(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        let victim = Int.random(in: 0..<10, using: &random)
        let kind = Int.random(in: 0..<4, using: &random)
        var wire = try Wire("7-crossword-guitar", "7-crossword-guitar")
        var number = 0
        var held: String?
        wire.meddle = { text in
            defer { number += 1 }
            if let kept = held {
                held = nil
                return [text, kept]
            }
            guard number == victim else { return [text] }
            switch kind {
            case 0:
                var bytes = Array(text.utf8)
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = bytes[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
                return [String(decoding: bytes, as: UTF8.self)]
            case 1: return [text, text]
            case 2: return []
            default:
                held = text
                return []
            }
        }
        wire.run()
        for index in 0..<4 {
            wire.inviter.send(["a", String(index)])
            wire.joiner.send(["b", String(index)])
            wire.run()
        }
        // What came through is what was sent, in its order, from the first on.
        let fromInviter = (0..<4).map { ["a", String($0)] }
        let fromJoiner = (0..<4).map { ["b", String($0)] }
        #expect(wire.atJoiner == Array(fromInviter.prefix(wire.atJoiner.count)), "seed \(seed)")
        #expect(wire.atInviter == Array(fromJoiner.prefix(wire.atInviter.count)), "seed \(seed)")
        // And the harm was noticed, unless it held back an end.
        let isComplete = wire.atJoiner.count == 4 && wire.atInviter.count == 4
        #expect(!isComplete || kind != 0, "seed \(seed)")
    }

    @Test("A server that puts itself between the two with keys of its own is noticed")
    func manInTheMiddle() throws {
        let code = try PairingCode("7-crossword-guitar")
        let guess = try PairingCode("7-crossword-violin")
        var inviter = try #require(PairingSession(.inviter, code: code))
        var joiner = try #require(PairingSession(.joiner, code: code))
        var falseInviter = try #require(PairingSession(.inviter, code: guess))
        var falseJoiner = try #require(PairingSession(.joiner, code: guess))
        var failures: [PairingSession.Failure] = []
        for _ in 0..<4 {
            while let output = inviter.poll() {
                if case .transmit(let text) = output { falseJoiner.receive(text) }
                if case .failed(let failure) = output { failures.append(failure) }
            }
            while let output = falseJoiner.poll() { if case .transmit(let text) = output { inviter.receive(text) } }
            while let output = joiner.poll() {
                if case .transmit(let text) = output { falseInviter.receive(text) }
                if case .failed(let failure) = output { failures.append(failure) }
            }
            while let output = falseInviter.poll() { if case .transmit(let text) = output { joiner.receive(text) } }
        }
        #expect(failures == [.wrongCode, .wrongCode])
        #expect(!inviter.isPaired && !joiner.isPaired)
    }

    @Test("Anything else ends the session and nothing more")
    func hostile() throws {
        let code = try PairingCode("7-crossword-guitar")
        let long = "[\"share\",\"" + String(repeating: "A", count: PairingSession.maximumTextSize) + "\"]"
        for text in [
            "", "[]", "share", "[\"share\"]", "[\"share\",\"?\"]", "[\"share\",\"AA==\"]", "[\"sealed\",\"\"]", long,
        ] {
            var session = try #require(PairingSession(.inviter, code: code))
            _ = session.poll()
            session.receive(text)
            let first = session.poll()
            session.receive(text)
            let second = session.poll()
            #expect(first == .failed(.protocolViolation) && second == nil)
        }
    }

    /// Two sessions and who carries their messages.
    private struct Wire {
        var inviter: PairingSession
        var joiner: PairingSession
        var atInviter: [[String]] = []
        var atJoiner: [[String]] = []
        var inviterFailure: PairingSession.Failure?
        var joinerFailure: PairingSession.Failure?
        var carried: [String] = []
        var meddle: (String) -> [String] = { [$0] }

        init(_ left: String, _ right: String) throws {
            self.inviter = try #require(PairingSession(.inviter, code: PairingCode(left)))
            self.joiner = try #require(PairingSession(.joiner, code: PairingCode(right)))
        }

        mutating func run() {
            var isBusy = true
            while isBusy {
                isBusy = false
                while let output = self.inviter.poll() {
                    isBusy = true
                    switch output {
                    case .transmit(let text): for each in self.carry(text) { self.joiner.receive(each) }
                    case .message(let message): self.atInviter.append(message)
                    case .failed(let failure): self.inviterFailure = failure
                    case .paired: break
                    }
                }
                while let output = self.joiner.poll() {
                    isBusy = true
                    switch output {
                    case .transmit(let text): for each in self.carry(text) { self.inviter.receive(each) }
                    case .message(let message): self.atJoiner.append(message)
                    case .failed(let failure): self.joinerFailure = failure
                    case .paired: break
                    }
                }
            }
        }

        private mutating func carry(_ text: String) -> [String] {
            self.carried.append(text)
            return self.meddle(text)
        }
    }
}
