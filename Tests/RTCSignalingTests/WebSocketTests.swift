import NIOCore
import RTCBase
import RTCSignaling
import Testing

/// A server's connection with what it gave out, fed with frames as a client would send them.
struct ServedWebSocket {
    var connection: WebSocketConnection
    var sent = ByteBuffer()
    var messages: [WebSocketMessage] = []
    var closure: WebSocketClosure?
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    init(_ change: (inout WebSocketConfiguration) -> Void = { _ in }) {
        var configuration = WebSocketConfiguration()
        change(&configuration)
        self.connection = WebSocketConnection(configuration: configuration, now: self.now)
    }

    mutating func receive(_ bytes: [UInt8]) {
        self.connection.receive(ByteBuffer(bytes: bytes), now: self.now)
        self.drain()
    }

    mutating func pass(_ time: TimeAmount) {
        self.now = self.now + time
        self.connection.handleTimeout(now: self.now)
        self.drain()
    }

    mutating func drain() {
        while let output = self.connection.poll() {
            switch output {
            case .transmit(let bytes): self.sent.writeImmutableBuffer(bytes)
            case .message(let message): self.messages.append(message)
            case .closed(let closure):
                #expect(self.closure == nil, "closed twice")
                self.closure = closure
            }
        }
    }

    /// A frame of a client, masked with a key that is not the same in any two bytes.
    static func frame(_ first: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        var bytes = [first]
        switch payload.count {
        case ...125: bytes.append(0x80 | UInt8(payload.count))
        case ...0xFFFF: bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [0xFF] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
    }

    static func text(_ text: String, first: UInt8 = 0x81) -> [UInt8] { Self.frame(first, Array(text.utf8)) }
}

@Suite struct WebSocketTests {
    typealias Served = ServedWebSocket

    @Test("The RFC's masked Hello is read, and sent back unmasked")
    func hello() {
        var served = Served()
        served.receive([0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58])
        #expect(served.messages == [.text("Hello")])
        served.connection.send(.text("Hello"))
        served.drain()
        #expect(Array(served.sent.readableBytesView) == [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f])
    }

    @Test("Messages of every form of length come through, cut anywhere", arguments: [0, 1, 125, 126, 0xFFFF, 0x10000])
    func lengths(size: Int) {
        let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let frame = Served.frame(0x82, payload)
        for cut in [1, 2, 5, 9, frame.count / 2] where cut < frame.count {
            var served = Served()
            served.receive(Array(frame[..<cut]))
            #expect(served.messages.isEmpty)
            served.receive(Array(frame[cut...]) + Served.text("next"))
            #expect(served.messages == [.binary(ByteBuffer(bytes: payload)), .text("next")])
        }
    }

    @Test("Fragments are put together, with control frames between them")
    func fragments() {
        var served = Served()
        // The middle of "é" is the end of the first fragment.
        served.receive(Served.frame(0x01, [0x61, 0xC3]) + Served.frame(0x89, [1, 2]))
        #expect(Array(served.sent.readableBytesView) == [0x8A, 2, 1, 2])
        served.receive(Served.frame(0x00) + Served.frame(0x80, [0xA9]))
        #expect(served.messages == [.text("aé")])
        #expect(served.closure == nil)
    }

    @Test(
        "What breaks the protocol closes with the RFC's code",
        arguments: [
            ("a reserved bit", Served.frame(0xC1), 1002),
            ("a reserved opcode", Served.frame(0x83), 1002),
            ("a reserved control opcode", Served.frame(0x8B), 1002),
            ("a frame without a mask", [0x81, 0x01, 0x61], 1002),
            ("a ping in pieces", Served.frame(0x09), 1002),
            ("a long ping", Served.frame(0x89, Array(repeating: 0, count: 126)), 1002),
            ("a length of 16 bits that needs 7", [0x82, 0xFE, 0, 125, 0, 0, 0, 0], 1002),
            ("a length of 64 bits that needs 16", [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 0, 0], 1002),
            ("a length with its first bit set", [0x82, 0xFF, 0x80, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0], 1002),
            ("a continuation of nothing", Served.frame(0x80, [1]), 1002),
            ("a message inside a message", Served.frame(0x01) + Served.frame(0x81), 1002),
            ("a close of one byte", Served.frame(0x88, [3]), 1002),
            ("a close with 1005", Served.frame(0x88, [0x03, 0xED]), 1002),
            ("a close with 999", Served.frame(0x88, [0x03, 0xE7]), 1002),
            ("a close with 2999", Served.frame(0x88, [0x0B, 0xB7]), 1002),
            ("a close with 5000", Served.frame(0x88, [0x13, 0x88]), 1002),
            ("a close whose reason is not text", Served.frame(0x88, [0x03, 0xE8, 0xFF]), 1007),
            ("text with a lone continuation", Served.frame(0x81, [0x80]), 1007),
            ("overlong text", Served.frame(0x81, [0xC0, 0xAF]), 1007),
            ("overlong text of three bytes", Served.frame(0x81, [0xE0, 0x80, 0xAF]), 1007),
            ("a surrogate in text", Served.frame(0x81, [0xED, 0xA0, 0x80]), 1007),
            ("text above Unicode", Served.frame(0x81, [0xF4, 0x90, 0x80, 0x80]), 1007),
            ("text that ends inside a character", Served.frame(0x81, [0xE2, 0x82]), 1007),
        ] as [(String, [UInt8], Int)]
    )
    func broken(name: String, bytes: [UInt8], code: Int) {
        var served = Served()
        served.receive(bytes + Served.text("too late"))
        #expect(served.closure?.code.rawValue == UInt16(code), "\(name)")
        #expect(served.closure?.origin == .failure, "\(name)")
        #expect(served.messages.isEmpty, "\(name)")
        let close: [UInt8] = [0x88, 2, UInt8(code >> 8), UInt8(code & 0xFF)]
        #expect(Array(served.sent.readableBytesView) == close, "\(name)")
    }

    @Test("Broken text is found before its frame is there as a whole")
    func textFailsAtOnce() {
        var served = Served()
        let frame = Served.frame(0x81, [0x61, 0xC3, 0x28] + Array(repeating: 0x61, count: 50_000))
        served.receive(Array(frame.prefix(12)))
        #expect(served.closure?.code == .invalidPayload)
    }

    @Test("What is too large is refused by its header, also when the message grew by fragments")
    func limits() {
        var served = Served { $0.maximumFrameSize = 10 }
        served.receive(Array(Served.frame(0x82, Array(repeating: 0, count: 11)).prefix(6)))
        #expect(served.closure?.code == .messageTooBig)
        served = Served { $0.maximumMessageSize = 10 }
        served.receive(Served.frame(0x02, Array(repeating: 0, count: 6)))
        #expect(served.closure == nil)
        served.receive(Array(Served.frame(0x80, Array(repeating: 0, count: 5)).prefix(6)))
        #expect(served.closure?.code == .messageTooBig)
    }

    @Test("A close is answered with its code, and nothing is taken after")
    func closeByPeer() {
        var served = Served()
        served.receive(Served.frame(0x88, [0x0F, 0xA0] + Array("bye".utf8)) + Served.text("late"))
        #expect(served.closure == WebSocketClosure(origin: .peer, code: .init(rawValue: 4000), reason: "bye"))
        #expect(Array(served.sent.readableBytesView) == [0x88, 2, 0x0F, 0xA0])
        #expect(served.messages.isEmpty)
        #expect(served.connection.nextTimeout == nil)
    }

    @Test("A close of this side waits for the answer, and not for ever")
    func closeHere() {
        for answers in [true, false] {
            var served = Served()
            served.connection.close(
                code: .init(rawValue: 1005),
                reason: String(repeating: "é", count: 100),
                now: served.now
            )
            served.drain()
            #expect(served.closure == nil)
            #expect(!served.connection.isOpen)
            // 1005 may not be sent; the reason is cut between characters.
            #expect(Array(served.sent.readableBytesView.prefix(4)) == [0x88, 124, 0x03, 0xE8])
            served.receive(Served.text("on its way"))
            #expect(served.messages.isEmpty)
            if answers { served.receive(Served.frame(0x88, [0x03, 0xE8])) } else { served.pass(.seconds(5)) }
            #expect(served.closure?.origin == .local)
            #expect(served.closure?.code == .normal)
        }
    }

    @Test("Silence is asked about with pings, and ends the connection")
    func silence() {
        var served = Served { $0.heartbeatText = "h" }
        #expect(served.connection.nextTimeout == served.now + .seconds(25))
        served.pass(.seconds(25))
        #expect(Array(served.sent.readableBytesView) == [0x89, 0, 0x81, 1, UInt8(ascii: "h")])
        served.receive(Served.frame(0x8A))
        served.pass(.seconds(59))
        #expect(served.closure == nil)
        served.pass(.seconds(1))
        #expect(served.closure == WebSocketClosure(origin: .failure, code: .abnormal, reason: "silent for too long"))
    }

    @Test("A peer that reads nothing is cut off, whether by messages or by its own pings")
    func slowReader() {
        var served = Served { $0.maximumUnsentBytes = 1000 }
        for _ in 0..<10 { served.connection.send(.binary(ByteBuffer(repeating: 0, count: 100))) }
        served.drain()
        #expect(served.closure?.origin == .failure)
        served = Served { $0.maximumUnsentBytes = 1000 }
        for _ in 0..<100 { served.receive(Served.frame(0x89, Array(repeating: 1, count: 100))) }
        #expect(served.closure?.code == .abnormal)
        #expect(served.sent.readableBytes <= 1000)
        served = Served { $0.maximumUnsentBytes = 1000 }
        for _ in 0..<100 {
            served.receive(Served.frame(0x89, Array(repeating: 1, count: 100)))
            served.connection.didTransmit(102)
        }
        #expect(served.closure == nil)
    }

    @Test("A connection that ends without a close frame says so")
    func end() {
        var served = Served()
        served.connection.receiveEnd(now: served.now)
        served.drain()
        #expect(served.closure == WebSocketClosure(origin: .peer, code: .abnormal, reason: ""))
    }

    @Test("A server that does not want messages yet keeps them for a while after the client is gone, a client for good")
    func endUnread() {
        var served = Served { $0.pingInterval = nil }
        served.connection.setReading(false, now: served.now)
        served.receive(Served.text("unread"))
        served.connection.receiveEnd(now: served.now)
        served.drain()
        #expect(served.connection.nextTimeout == served.now + served.connection.configuration.closeTimeout)
        served.pass(served.connection.configuration.closeTimeout - .nanoseconds(1))
        #expect(served.closure == nil)
        served.pass(.nanoseconds(1))
        #expect(served.closure == WebSocketClosure(origin: .peer, code: .abnormal, reason: ""))
        #expect(served.connection.nextTimeout == nil)
        let now = served.now
        var client = WebSocketConnection(role: .client, random: .seeded(1), now: now)
        client.setReading(false, now: now)
        client.receive(ByteBuffer(bytes: [0x81, 1, UInt8(ascii: "x")]), now: now)
        client.receiveEnd(now: now)
        #expect(client.nextTimeout == nil)
        client.setReading(true, now: now)
        #expect(client.poll() == .message(.text("x")))
        #expect(client.poll() == .closed(WebSocketClosure(origin: .peer, code: .abnormal, reason: "")))
    }

    @Test("Client and server understand each other, and a server refuses a server's frames")
    func bothRoles() {
        let now = NIODeadline.uptimeNanoseconds(0)
        var client = WebSocketConnection(role: .client, random: .seeded(1), now: now)
        var server = WebSocketConnection(now: now)
        client.send(.text("ünïcode"))
        client.close(code: .goingAway, reason: "left", now: now)
        var heard: [WebSocketMessage] = []
        while case .transmit(let bytes)? = client.poll() { server.receive(bytes, now: now) }
        while let output = server.poll() {
            switch output {
            case .transmit(let bytes): client.receive(bytes, now: now)
            case .message(let message): heard.append(message)
            case .closed(let closure): #expect(closure.code == .goingAway && closure.reason == "left")
            }
        }
        #expect(heard == [.text("ünïcode")])
        #expect(client.poll() == .closed(WebSocketClosure(origin: .local, code: .goingAway, reason: "left")))
    }

    @Test(
        "Text is taken exactly if Swift takes it for UTF-8, wherever it is cut",
        arguments: [UInt64.random(in: 0...UInt64.max)]
    )
    func textAgrees(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        let scalars = ["a", "é", "€", "😀", "plain ascii of some length", "\u{7FF}\u{800}\u{FFFF}\u{10000}\u{10FFFF}"]
        var counts = (good: 0, bad: 0)
        for _ in 0..<1000 {
            var text = (0..<Int.random(in: 1...8, using: &random)).flatMap { _ in
                Array((scalars.randomElement(using: &random) ?? "").utf8)
            }
            if Bool.random(using: &random) {
                text[Int.random(in: text.indices, using: &random)] = UInt8.random(in: 0x70...0xFF, using: &random)
            }
            let expected = String(validating: text, as: UTF8.self)
            let cut = Int.random(in: 0...text.count, using: &random)
            var served = Served()
            served.receive(Served.frame(0x01, Array(text[..<cut])) + Served.frame(0x80, Array(text[cut...])))
            #expect(served.messages == (expected.map { [.text($0)] } ?? []))
            if expected == nil { counts.bad += 1 } else { counts.good += 1 }
        }
        #expect(counts.good > 100 && counts.bad > 100)
    }

    @Test("Random bytes and damaged frames never trap", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        for _ in 0..<2000 {
            var served = Served()
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let first = ([0x81, 0x01, 0x80, 0x00, 0x89, 0x88, 0x82] as [UInt8]).randomElement(using: &random) ?? 0
                bytes += Served.frame(first, random.bytes(count: Int.random(in: 0...200, using: &random)))
            }
            bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << UInt8.random(in: 0...7, using: &random)
            let cut = Int.random(in: bytes.indices, using: &random)
            served.receive(Array(bytes[..<cut]))
            served.receive(Array(bytes[cut...]))
        }
    }
}
