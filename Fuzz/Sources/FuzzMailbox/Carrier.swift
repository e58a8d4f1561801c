import FuzzInput
import RTCSignaling

/// Somebody who carries the messages of two sides, as they are or otherwise.
struct Carrier {
    private struct Side {
        var session: PairingSession
        /// What the other side said that was not delivered yet.
        var incoming: [String] = []
        /// All that ever came in, for somebody to repeat.
        var seen: [String] = []
        var sent: [[String]] = []
        var received: [[String]] = []
        var hasFailed = false
    }

    private var sides: [Side]
    private var isHonest = true

    init() {
        let code = PairingCode(nameplate: "7", words: "crossword-guitar")
        self.sides = [PairingSession.Role.inviter, .joiner].map { role in
            guard let session = PairingSession(role, code: code) else { fatalError("no session") }
            return Side(session: session)
        }
    }

    mutating func run(_ input: inout FuzzInput) {
        self.drain()
        for _ in 0..<48 where !input.isEmpty { self.step(&input) }
        for side in 0...1 {
            let other = self.sides[1 - side]
            // Whatever was done in between: what is taken is what was said, in its order and without gaps.
            require(other.sent.starts(with: self.sides[side].received), "something that nobody said")
            require(!self.isHonest || !self.sides[side].hasFailed, "an honest exchange failed")
        }
    }

    private mutating func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        let side = Int(kind & 1)
        switch kind >> 1 & 7 {
        case 0, 1, 2:
            guard !self.sides[side].incoming.isEmpty else { return }
            self.deliver(self.sides[side].incoming.removeFirst(), to: side)
        case 3:
            let message = [String(decoding: input.run(), as: UTF8.self)]
            if self.sides[side].session.isPaired { self.sides[side].sent.append(message) }
            self.sides[side].session.send(message)
        case 4:
            self.isHonest = false
            self.deliver(String(decoding: input.run(), as: UTF8.self), to: side)
        case 5: self.alter(&input, side)
        case 6:
            // Again, or back to who said it.
            guard !self.sides[Int(kind >> 4 & 1)].seen.isEmpty else { return }
            self.isHonest = false
            let seen = self.sides[Int(kind >> 4 & 1)].seen
            self.deliver(seen[Int(input.byte()) % seen.count], to: side)
        default:
            guard self.sides[side].incoming.count > 1 else { return }
            self.isHonest = false
            self.sides[side].incoming.removeFirst()
        }
        self.drain()
    }

    /// Delivers the next text with a byte that is another.
    private mutating func alter(_ input: inout FuzzInput, _ side: Int) {
        guard let text = self.sides[side].incoming.first else { return }
        var bytes = Array(text.utf8)
        let index = Int(input.byte()) % bytes.count
        let byte = input.byte()
        if bytes[index] != byte { self.isHonest = false }
        bytes[index] = byte
        self.sides[side].incoming.removeFirst()
        self.deliver(String(decoding: bytes, as: UTF8.self), to: side)
    }

    private mutating func deliver(_ text: String, to side: Int) {
        self.sides[side].session.receive(text)
        self.drain()
    }

    private mutating func drain() {
        for side in 0...1 {
            while let output = self.sides[side].session.poll() {
                require(!self.sides[side].hasFailed, "something follows the end")
                switch output {
                case .transmit(let text):
                    self.sides[1 - side].incoming.append(text)
                    self.sides[1 - side].seen.append(text)
                case .message(let message): self.sides[side].received.append(message)
                case .failed:
                    self.sides[side].hasFailed = true
                    require(!self.sides[side].session.isPaired, "paired after the end")
                case .paired: break
                }
            }
        }
    }
}
