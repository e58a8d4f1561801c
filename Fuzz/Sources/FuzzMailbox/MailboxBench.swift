import FuzzInput
import NIOCore
import RTCBase
import RTCSignaling

/// A mailbox with small limits. Who was closed does not come back, as connections do not.
struct MailboxBench {
    private var service: MailboxService
    private let configuration: MailboxConfiguration
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var clients: [MailboxService.ClientID] = []
    private var nextClient: UInt64 = 0
    /// What was handed out: a nameplate with its token.
    private var nameplates: [(name: String, token: String)] = []

    init() {
        var configuration = MailboxConfiguration()
        configuration.maximumNameplates = 3
        configuration.maximumMessageSize = 64
        configuration.maximumBytes = 256
        self.configuration = configuration
        self.service = MailboxService(configuration: configuration, random: .seeded(1))
        for _ in 0..<4 { self.connect() }
    }

    mutating func run(_ input: inout FuzzInput) {
        for _ in 0..<128 where !input.isEmpty {
            self.step(&input)
            require(self.service.count <= self.configuration.maximumNameplates, "more nameplates than may be")
        }
        for client in self.clients {
            self.service.disconnected(client, now: self.now)
            self.clients.removeAll { $0 == client }
            self.drain(allowance: .max)
        }
        while let next = self.service.nextTimeout {
            self.now = max(self.now + .nanoseconds(1), next)
            self.service.handleTimeout(now: self.now)
            self.drain(allowance: .max)
        }
        require(self.service.count == 0, "nameplates are left")
    }

    private mutating func connect() {
        self.nextClient += 1
        self.clients.append(MailboxService.ClientID(rawValue: self.nextClient))
    }

    private mutating func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        let client = self.clients[Int(kind >> 4) % self.clients.count]
        switch kind & 15 {
        case 0: self.say(.allocate, client)
        case 1, 2: self.say(.claim(nameplate: self.place(&input).name), client)
        case 3:
            let (name, token) = self.place(&input)
            self.say(.reopen(nameplate: name, token: token), client)
        case 4, 5: self.say(.confirmed(joiner: self.joiner(&input)), client)
        case 6: self.say(.failed(joiner: self.joiner(&input)), client)
        case 7, 8: self.say(.relay(String(decoding: input.run(), as: UTF8.self), joiner: nil), client)
        case 9:
            let joiner = self.joiner(&input)
            self.say(.relay(String(decoding: input.run(), as: UTF8.self), joiner: joiner), client)
        case 10, 11: self.say(String(decoding: input.run(), as: UTF8.self), client)
        case 12:
            self.service.disconnected(client, now: self.now)
            self.leave(client)
            self.drain(allowance: .max)
        default:
            self.now = self.now + .seconds(Int64(input.uint16()))
            self.service.handleTimeout(now: self.now)
            self.drain(allowance: .max)
        }
    }

    /// A nameplate that was handed out, or one that was not.
    private func place(_ input: inout FuzzInput) -> (name: String, token: String) {
        let choice = Int(input.byte())
        guard !self.nameplates.isEmpty, choice < 240 else { return (String(choice), "token") }
        return self.nameplates[choice % self.nameplates.count]
    }

    /// One of the first to come, or nobody.
    private func joiner(_ input: inout FuzzInput) -> UInt64 { UInt64(input.byte() & 3) }

    private mutating func say(_ message: MailboxMessage, _ client: MailboxService.ClientID) {
        self.say(message.text, client)
    }

    private mutating func say(_ text: String, _ client: MailboxService.ClientID) {
        self.service.receive(text, from: client, now: self.now)
        // A refusal is told to both sides; what is relayed is what came.
        self.drain(allowance: text.utf8.count + 400)
    }

    private mutating func leave(_ client: MailboxService.ClientID) {
        self.clients.removeAll { $0 == client }
        self.connect()
    }

    /// - Parameter allowance: The most bytes that may be said.
    private mutating func drain(allowance: Int) {
        var bytes = 0
        while let output = self.service.poll() {
            switch output {
            case .send(let text, let client):
                bytes += text.utf8.count
                require(self.clients.contains(client), "something is said to a client that is gone")
                self.check(text)
            case .close(let client):
                require(self.clients.contains(client), "a client that is gone is closed")
                self.leave(client)
                self.service.disconnected(client, now: self.now)
            }
        }
        require(bytes <= allowance, "\(bytes) bytes were said for what has \(allowance)")
    }

    private mutating func check(_ text: String) {
        guard let message = MailboxMessage(text) else { fatalError("no message: \(text)") }
        switch message {
        case .allocated(let name, let token):
            require(MailboxService.isNameplate(name), "no nameplate: \(name)")
            self.nameplates.append((name, token))
        case .relay:
            let limit = self.configuration.maximumMessageSize + MailboxMessage.relay("", joiner: nil).text.utf8.count
            require(text.utf8.count <= limit, "more than may be relayed")
        default: break
        }
    }
}
