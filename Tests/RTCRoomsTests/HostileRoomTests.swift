import NIOCore
import RTCBase
import RTCRooms
import Testing

/// A broker spoken to by hand.
struct HandSpokenBroker {
    var broker: RoomBroker
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)

    init(_ configuration: RoomConfiguration = RoomConfiguration()) {
        self.broker = RoomBroker(configuration: configuration, random: .seeded(1))
    }

    mutating func open() -> RoomConnectionID { self.broker.open(now: self.now)! }

    /// Says something; gives what is said back to that channel, and whether it is closed.
    mutating func say(_ text: String, on id: RoomConnectionID) -> (heard: [JSONValue], isClosed: Bool) {
        self.broker.receive(text, from: id, now: self.now)
        var heard: [JSONValue] = []
        var isClosed = false
        while let output = self.broker.poll() {
            switch output {
            case .transmit(id, let text): heard.append(JSONValue(parsing: text)!)
            case .close(id): isClosed = true
            default: break
            }
        }
        return (heard, isClosed)
    }

    mutating func join(_ room: String = "r") -> (RoomConnectionID, welcome: JSONValue) {
        let id = self.open()
        return (id, self.say(#"{"type":"join","room":"\#(room)"}"#, on: id).heard[0])
    }
}

@Suite struct HostileRoomTests {
    @Test(
        "What is no first frame is refused",
        arguments: [
            ("", "bad-message"), ("{", "bad-message"), ("[]", "bad-message"), (#"{"type":"dance"}"#, "bad-message"),
            (#"{"type":"send","number":1,"message":{"type":"data"}}"#, "bad-message"),
            (#"{"type":"join"}"#, "bad-message"), (#"{"type":"join","room":7}"#, "bad-message"),
            (#"{"type":"join","room":"r","metadata":[]}"#, "bad-message"),
            (#"{"type":"join","room":""}"#, "bad-name"), (#"{"type":"join","room":" r"}"#, "bad-name"),
            (#"{"type":"join","room":"a\u0000b"}"#, "bad-name"), (#"{"type":"join","room":"a\u200bb"}"#, "bad-name"),
            (#"{"type":"resume","member":"x"}"#, "bad-message"),
        ]
    )
    func first(text: String, code: String) {
        var hand = HandSpokenBroker()
        let id = hand.open()
        let (heard, isClosed) = hand.say(text, on: id)
        #expect(heard.map { $0["code"]?.stringValue } == [code])
        #expect(isClosed)
        #expect(hand.broker.statistics.connections == 0)
    }

    @Test(
        "What members may not say ends their membership",
        arguments: [
            "nonsense", #"{"type":"join","room":"r"}"#, #"{"type":"ack","received":99}"#,
            #"{"type":"ack","received":-1}"#,
            #"{"type":"send","number":2,"message":{"type":"data"}}"#,
            #"{"type":"send","number":0,"message":{"type":"data"}}"#,
            #"{"type":"send","number":1,"message":"text"}"#,
            #"{"type":"send","number":1,"to":"ü","message":{"type":"data"}}"#,
            #"{"type":"send","number":1e400,"message":{"type":"data"}}"#,
        ]
    )
    func member(text: String) {
        var hand = HandSpokenBroker()
        let (id, _) = hand.join()
        let (heard, isClosed) = hand.say(text, on: id)
        #expect(heard.first?["code"] == "bad-message")
        #expect(isClosed)
        #expect(hand.broker.statistics.members == 0)
    }

    @Test("Nobody goes on as a member without its secret")
    func secret() {
        var hand = HandSpokenBroker()
        let (_, welcome) = hand.join()
        let member = welcome["member"]!.stringValue!
        for token in ["", "x", String(repeating: "0", count: 32)] {
            let id = hand.open()
            let text = #"{"type":"resume","member":"\#(member)","token":"\#(token)","received":0}"#
            #expect(hand.say(text, on: id).heard == [["type": "lost", "reason": "unknown"]])
            // A second guess needs a second channel.
            #expect(hand.say(text, on: id).isClosed)
        }
        let id = hand.open()
        let token = welcome["token"]!.stringValue!
        let future = #"{"type":"resume","member":"\#(member)","token":"\#(token)","received":5}"#
        #expect(hand.say(future, on: id).heard == [["type": "lost", "reason": "unknown"]])
        #expect(hand.broker.statistics.members == 1)
    }

    @Test("Another channel with the secret takes the membership over")
    func takeover() {
        var hand = HandSpokenBroker()
        let (old, welcome) = hand.join()
        let (member, token) = (welcome["member"]!.stringValue!, welcome["token"]!.stringValue!)
        let id = hand.open()
        let text = #"{"type":"resume","member":"\#(member)","token":"\#(token)","received":0}"#
        #expect(hand.say(text, on: id).heard == [["type": "resumed", "received": 0]])
        #expect(hand.say(#"{"type":"leave"}"#, on: old).heard.isEmpty)
        #expect(hand.broker.statistics.members == 1)
        #expect(hand.broker.statistics.connections == 1)
    }

    @Test("Messages sent again are passed on once")
    func duplicates() {
        var hand = HandSpokenBroker()
        let (first, _) = hand.join()
        let (second, _) = hand.join()
        let text = #"{"type":"send","number":1,"message":{"type":"data","data":1}}"#
        for _ in 0..<3 { hand.broker.receive(text, from: first, now: hand.now) }
        var delivered = 0
        while let output = hand.broker.poll() { if case .transmit(second, _) = output { delivered += 1 } }
        #expect(delivered == 1)
    }

    @Test("Who sends too much too fast is removed")
    func rate() {
        var configuration = RoomConfiguration()
        configuration.messageRate = 10
        configuration.messageBurst = 20
        var hand = HandSpokenBroker(configuration)
        let (id, _) = hand.join()
        var number = 0
        func next() -> String {
            number += 1
            return #"{"type":"send","number":\#(number),"message":{"type":"data"}}"#
        }
        for _ in 0..<20 { #expect(!hand.say(next(), on: id).isClosed) }
        hand.now = hand.now + .seconds(1)
        for _ in 0..<10 { #expect(!hand.say(next(), on: id).isClosed) }
        let (heard, isClosed) = hand.say(next(), on: id)
        #expect(heard.last?["code"] == "rate")
        #expect(isClosed)
    }

    @Test("What is kept for members that do not acknowledge is bounded, each and all together")
    func memory() {
        var configuration = RoomConfiguration()
        configuration.maximumKeptBytes = 10_000
        configuration.maximumTotalKeptBytes = 25_000
        configuration.messageBurst = 10_000
        var hand = HandSpokenBroker(configuration)
        let (id, _) = hand.join()
        for _ in 0..<5 { _ = hand.join() }
        let data = String(repeating: "x", count: 900)
        for number in 1...200 {
            _ = hand.say(#"{"type":"send","number":\#(number),"message":{"type":"data","data":"\#(data)"}}"#, on: id)
            #expect(hand.broker.statistics.keptBytes <= 25_000)
        }
        #expect(hand.broker.statistics.members == 6)
    }

    @Test("Messages that are too large end the membership before they are read")
    func size() {
        var configuration = RoomConfiguration()
        configuration.maximumMessageSize = 1_000
        var hand = HandSpokenBroker(configuration)
        let (id, _) = hand.join()
        #expect(hand.say(String(repeating: "[", count: 1_001), on: id).heard.first?["code"] == "too-large")
    }

    @Test("Random frames never trap", arguments: 0..<4)
    func noise(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        let pieces = [
            "{", "}", "[", "]", ":", ",", "\"type\"", "\"join\"", "\"send\"", "\"ack\"", "\"resume\"", "\"room\"",
            "\"number\"", "\"message\"", "\"received\"", "1", "-1", "9223372036854775807", "9223372036854775808",
            "1e99", "null", "true", "\"\\ud800\"", "\"x\"", " ",
        ]
        for _ in 0..<2_000 {
            var hand = HandSpokenBroker()
            let (id, _) = hand.join()
            let count = Int.random(in: 0..<16, using: &random)
            let text = (0..<count).map { _ in pieces.randomElement(using: &random)! }.joined()
            _ = hand.say(text, on: id)
        }
    }
}
