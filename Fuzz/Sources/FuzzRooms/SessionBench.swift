import FuzzInput
import NIOCore
import RTCBase
import RTCSignaling

@testable import RTCRooms

/// A member of a room whose server says anything.
struct SessionBench {
    private var session: RoomSession
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var openChannels: Set<Int> = []
    private var channel = 0
    private var number = 0
    private var isEnded = false

    init() {
        var configuration = RoomClientConfiguration()
        configuration.maximumQueuedMessages = 4
        configuration.maximumQueuedBytes = 512
        configuration.maximumMessageSize = 256
        configuration.reconnectTimeout = .seconds(60)
        guard let room = RoomName("a") else { fatalError("no name") }
        self.session = RoomSession(room: room, configuration: configuration, random: .seeded(1))
    }

    mutating func run(_ input: inout FuzzInput) {
        self.session.start(now: self.now)
        self.drain()
        for _ in 0..<128 where !input.isEmpty {
            self.step(&input)
            self.drain()
            require(self.session.queue.count <= 4 && self.session.queuedBytes <= 512, "more is queued than may be")
            require(
                self.session.queuedBytes == self.session.queue.reduce(0) { $0 + $1.size },
                "other bytes are counted than queued"
            )
            require(Set(self.session.members.map(\.id)).count == self.session.members.count, "a member twice")
        }
        self.session.leave(now: self.now)
        self.drain()
        // Without a server that takes what is queued, until the time for it is over.
        while !self.isEnded, let due = self.session.nextTimeout {
            require(due >= self.now, "a deadline has passed")
            self.wait(due - self.now)
        }
        require(self.isEnded && self.session.nextTimeout == nil, "not over")
        require(self.openChannels.isEmpty, "channels are left open")
    }

    private mutating func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        switch kind & 15 {
        case 0, 1: self.session.channelOpened(self.channel - Int(kind >> 7), now: self.now)
        case 2:
            let errors: [SignalingChannelError] = [
                .closed(code: nil, reason: ""), .connectionFailed(reason: ""), .refused(status: 503, reason: ""),
                .refused(status: 404, reason: ""),
            ]
            self.session.channelFailed(self.channel, errors[Int(kind >> 4) % (kind > 240 ? 4 : 3)], now: self.now)
        case 3, 4: self.welcome(&input)
        case 5: self.say(.resumed(received: Int(input.byte() & 15)))
        case 6: self.say(.acknowledge(received: Int(input.byte() & 15)))
        case 7, 8, 9: self.occur(&input)
        case 10, 11: self.say(String(decoding: input.run(), as: UTF8.self))
        case 12: self.say(kind & 16 == 0 ? .lost(.gap) : .refused(RoomRefusal(kind > 240 ? .removed : .shutdown)))
        case 13: self.wait(.milliseconds(Int64(input.uint16())))
        default:
            let message = JSONValue(parsing: String(decoding: input.run(), as: UTF8.self)) ?? "x"
            try? self.session.send(.data(message), to: .everyone, now: self.now)
        }
    }

    private mutating func wait(_ time: TimeAmount) {
        self.now = self.now + time
        self.session.handleTimeout(now: self.now)
        self.drain()
        if let next = self.session.nextTimeout { require(next > self.now, "a deadline stays") }
    }

    private mutating func welcome(_ input: inout FuzzInput) {
        let members = (0..<Int(input.byte() & 3)).compactMap { RoomMemberID("m\($0)").map { RoomMember(id: $0) } }
        guard let me = RoomMemberID("me") else { return }
        self.number = 0
        self.say(
            .welcome(
                Welcome(member: me, metadata: [:], token: "t", members: members, resumeMilliseconds: 1, limits: nil)
            )
        )
    }

    private mutating func occur(_ input: inout FuzzInput) {
        let choice = input.byte()
        guard let member = RoomMemberID("m\(choice & 7)") else { return }
        let occurrence: RoomOccurrence =
            switch choice >> 6 {
            case 0: .joined(RoomMember(id: member))
            case 1: .left(member, .left)
            default:
                .message(
                    from: member,
                    JSONValue(parsing: String(decoding: input.run(), as: UTF8.self)) ?? ["type": "data"]
                )
            }
        self.number += choice & 32 == 0 ? 1 : 2
        self.say(.numbered(self.number, occurrence))
    }

    private mutating func say(_ frame: ServerFrame) { self.say(frame.text) }

    private mutating func say(_ text: String) { self.session.receive(text, from: self.channel, now: self.now) }

    private mutating func drain() {
        var count = 0
        while let output = self.session.poll() {
            count += 1
            require(!self.isEnded, "something follows the end")
            switch output {
            case .open(let channel):
                self.channel = channel
                require(self.openChannels.insert(channel).inserted, "a channel is opened twice")
            case .close(let channel): require(self.openChannels.remove(channel) != nil, "no such channel")
            case .transmit(let channel, let text):
                require(self.openChannels.contains(channel), "something is sent over a channel that is gone")
                require(ClientFrame(text) != nil, "no frame: \(text)")
            case .event(let event): if case .ended = event { self.isEnded = true }
            }
        }
        require(count <= 8, "\(count) outputs at once")
        require(self.openChannels.count <= 1, "more than one channel")
    }
}
