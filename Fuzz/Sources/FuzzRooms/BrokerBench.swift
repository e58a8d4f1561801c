import FuzzInput
import NIOCore
import RTCBase

@testable import RTCRooms

/// A server of rooms with small limits.
struct BrokerBench {
    private var broker: RoomBroker
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var channels: [RoomConnectionID] = []
    /// Who was welcomed, with its secret.
    private var members: [(id: RoomMemberID, token: String)] = []
    /// The number of the next message of each channel.
    private var numbers: [RoomConnectionID: Int] = [:]

    init(asks: Bool) {
        var configuration = RoomConfiguration()
        configuration.maximumMembers = 3
        configuration.maximumRooms = 2
        configuration.maximumTotalMembers = 5
        configuration.maximumConnections = 5
        configuration.maximumMessageSize = 1_024
        configuration.maximumMetadataSize = 256
        configuration.messageBurst = 40
        configuration.messageRate = 1
        configuration.byteBurst = 8_192
        configuration.byteRate = 100
        configuration.maximumKeptMessages = 8
        configuration.maximumKeptBytes = 512
        configuration.maximumTotalKeptBytes = 1_024
        configuration.asks = asks
        self.broker = RoomBroker(configuration: configuration, random: .seeded(1))
    }

    mutating func run(_ input: inout FuzzInput) {
        for _ in 0..<128 where !input.isEmpty {
            self.step(&input)
            self.check()
        }
        for channel in self.channels { self.broker.connectionEnded(channel, now: self.now) }
        self.channels = []
        while let next = self.broker.nextTimeout {
            self.now = max(self.now + .nanoseconds(1), next)
            self.broker.handleTimeout(now: self.now)
            self.drain()
        }
        let statistics = self.broker.statistics
        require(statistics.rooms == 0 && statistics.members == 0 && statistics.connections == 0, "something is left")
        require(statistics.keptBytes == 0 && self.broker.requests.isEmpty, "something is kept")
    }

    private mutating func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        if kind & 15 == 0 || self.channels.isEmpty {
            guard let channel = self.broker.open(now: self.now) else { return }
            self.channels.append(channel)
            return
        }
        let channel = self.channels[Int(kind >> 4) % self.channels.count]
        switch kind & 15 {
        case 1, 2: self.join(&input, channel)
        case 3, 4: self.resume(&input, channel)
        case 5, 6, 7, 8: self.send(&input, channel)
        case 9: self.say(.acknowledge(received: Int(input.byte())), channel)
        case 10: self.say(input.byte() & 1 == 0 ? .leave : .acknowledge(received: .max), channel)
        case 11, 12: self.say(String(decoding: input.run(), as: UTF8.self), channel)
        case 13:
            self.broker.connectionEnded(channel, now: self.now)
            self.forget(channel)
        case 14:
            self.now = self.now + .milliseconds(Int64(input.uint16()))
            self.broker.handleTimeout(now: self.now)
            if let next = self.broker.nextTimeout { require(next > self.now, "a deadline stays") }
        default: self.decide(input.byte(), channel)
        }
        self.drain()
    }

    private mutating func join(_ input: inout FuzzInput, _ channel: RoomConnectionID) {
        let rooms = ["a", "b", "c", " ", "a\u{301}"]
        let metadata = JSONValue(parsing: String(decoding: input.run(), as: UTF8.self)) ?? [:]
        let room = rooms[Int(input.byte()) % rooms.count]
        self.say(.join(JoinRequest(room: room, metadata: metadata, credential: "x")), channel)
    }

    private mutating func resume(_ input: inout FuzzInput, _ channel: RoomConnectionID) {
        let choice = Int(input.byte())
        let received = Int(input.byte())
        guard !self.members.isEmpty else { return }
        let (member, token) = self.members[choice % self.members.count]
        let secret = choice < 250 ? token : "x"
        self.say(.resume(ResumeRequest(member: member, token: secret, received: received)), channel)
    }

    private mutating func send(_ input: inout FuzzInput, _ channel: RoomConnectionID) {
        let choice = Int(input.byte())
        var number = (self.numbers[channel] ?? 0) + 1
        if choice & 15 == 15 { number = choice }
        self.numbers[channel] = number
        let to = choice & 16 == 0 || self.members.isEmpty ? nil : self.members[choice % self.members.count].id
        let message = JSONValue(parsing: String(decoding: input.run(), as: UTF8.self))
        self.say(.send(number: number, to: to, message: ["type": "data", "data": message ?? "x"]), channel)
    }

    private mutating func decide(_ choice: UInt8, _ channel: RoomConnectionID) {
        switch choice & 7 {
        case 0, 1, 2, 3: self.broker.answer(channel, .allow(metadata: choice & 1 == 0 ? nil : ["a": 1]), now: self.now)
        case 4: self.broker.answer(channel, .deny(reason: "no"), now: self.now)
        case 5: if let member = self.members.last?.id { self.broker.remove(member, now: self.now) }
        case 6: if choice == 0xFE { self.broker.shutdown(now: self.now) }
        default: break
        }
    }

    private mutating func say(_ frame: ClientFrame, _ channel: RoomConnectionID) { self.say(frame.text, channel) }

    private mutating func say(_ text: String, _ channel: RoomConnectionID) {
        self.broker.receive(text, from: channel, now: self.now)
    }

    private mutating func forget(_ channel: RoomConnectionID) {
        self.channels.removeAll { $0 == channel }
        self.numbers[channel] = nil
    }

    private mutating func drain() {
        var count = 0
        while let output = self.broker.poll() {
            count += 1
            switch output {
            case .transmit(let channel, let text):
                require(self.channels.contains(channel), "something is said to a channel that is gone")
                require(text.utf8.count <= self.broker.configuration.maximumMessageSize, "more than a client takes")
                guard let frame = ServerFrame(text) else { fatalError("no frame: \(text)") }
                if case .welcome(let welcome) = frame {
                    self.members.append((welcome.member, welcome.token))
                    self.numbers[channel] = 0
                }
                if case .resumed(let received) = frame { self.numbers[channel] = received }
            case .close(let channel):
                require(self.channels.contains(channel), "a channel that is gone is closed")
                self.forget(channel)
            case .ask(let admission): require(self.channels.contains(admission.connection), "asked for nobody")
            }
        }
        // Each of five channels is told of the end of each of the others, and one of all that was kept for it.
        require(count <= 64, "\(count) outputs at once")
    }

    private func check() {
        let (statistics, limits) = (self.broker.statistics, self.broker.configuration)
        require(statistics.rooms <= limits.maximumRooms, "more rooms than may be")
        require(statistics.members <= limits.maximumTotalMembers, "more members than may be")
        require(statistics.connections == self.channels.count, "other channels than there are")
        require(statistics.keptBytes <= limits.maximumTotalKeptBytes, "more is kept than may be")
        let kept = self.broker.memberships.values.reduce(0) { sum, member in
            require(member.kept.count <= limits.maximumKeptMessages, "more messages are kept than may be")
            return sum + member.kept.reduce(0) { $0 + $1.size }
        }
        require(kept == statistics.keptBytes, "\(statistics.keptBytes) bytes are counted, \(kept) kept")
    }
}
