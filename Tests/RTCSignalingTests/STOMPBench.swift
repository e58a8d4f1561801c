import NIOCore
import RTCSignaling
import Testing

/// A broker and its clients, in virtual time.
struct STOMPBench {
    var broker: STOMPBroker
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var heard: [STOMPConnectionID: [String]] = [:]
    var closed: Set<STOMPConnectionID> = []
    var questions: [STOMPQuestion] = []
    var sent: [STOMPBroker.Sent] = []
    /// Whether the owner takes what it is sent.
    var takesMessages = true
    /// Clients whose bytes never get out.
    var stuck: Set<STOMPConnectionID> = []

    init(_ change: (inout STOMPConfiguration) -> Void = { _ in }) {
        var configuration = STOMPConfiguration()
        change(&configuration)
        self.broker = STOMPBroker(configuration: configuration)
    }

    mutating func open() throws -> STOMPConnectionID {
        let id = self.broker.open(now: self.now)
        return try #require(id)
    }

    /// A client that is connected.
    mutating func connect(version: String = "1.2", user: String? = nil) throws -> STOMPConnectionID {
        let id = try self.open()
        self.send("CONNECT\naccept-version:\(version)\nhost:x\n\n\0", from: id)
        if self.broker.configuration.asks { self.answer(id, .allow(user: user)) }
        #expect(self.heard[id]?.last?.hasPrefix("CONNECTED\nversion:\(version)\n") == true)
        self.heard[id] = []
        return id
    }

    mutating func send(_ text: String, from id: STOMPConnectionID) {
        self.broker.receive(ByteBuffer(string: text), from: id, now: self.now)
        self.drain()
    }

    mutating func answer(_ id: STOMPConnectionID, _ answer: STOMPAnswer) {
        self.broker.answer(id, answer, now: self.now)
        self.drain()
    }

    mutating func subscribe(_ id: STOMPConnectionID, _ destination: String, name: String = "0", ack: String = "auto") {
        self.send("SUBSCRIBE\nid:\(name)\ndestination:\(destination)\nack:\(ack)\n\n\0", from: id)
    }

    mutating func publish(_ id: STOMPConnectionID, _ destination: String, _ body: String) {
        self.send("SEND\ndestination:\(destination)\n\n\(body)\0", from: id)
    }

    mutating func pass(_ time: TimeAmount) {
        self.now = self.now + time
        self.broker.handleTimeout(now: self.now)
        self.drain()
    }

    mutating func drain() {
        while let output = self.broker.poll() {
            switch output {
            case .transmit(let id, let bytes):
                #expect(!self.closed.contains(id), "something after the close")
                self.heard[id, default: []].append(String(buffer: bytes))
                if !self.stuck.contains(id) { self.broker.didTransmit(bytes.readableBytes, to: id, now: self.now) }
            case .close(let id):
                let isNew = self.closed.insert(id).inserted
                #expect(isNew, "closed twice")
            case .ask(let question): self.questions.append(question)
            case .connected: break
            case .sent(let sent):
                self.sent.append(sent)
                if self.takesMessages { self.broker.confirm(sent, now: self.now) }
            }
        }
    }

    /// The bodies of the messages that a client got.
    func bodies(_ id: STOMPConnectionID) -> [String] {
        (self.heard[id] ?? []).filter { $0.hasPrefix("MESSAGE\n") }.map { frame in
            String((frame.split(separator: "\n\n", maxSplits: 1).last ?? "").dropLast())
        }
    }

    /// The value of a header in the last frame that a client got.
    func header(_ name: String, _ id: STOMPConnectionID) -> String? {
        self.heard[id]?.last?.split(separator: "\n").first { $0.hasPrefix(name + ":") }
            .map { String($0.dropFirst(name.count + 1)) }
    }
}
