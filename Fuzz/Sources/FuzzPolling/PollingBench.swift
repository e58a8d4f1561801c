import FuzzInput
import NIOCore
import RTCBase

@testable import RTCSignaling

/// A service of sessions over requests with small limits, whose owner sends back what comes.
struct PollingBench {
    private var service: PollingService
    private var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    private var count: UInt64 = 0
    /// Exchanges that have no whole response, and what came of streams.
    private var open: Set<ExchangeID> = []
    private var streams: [ExchangeID: EventStreamReader] = [:]
    private var sessions: [PollingSessionID] = []
    private var locations: [String] = []

    init() {
        var configuration = PollingConfiguration()
        configuration.maximumSessions = 3
        configuration.responseLimit = 256
        configuration.maximumBodySize = 512
        self.service = PollingService(path: "/p", configuration: configuration, random: .seeded(1))
    }

    mutating func run(_ input: inout FuzzInput) {
        for _ in 0..<96 where !input.isEmpty {
            self.step(&input)
            self.drain()
            require(self.service.sessionCount <= 3, "more sessions than may be")
            require(self.service.receivers.count <= 3, "more receivers than sessions")
        }
        for exchange in self.open { self.service.exchangeEnded(exchange, now: self.now) }
        self.open = []
        while let next = self.service.nextTimeout {
            self.now = max(self.now + .nanoseconds(1), next)
            self.service.handleTimeout(now: self.now)
            self.drain()
        }
        require(self.service.sessionCount == 0 && self.service.receivers.isEmpty, "sessions are left")
        require(self.sessions.isEmpty, "sessions ended without a word")
    }

    private mutating func step(_ input: inout FuzzInput) {
        let kind = input.byte()
        switch kind & 15 {
        case 0: self.request("POST", "/p", [])
        case 1, 2, 3: self.request("POST", self.target(&input, kind), input.run(), isJSON: kind & 16 == 0)
        case 4, 5: self.request("GET", self.target(&input, kind), [])
        case 6: self.request("GET", self.target(&input, kind), [], accept: "text/event-stream", last: input.run())
        case 7:
            let methods = ["DELETE", "OPTIONS", "PUT", "HEAD"]
            self.request(methods[Int(kind >> 6)], kind & 16 == 0 ? "/p" : self.target(&input, kind), [])
        case 8: self.request("GET", "/p" + String(decoding: input.run(), as: UTF8.self), [])
        case 9: if let exchange = self.open.min(by: { $0.rawValue < $1.rawValue }) { self.endExchange(exchange) }
        case 10: for exchange in self.open { self.service.setWritable(exchange, kind & 16 == 0, now: self.now) }
        case 11, 12: if let session = self.session(kind) { self.send(&input, session) }
        case 13: if let session = self.session(kind) { self.service.setReading(kind & 128 == 0, of: session) }
        case 14:
            guard kind > 200, let session = self.session(kind) else { return }
            self.service.close(session, code: 3_000, reason: "x", now: self.now)
        default:
            self.now = self.now + .milliseconds(Int64(input.uint16()))
            self.service.handleTimeout(now: self.now)
            if let next = self.service.nextTimeout { require(next > self.now, "a deadline stays") }
        }
    }

    private func session(_ kind: UInt8) -> PollingSessionID? {
        self.sessions.isEmpty ? nil : self.sessions[Int(kind >> 4) % self.sessions.count]
    }

    /// A session's path with a query, most of it sound.
    private func target(_ input: inout FuzzInput, _ kind: UInt8) -> String {
        guard !self.locations.isEmpty else { return "/p/x" }
        let path = self.locations[Int(kind >> 4) % self.locations.count]
        let choice = input.byte()
        guard choice < 240 else { return "\(path)?\(String(decoding: input.run(), as: UTF8.self))" }
        return "\(path)?after=\(choice & 7)&wait=\(choice >> 5)" + (choice & 16 == 0 ? "" : "&id=\(choice >> 5)")
    }

    private mutating func send(_ input: inout FuzzInput, _ session: PollingSessionID) {
        let text = String(decoding: input.run(), as: UTF8.self)
        self.service.send(text, to: session, now: self.now)
    }

    private mutating func request(
        _ method: String,
        _ target: String,
        _ body: [UInt8],
        isJSON: Bool = false,
        accept: String? = nil,
        last: [UInt8] = []
    ) {
        var request = SignalingRequest(method: method, target: target, body: ByteBuffer(bytes: body))
        if isJSON { request.headers.add("content-type", "application/json") }
        if let accept { request.headers.add("accept", accept) }
        if !last.isEmpty { request.headers.add("last-event-id", String(decoding: last, as: UTF8.self)) }
        self.count += 1
        let exchange = ExchangeID(rawValue: self.count)
        self.open.insert(exchange)
        self.service.receive(request, exchange: exchange, now: self.now)
    }

    private mutating func endExchange(_ exchange: ExchangeID) {
        self.open.remove(exchange)
        self.streams[exchange] = nil
        self.service.exchangeEnded(exchange, now: self.now)
    }

    private mutating func drain() {
        while let output = self.service.poll() {
            switch output {
            case .respond(let exchange, let response):
                require(self.open.remove(exchange) != nil, "a response twice")
                require(self.streams[exchange] == nil, "a second response to a stream")
                self.take(response)
            case .begin(let exchange, _):
                require(self.open.contains(exchange) && self.streams[exchange] == nil, "a stream that is none")
                self.streams[exchange] = EventStreamReader(limit: 8_192)
            case .body(let exchange, let bytes): self.take(bytes, of: exchange)
            case .end(let exchange):
                require(
                    self.open.remove(exchange) != nil && self.streams.removeValue(forKey: exchange) != nil,
                    "an end twice"
                )
            case .opened(let session, _): self.sessions.append(session)
            case .message(let session, _): require(self.sessions.contains(session), "a message of no session")
            case .closed(let session, _):
                require(self.sessions.contains(session), "a session ends twice")
                self.sessions.removeAll { $0 == session }
            }
        }
    }

    private mutating func take(_ response: SignalingResponse) {
        require(response.body.readableBytes <= 6 * 512 + 512, "a response larger than any may be")
        guard response.status == 201, let location = response.headers.first("location") else { return }
        self.locations.append(location)
        if self.locations.count > 8 { self.locations.removeFirst() }
    }

    /// What is written is what a client reads: events with numbers in their order, and messages that are strings.
    private mutating func take(_ bytes: ByteBuffer, of exchange: ExchangeID) {
        guard var reader = self.streams[exchange] else { fatalError("a piece of no stream") }
        guard let events = try? reader.receive(bytes) else { fatalError("an event that is too large") }
        self.streams[exchange] = reader
        for event in events where event.name == "message" {
            require(event.id.flatMap(UInt64.init) != nil, "a message without a number")
            require(JSONStrings.decode(event.data.utf8)?.count == 1, "no message: \(event.data)")
        }
    }
}
