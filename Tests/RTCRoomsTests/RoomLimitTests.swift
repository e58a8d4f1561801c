import NIOCore
import RTCBase
import RTCRooms
import RTCSignaling
import Testing

/// What one member can make the server tell others, and what it costs whom.
@Suite struct RoomLimitTests {
    static func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    @Test("Metadata that others could not read is refused, and what is taken everybody can read")
    func metadataDepth() throws {
        for depth in 2...31 {
            var hand = HandSpokenBroker()
            let id = hand.open()
            let text = #"{"type":"join","room":"r","metadata":{"a":\#(Self.nested(depth - 1))}}"#
            let heard = hand.say(text, on: id).heard
            guard depth <= JSONValue.maximumDepth - 4 else {
                #expect(heard.map { $0["code"]?.stringValue } == ["too-large"])
                continue
            }
            #expect(heard.first?["type"] == "welcome")
            // Reads what it hears, or traps.
            #expect(hand.join().welcome["members"]?.arrayValue?.count == 1)
        }
    }

    @Test("The owner's metadata has the same limits")
    func ownersMetadata() throws {
        var configuration = RoomConfiguration()
        configuration.asks = true
        var hand = HandSpokenBroker(configuration)
        let id = hand.open()
        #expect(hand.say(#"{"type":"join","room":"r"}"#, on: id).heard.isEmpty)
        let deep = try #require(JSONValue(parsing: #"{"a":\#(Self.nested(30))}"#))
        hand.broker.answer(id, .allow(metadata: deep), now: hand.now)
        var texts: [String] = []
        while let output = hand.broker.poll() { if case .transmit(id, let text) = output { texts.append(text) } }
        #expect(texts.count == 1 && texts[0].contains("too-large"))
        #expect(hand.broker.statistics.members == 0)
    }

    @Test("The deepest message that a client may send arrives, and a deeper one is its own mistake")
    func messageDepth() throws {
        var world = RoomWorld(seed: 21)
        _ = (world.add(), world.add())
        world.run(for: .seconds(1))
        let deepest = try #require(JSONValue(parsing: Self.nested(30)))
        try world.send(deepest, from: 0)
        world.run(for: .seconds(1))
        #expect(world.data(1) == [deepest])
        #expect(throws: RoomError.messageTooDeep) { try world.send([deepest], from: 0) }
        world.run(for: .seconds(5))
        #expect(world.broker.statistics.members == 2)
    }

    @Test("What others get is never larger than a message may be", arguments: [-400, -100, -33, -32, -31, -10, 0])
    func messageSize(rest: Int) throws {
        var configuration = RoomConfiguration()
        configuration.maximumMessageSize = 10_000
        var hand = HandSpokenBroker(configuration)
        let (first, _) = hand.join()
        let (second, _) = hand.join()
        let head = #"{"type":"send","number":1,"message":{"type":"data","data":""#
        let text = head + String(repeating: "x", count: 10_000 + rest - head.utf8.count - 3) + "\"}}"
        hand.broker.receive(text, from: first, now: hand.now)
        var largest = 0
        while let output = hand.broker.poll() {
            if case .transmit(second, let text) = output { largest = max(largest, text.utf8.count) }
        }
        #expect(largest > 0 && largest <= 10_000)
        #expect(hand.broker.statistics.members == (rest <= -100 ? 2 : 1))
    }

    @Test("Numbers written short do not grow beyond the limit on the way")
    func growth() throws {
        var configuration = RoomConfiguration()
        configuration.maximumMessageSize = 10_000
        for number in ["1e5", "1e15", "-1e9", "1e-4", "5e-324"] {
            var hand = HandSpokenBroker(configuration)
            let (first, _) = hand.join()
            let (second, _) = hand.join()
            let numbers = Array(repeating: number, count: 9_800 / (number.utf8.count + 1)).joined(separator: ",")
            hand.broker.receive(
                #"{"type":"send","number":1,"message":{"type":"data","data":[\#(numbers)]}}"#,
                from: first,
                now: hand.now
            )
            while let output = hand.broker.poll() {
                if case .transmit(second, let text) = output { #expect(text.utf8.count <= 10_000, "\(number)") }
            }
        }
    }

    @Test("A welcome that no client could take is refused")
    func welcomeSize() throws {
        var configuration = RoomConfiguration()
        configuration.maximumMessageSize = 4_000
        configuration.maximumMetadataSize = 1_000
        var hand = HandSpokenBroker(configuration)
        let join = #"{"type":"join","room":"r","metadata":{"a":"\#(String(repeating: "x", count: 900))"}}"#
        var codes: [String?] = []
        for _ in 0..<6 { codes.append(hand.say(join, on: hand.open()).heard.first?["code"]?.stringValue) }
        #expect(codes == [nil, nil, nil, nil, "room-full", "room-full"])
    }

    @Test("What nobody may have is refused before the owner is asked")
    func beforeAsking() throws {
        var configuration = RoomConfiguration()
        configuration.asks = true
        let long = String(repeating: "x", count: 9_000)
        for text in [
            #"{"type":"join","room":"r","credential":"\#(long)"}"#,
            #"{"type":"join","room":"r","metadata":{"a":"\#(long)"}}"#,
        ] {
            var hand = HandSpokenBroker(configuration)
            let (heard, isClosed) = hand.say(text, on: hand.open())
            #expect(heard.first?["code"] == "too-large")
            #expect(isClosed)
        }
    }

    @Test("Acknowledgements of what is new cost no messages, those of what is old do")
    func acknowledgements() throws {
        var configuration = RoomConfiguration()
        configuration.messageRate = 1
        configuration.messageBurst = 4
        var hand = HandSpokenBroker(configuration)
        let (victim, _) = hand.join()
        for number in 1...50 {
            _ = hand.join()
            #expect(!hand.say(#"{"type":"ack","received":\#(number)}"#, on: victim).isClosed)
        }
        for _ in 0..<4 { #expect(!hand.say(#"{"type":"ack","received":50}"#, on: victim).isClosed) }
        #expect(hand.say(#"{"type":"ack","received":50}"#, on: victim).heard.last?["code"] == "rate")
    }

    @Test("Who sent at about the same time is told by one wake-up that it came, and within bounds")
    func sharedAcknowledgements() throws {
        var hand = HandSpokenBroker()
        let members = (0..<20).map { _ in hand.join().0 }
        let first = hand.now
        for member in members {
            hand.now = hand.now + .milliseconds(2)
            _ = hand.say(#"{"type":"send","number":1,"message":{"type":"data","data":1}}"#, on: member)
        }
        let due = try #require(hand.broker.nextTimeout)
        #expect(due >= first + .seconds(1))
        #expect(due <= hand.now + .milliseconds(1_050))
        hand.broker.handleTimeout(now: due)
        var told: Set<RoomConnectionID> = []
        while let output = hand.broker.poll() {
            if case .transmit(let id, #"{"type":"ack","received":1}"#) = output { told.insert(id) }
        }
        #expect(told == Set(members))
        #expect(hand.broker.nextTimeout == nil)
    }

    @Test("Beyond what is kept for all, those for whom most is kept lose it, and nobody else")
    func fairness() throws {
        var configuration = RoomConfiguration()
        configuration.maximumTotalKeptBytes = 20_000
        configuration.maximumKeptBytes = 30_000
        var hand = HandSpokenBroker(configuration)
        let (sender, _) = hand.join("quiet")
        let (_, welcome) = hand.join("quiet")
        let (loud, _) = hand.join("loud")
        _ = hand.join("loud")
        func message(_ number: Int, _ count: Int) -> String {
            let data = String(repeating: "x", count: count)
            return #"{"type":"send","number":\#(number),"message":{"type":"data","data":"\#(data)"}}"#
        }
        for number in 1...19 { _ = hand.say(message(number, 900), on: loud) }
        for number in 1...2 { _ = hand.say(message(number, 1_000), on: sender) }
        #expect(hand.broker.statistics.keptBytes <= 20_000)
        // The quiet one still goes on.
        let (member, token) = (welcome["member"]!.stringValue!, welcome["token"]!.stringValue!)
        let resume = #"{"type":"resume","member":"\#(member)","token":"\#(token)","received":0}"#
        #expect(
            hand.say(resume, on: hand.open()).heard.map { $0["type"]?.stringValue } == [
                "resumed", "message", "message",
            ]
        )
    }

    @Test("A client passes over frames that it does not know, and counts their numbers")
    func unknownFrames() throws {
        var session = RoomSession(room: RoomName("r")!, random: .seeded(1))
        let now = NIODeadline.uptimeNanoseconds(1)
        session.start(now: now)
        session.channelOpened(1, now: now)
        for text in [
            #"{"type":"news"}"#, #"{"type":"welcome","member":"me","token":"t","members":[],"resumeMilliseconds":1}"#,
            #"{"type":"news","number":1}"#, #"{"type":"news"}"#,
            #"{"type":"joined","number":2,"member":{"id":"other"}}"#,
        ] { session.receive(text, from: 1, now: now) }
        #expect(session.members.map(\.id.text) == ["other"])
        #expect(session.unknownMessages == 3)
        // A known one must be right.
        session.receive(#"{"type":"joined","number":3,"member":{}}"#, from: 1, now: now)
        var wasInterrupted = false
        while let output = session.poll() { if case .event(.interrupted) = output { wasInterrupted = true } }
        #expect(wasInterrupted)
    }

    @Test("What cannot be taken is asked for more and more slowly, though each channel is welcome")
    func poison() throws {
        var session = RoomSession(room: RoomName("r")!, random: .seeded(2))
        var now = NIODeadline.uptimeNanoseconds(1)
        session.start(now: now)
        let welcome = #"{"type":"welcome","member":"me","token":"t","members":[],"resumeMilliseconds":1}"#
        var waits: [TimeAmount] = []
        for channel in 1...10 {
            session.channelOpened(channel, now: now)
            session.receive(channel == 1 ? welcome : #"{"type":"resumed","received":0}"#, from: channel, now: now)
            session.receive("poison", from: channel, now: now)
            let due = try #require(session.nextTimeout)
            waits.append(due - now)
            now = due
            session.handleTimeout(now: now)
        }
        #expect((waits.last ?? .zero) >= .milliseconds(7_500), "\(waits)")
        // After something of use it is quick again.
        session.channelOpened(11, now: now)
        session.receive(#"{"type":"resumed","received":0}"#, from: 11, now: now)
        session.receive(#"{"type":"message","number":1,"from":"a","message":{"type":"data"}}"#, from: 11, now: now)
        session.channelFailed(11, .closed(code: nil, reason: ""), now: now)
        #expect(try #require(session.nextTimeout) - now <= .milliseconds(250))
    }
}
