import NIOCore
import RTCBase
import RTCRooms
import RTCSignaling
import Testing

/// A member spoken to by hand, in a server's place.
@Suite struct HostileServerTests {
    private struct Hand {
        var session: RoomSession
        let now = NIODeadline.uptimeNanoseconds(1_000_000_000)
        var isOver = false
        var closed: [Int] = []

        init(_ configuration: RoomClientConfiguration = RoomClientConfiguration()) {
            self.session = RoomSession(room: RoomName("r")!, configuration: configuration, random: .seeded(1))
            self.session.start(now: self.now)
            self.session.channelOpened(1, now: self.now)
        }

        mutating func say(_ text: String) {
            self.session.receive(text, from: 1, now: self.now)
            while let output = self.session.poll() {
                switch output {
                case .close(let channel): self.closed.append(channel)
                case .event(.ended(.unreachable(.protocolViolation))): self.isOver = true
                case .open, .transmit, .event: break
                }
            }
        }

        mutating func welcome(_ members: [String] = []) {
            let list = members.map { #"{"id":"\#($0)"}"# }.joined(separator: ",")
            self.say(#"{"type":"welcome","member":"me","token":"t","members":[\#(list)],"resumeMilliseconds":1}"#)
        }

        mutating func join(_ id: String, number: Int) {
            self.say(#"{"type":"joined","number":\#(number),"member":{"id":"\#(id)"}}"#)
        }
    }

    @Test("A member that comes twice breaks the protocol", arguments: ["other", "me"])
    func twice(id: String) {
        var hand = Hand()
        hand.welcome(["other"])
        hand.join(id, number: 1)
        #expect(hand.isOver && hand.closed == [1])
    }

    @Test("A channel that is refused for good is closed once")
    func refusedForGood() {
        var hand = Hand()
        hand.welcome()
        hand.session.channelFailed(1, .refused(status: 404, reason: ""), now: hand.now)
        hand.say("")
        #expect(hand.closed == [1] && hand.session.isEnded)
    }

    @Test("A welcome that has a member twice breaks the protocol", arguments: [["a", "a"], ["me"]])
    func welcome(members: [String]) {
        var hand = Hand()
        hand.welcome(members)
        #expect(hand.isOver && hand.closed == [1])
    }

    @Test("A server cannot tell of more members than the client takes")
    func members() {
        var configuration = RoomClientConfiguration()
        configuration.maximumMembers = 3
        var hand = Hand(configuration)
        hand.welcome(["a", "b"])
        hand.join("c", number: 1)
        #expect(!hand.isOver)
        hand.join("d", number: 2)
        #expect(hand.isOver)
        var other = Hand(configuration)
        other.welcome(["a", "b", "c", "d"])
        #expect(other.isOver && other.closed == [1])
    }
}
