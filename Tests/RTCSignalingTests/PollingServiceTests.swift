import NIOCore
import RTCBase
import RTCSignaling
import Testing

/// A service with its clients, in virtual time.
struct PollingBench {
    var service: PollingService
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var responses: [ExchangeID: SignalingResponse] = [:]
    var pieces: [ExchangeID: String] = [:]
    var ended: Set<ExchangeID> = []
    var opened: [PollingSessionID] = []
    var messages: [String] = []
    var closed: [HTTPSessionEnd] = []
    /// The path of the session that was opened last.
    var session = ""
    private var count: UInt64 = 0

    init(opens: Bool = true, _ change: (inout PollingConfiguration) -> Void = { _ in }) {
        var configuration = PollingConfiguration()
        change(&configuration)
        self.service = PollingService(path: "/poll", configuration: configuration, random: .seeded(7))
        if opens { self.open() }
    }

    mutating func open() {
        let exchange = self.request("POST", "/poll")
        self.session = self.responses[exchange]?.headers.first("location") ?? ""
    }

    /// Makes a request; gives its exchange.
    @discardableResult
    mutating func request(
        _ method: String,
        _ target: String,
        headers: SignalingHeaders = [:],
        _ body: String = ""
    ) -> ExchangeID {
        self.count += 1
        let exchange = ExchangeID(rawValue: self.count)
        let request = SignalingRequest(method: method, target: target, headers: headers, body: ByteBuffer(string: body))
        self.service.receive(request, exchange: exchange, now: self.now)
        self.drain()
        return exchange
    }

    mutating func get(_ query: String = "", headers: SignalingHeaders = [:]) -> ExchangeID {
        self.request("GET", self.session + query, headers: headers)
    }

    mutating func post(_ query: String = "", _ body: String, json: Bool = true) -> SignalingResponse? {
        let headers: SignalingHeaders = ["content-type": json ? "application/json; charset=utf-8" : "text/plain"]
        let exchange = self.request("POST", self.session + query, headers: headers, body)
        return self.responses[exchange]
    }

    mutating func send(_ texts: String...) {
        for text in texts { self.service.send(text, to: self.opened[0], now: self.now) }
        self.drain()
    }

    mutating func pass(_ time: TimeAmount) {
        let end = self.now + time
        while let next = self.service.nextTimeout, next <= end {
            self.now = max(next, self.now)
            self.service.handleTimeout(now: self.now)
            self.drain()
        }
        self.now = end
    }

    /// Asks for messages; gives the body of the response, if there is one.
    mutating func answer(_ query: String = "") -> String? {
        let exchange = self.get(query)
        return self.text(exchange)
    }

    mutating func status(_ query: String = "", headers: SignalingHeaders = [:]) -> Int? {
        let exchange = self.get(query, headers: headers)
        return self.responses[exchange]?.status
    }

    mutating func drain() {
        while let output = self.service.poll() {
            switch output {
            case .respond(let exchange, let response):
                #expect(self.responses[exchange] == nil, "answered twice")
                self.responses[exchange] = response
            case .begin(let exchange, let response): self.responses[exchange] = response
            case .body(let exchange, let bytes): self.pieces[exchange, default: ""] += String(buffer: bytes)
            case .end(let exchange): self.ended.insert(exchange)
            case .opened(let id, _): self.opened.append(id)
            case .message(_, let text): self.messages.append(text)
            case .closed(_, let end): self.closed.append(end)
            }
        }
    }

    func text(_ exchange: ExchangeID) -> String? { self.responses[exchange].map { String(buffer: $0.body) } }
}

@Suite struct PollingServiceTests {
    static let stream: SignalingHeaders = ["accept": "text/event-stream"]

    @Test("A session is opened under a path that nobody guesses")
    func opening() {
        var bench = PollingBench()
        let first = bench.session
        bench.open()
        #expect(bench.session != first && first.hasPrefix("/poll/") && first.utf8.count == 6 + 24)
        #expect(bench.responses.values.allSatisfy { $0.status == 201 })
        #expect(bench.text(ExchangeID(rawValue: 1))?.contains("\"wait\":25,\"timeout\":60}") == true)
    }

    @Test("What was sent is given again until it is acknowledged")
    func acknowledging() {
        var bench = PollingBench()
        bench.send("one", "two")
        for _ in 0..<2 { #expect(bench.answer() == #"{"last":2,"messages":["one","two"]}"#) }
        #expect(bench.answer("?after=1") == #"{"last":2,"messages":["two"]}"#)
        bench.send("three")
        #expect(bench.answer("?after=2") == #"{"last":3,"messages":["three"]}"#)
        let empty = bench.get("?after=3")
        #expect(bench.text(empty) == #"{"last":3,"messages":[]}"#)
        #expect(bench.responses[empty]?.headers.first("retry-after") == "1")
        // What a POST acknowledges counts, too.
        bench.send("four")
        #expect(bench.post("?after=4", "[]").map { String(buffer: $0.body) } == #"{"received":0}"#)
        #expect(bench.answer() == #"{"last":4,"messages":[]}"#)
    }

    @Test("A held request is answered by the first message, by time, by the next request or by the end")
    func longPolling() {
        var bench = PollingBench()
        var held = bench.get("?wait=20")
        bench.pass(.seconds(19))
        #expect(bench.responses[held] == nil)
        bench.send("now")
        #expect(bench.text(held) == #"{"last":1,"messages":["now"]}"#)
        held = bench.get("?after=1&wait=1000")
        bench.pass(.seconds(25))
        #expect(bench.text(held) == #"{"last":1,"messages":[]}"#)
        held = bench.get("?after=1&wait=20")
        let next = bench.get("?after=1&wait=20")
        #expect(bench.text(held) == #"{"last":1,"messages":[]}"#)
        bench.service.close(bench.opened[0], code: 4000, reason: "\"over\"", now: bench.now)
        bench.drain()
        #expect(bench.responses[next]?.status == 410)
        #expect(bench.text(next) == #"{"code":4000,"reason":"\"over\""}"#)
        #expect(bench.closed == [.local])
    }

    @Test("A connection that breaks loses nothing")
    func lostResponse() {
        var bench = PollingBench()
        let held = bench.get("?wait=20")
        bench.service.exchangeEnded(held, now: bench.now)
        bench.send("kept")
        #expect(bench.responses[held] == nil)
        #expect(bench.answer("?wait=20") == #"{"last":1,"messages":["kept"]}"#)
        #expect(bench.closed.isEmpty)
    }

    @Test("Messages of a client are taken once, however often they come; with a gap, not at all")
    func exactlyOnce() {
        var bench = PollingBench()
        #expect(bench.post("?id=1", #"["a","b"]"#).map { String(buffer: $0.body) } == #"{"received":2}"#)
        #expect(bench.post("?id=1", #"["a","b"]"#)?.status == 200)
        #expect(bench.post("?id=2", #"["b","c"]"#).map { String(buffer: $0.body) } == #"{"received":3}"#)
        let gap = bench.post("?id=5", #"["e"]"#)
        #expect(gap?.status == 409 && gap.map { String(buffer: $0.body) } == #"{"received":3}"#)
        #expect(bench.post("", "plain text", json: false)?.status == 200)
        #expect(bench.messages == ["a", "b", "c", "plain text"])
    }

    @Test("A client whose messages are not wanted is told to come again with them")
    func backPressure() {
        var bench = PollingBench()
        bench.service.setReading(false, of: bench.opened[0])
        let refused = bench.post("?id=1", #"["a"]"#)
        #expect(refused?.status == 429 && refused?.headers.first("retry-after") == "1")
        #expect(bench.messages.isEmpty)
        bench.service.setReading(true, of: bench.opened[0])
        #expect(bench.post("?id=1", #"["a"]"#)?.status == 200)
        #expect(bench.messages == ["a"])
    }

    @Test("A stream has events with numbers, signs of life, and goes on where it was")
    func streaming() {
        var bench = PollingBench { $0.responseLimit = 100 }
        bench.send("be\nfore")
        let first = bench.get(headers: Self.stream)
        #expect(bench.responses[first]?.headers.first("content-type") == "text/event-stream")
        bench.send("after")
        bench.pass(.seconds(15))
        #expect(
            bench.pieces[first]
                == "retry: 1000\n\nid: 1\ndata: \"be\\nfore\"\n\nid: 2\ndata: \"after\"\n\n:\n\n"
        )
        // What is written to a connection that is full waits.
        bench.service.setWritable(first, false, now: bench.now)
        bench.send("waits")
        bench.service.setWritable(first, true, now: bench.now)
        bench.drain()
        #expect(bench.pieces[first]?.hasSuffix("id: 3\ndata: \"waits\"\n\n") == true)
        #expect(!bench.ended.contains(first))
        bench.send(String(repeating: "x", count: 100))
        #expect(bench.ended.contains(first))
        // A browser has the old query and the new number.
        let second = bench.get("?after=0", headers: ["accept": "text/event-stream", "last-event-id": "3"])
        #expect(bench.pieces[second]?.contains("id: 4\n") == true && bench.pieces[second]?.contains("id: 3\n") == false)
    }

    @Test("A stream tells the end, and so does everything after")
    func streamEnds() {
        var bench = PollingBench()
        let stream = bench.get(headers: Self.stream)
        bench.send("last words")
        bench.service.close(bench.opened[0], code: 1000, reason: "", now: bench.now)
        bench.drain()
        #expect(
            bench.pieces[stream]?.hasSuffix(
                "data: \"last words\"\n\nevent: close\ndata: {\"code\":1000,\"reason\":\"\"}\n\n"
            ) == true
        )
        #expect(bench.ended.contains(stream))
        #expect(bench.post("?id=1", #"["late"]"#)?.status == 410)
        // The last words, until they are acknowledged.
        #expect(bench.status() == 200)
        #expect(bench.status("?after=1") == 410)
        #expect(bench.status("?after=1", headers: Self.stream) == 410)
        bench.pass(.seconds(61))
        #expect(bench.status() == 404)
        #expect(bench.service.sessionCount == 0)
    }

    @Test("A stream that is never acknowledged ends before its messages are too many")
    func streamRollover() {
        var bench = PollingBench { $0.maximumUnsentBytes = 2000 }
        var stream = bench.get(headers: Self.stream)
        var streams = 1
        for number in 1...100 {
            bench.send(String(repeating: "x", count: 100))
            guard bench.ended.contains(stream) else { continue }
            streams += 1
            stream = bench.get(headers: ["accept": "text/event-stream", "last-event-id": "\(number)"])
        }
        #expect(bench.closed.isEmpty && streams > 5)
    }

    @Test("A client that takes nothing is cut off; one that says nothing is forgotten")
    func limits() {
        var bench = PollingBench { $0.maximumUnsentBytes = 100 }
        bench.send(String(repeating: "x", count: 60), String(repeating: "x", count: 60))
        #expect(bench.closed == [.tooSlow])
        #expect(bench.answer()?.contains("1008") == true)
        bench = PollingBench { $0.maximumUnsentBytes = 1000 }
        for number in 1...100 {
            bench.send("")
            #expect(bench.status("?after=\(number)") == 200)
        }
        // Empty messages are not free of charge.
        for _ in 0..<31 { bench.send("") }
        #expect(bench.closed.isEmpty)
        bench.send("")
        #expect(bench.closed == [.tooSlow])
        bench = PollingBench()
        bench.pass(.seconds(59))
        _ = bench.get("?wait=20")
        // The held request counts while it lasts.
        bench.pass(.seconds(79))
        #expect(bench.closed.isEmpty)
        bench.pass(.seconds(1))
        #expect(bench.closed == [.disconnected])
        bench = PollingBench { $0.maximumSessions = 1 }
        bench.open()
        #expect(bench.responses[ExchangeID(rawValue: 2)]?.status == 503)
    }

    @Test("DELETE is the end")
    func leaving() {
        var bench = PollingBench()
        let held = bench.get("?wait=20")
        let first = bench.request("DELETE", bench.session)
        #expect(bench.responses[first]?.status == 204)
        #expect(bench.responses[held]?.status == 404)
        #expect(bench.closed == [.disconnected])
        let second = bench.request("DELETE", bench.session)
        #expect(bench.responses[second]?.status == 404)
    }

    @Test(
        "What clients must not ask is refused",
        arguments: [
            ("GET", "/poll", "", 405), ("PUT", "/S", "", 405), ("GET", "/poll/unknown", "", 404),
            ("GET", "/pollution", "", 404), ("POST", "/poll/a/b", "", 404), ("GET", "/S?after=x", "", 400),
            ("GET", "/S?after=-1", "", 400), ("GET", "/S?after=1", "", 400), ("GET", "/S?wait=x", "", 400),
            ("GET", "/S?after=18446744073709551615", "", 400), ("POST", "/S?id=0", "[\"a\"]", 400),
            ("POST", "/S?id=18446744073709551616", "[\"a\"]", 400), ("POST", "/S?after=1", "[\"a\"]", 400),
            ("POST", "/S", "[1]", 400), ("POST", "/S", "{\"a\":1}", 400), ("POST", "/S", "[\"a\"", 400),
            ("POST", "/S", String(repeating: "x", count: (256 << 10) + 1), 413), ("OPTIONS", "/S", "", 204),
            ("OPTIONS", "/poll", "", 204),
        ]
    )
    func refusals(method: String, path: String, body: String, status: Int) {
        var bench = PollingBench()
        let target = path.hasPrefix("/S") ? bench.session + path.dropFirst(2) : path
        let exchange = bench.request(method, target, headers: ["content-type": "application/json"], body)
        #expect(bench.responses[exchange]?.status == status)
        #expect(bench.messages.isEmpty)
    }

    @Test("Pages of other origins may ask and read")
    func crossOrigin() {
        var bench = PollingBench()
        let exchange = bench.request("GET", bench.session, headers: ["origin": "https://app.example"])
        let headers = bench.responses[exchange]?.headers
        #expect(headers?.first("access-control-allow-origin") == "https://app.example")
        #expect(headers?.first("access-control-expose-headers") == "location, retry-after")
        #expect(headers?.first("cache-control")?.contains("no-store") == true)
    }

    @Test("Random requests never trap, and leave nothing behind", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var bench = PollingBench(opens: false)
        var open: [ExchangeID] = []
        for _ in 0..<3000 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0: bench.open()
            case 1, 2:
                let query =
                    "?after=\(Int.random(in: 0...20, using: &random))&wait=\(Int.random(in: 0...3, using: &random))"
                open.append(bench.get(query, headers: Bool.random(using: &random) ? Self.stream : [:]))
            case 3: _ = bench.post("?id=\(Int.random(in: 0...20, using: &random))", #"["a","b"]"#)
            case 4:
                for id in bench.opened.suffix(3) { bench.service.send("message", to: id, now: bench.now) }
                bench.drain()
            case 5: if let id = bench.opened.last { bench.service.close(id, now: bench.now) }
            case 6:
                if let exchange = open.randomElement(using: &random) {
                    bench.service.setWritable(exchange, Bool.random(using: &random), now: bench.now)
                    if Bool.random(using: &random) { bench.service.exchangeEnded(exchange, now: bench.now) }
                }
            default: bench.pass(.milliseconds(Int64.random(in: 0...5000, using: &random)))
            }
        }
        bench.pass(.hours(1))
        for exchange in open { bench.service.exchangeEnded(exchange, now: bench.now) }
        bench.pass(.hours(1))
        #expect(bench.service.sessionCount == 0, "seed \(seed)")
        #expect(bench.service.nextTimeout == nil)
        #expect(bench.closed.count == bench.opened.count)
    }
}
