import NIOCore
import RTCBase
import RTCSignaling
import Testing

/// A service with its clients, in virtual time; what the application would do is in the test's hands.
struct SockJSBench {
    var service: SockJSService
    var now = NIODeadline.uptimeNanoseconds(1_000_000_000)
    var responses: [ExchangeID: SignalingResponse] = [:]
    var pieces: [ExchangeID: [String]] = [:]
    var ended: Set<ExchangeID> = []
    var opened: [SockJSSessionID] = []
    var messages: [String] = []
    var closed: [SockJSService.End] = []
    private var count: UInt64 = 0

    init(_ change: (inout SockJSConfiguration) -> Void = { _ in }) {
        var configuration = SockJSConfiguration()
        change(&configuration)
        self.service = SockJSService(path: "/echo", configuration: configuration, random: .seeded(7))
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
        let request = SignalingRequest(
            method: method,
            target: "/echo" + target,
            headers: headers,
            body: ByteBuffer(string: body)
        )
        self.service.receive(request, exchange: exchange, now: self.now)
        self.drain()
        return exchange
    }

    mutating func post(_ target: String, _ body: String = "") -> ExchangeID { self.request("POST", target, body) }

    /// The whole response to a request that is answered at once.
    mutating func answer(
        _ method: String,
        _ target: String,
        headers: SignalingHeaders = [:],
        _ body: String = ""
    ) -> (status: Int, body: String) {
        let exchange = self.request(method, target, headers: headers, body)
        #expect(self.ended.contains(exchange), "\(method) \(target) is not answered")
        return (self.responses[exchange]?.status ?? 0, self.text(exchange))
    }

    func text(_ exchange: ExchangeID) -> String { (self.pieces[exchange] ?? []).joined() }

    mutating func pass(_ time: TimeAmount) {
        self.now = self.now + time
        self.service.handleTimeout(now: self.now)
        self.drain()
    }

    mutating func send(_ text: String) {
        guard let session = self.opened.last else { return }
        self.service.send(text, to: session, now: self.now)
        self.drain()
    }

    mutating func close(_ code: Int, _ reason: String) {
        guard let session = self.opened.last else { return }
        self.service.close(session, code: code, reason: reason, now: self.now)
        self.drain()
    }

    mutating func drain() {
        while let output = self.service.poll() {
            switch output {
            case .respond(let exchange, let response):
                self.responses[exchange] = response
                self.pieces[exchange] = [String(buffer: response.body)]
                self.ended.insert(exchange)
            case .begin(let exchange, let response): self.responses[exchange] = response
            case .body(let exchange, let bytes):
                #expect(!self.ended.contains(exchange), "a body after its end")
                self.pieces[exchange, default: []].append(String(buffer: bytes))
            case .end(let exchange):
                let isNew = self.ended.insert(exchange).inserted
                #expect(isNew, "ended twice")
            case .opened(let session, _): self.opened.append(session)
            case .message(_, let text): self.messages.append(text)
            case .closed(_, let end): self.closed.append(end)
            }
        }
    }
}

@Suite struct SockJSServiceTests {
    @Test("Polling: open, messages both ways, heartbeat")
    func polling() {
        var bench = SockJSBench()
        #expect(bench.answer("POST", "/000/s/xhr") == (200, "o\n"))
        #expect(bench.answer("POST", "/000/s/xhr_send", #"["a","b"]"#) == (204, ""))
        #expect(bench.messages == ["a", "b"])
        let poll = bench.post("/999/s/xhr")
        #expect(bench.text(poll).isEmpty)
        bench.send("x")
        #expect(bench.text(poll) == "a[\"x\"]\n")
        #expect(bench.ended.contains(poll))
        bench.send("y")
        bench.send("z")
        #expect(bench.answer("POST", "/000/s/xhr") == (200, "a[\"y\",\"z\"]\n"))
        let silent = bench.post("/000/s/xhr")
        bench.pass(.seconds(25))
        #expect(bench.text(silent) == "h\n")
        #expect(bench.ended.contains(silent))
        #expect(bench.opened.count == 1)
    }

    @Test("Streaming: prelude, frames, heartbeats on one response, and its end after enough")
    func streaming() {
        var bench = SockJSBench { $0.responseLimit = 4096 }
        let stream = bench.post("/000/s/xhr_streaming")
        #expect(bench.pieces[stream] == [String(repeating: "h", count: 2048) + "\n", "o\n"])
        bench.pass(.seconds(25))
        bench.pass(.seconds(25))
        #expect(bench.pieces[stream]?.suffix(2) == ["h\n", "h\n"])
        let message = String(repeating: "x", count: 128)
        var count = 0
        while !bench.ended.contains(stream), count < 100 {
            bench.send(message)
            count += 1
        }
        #expect(count == 31)
        bench.send("later")
        let again = bench.post("/000/s/xhr_streaming")
        #expect(bench.text(again).hasSuffix("a[\"later\"]\n"))
    }

    @Test("Each transport has its own form of the same frames")
    func transports() {
        var bench = SockJSBench()
        let events = bench.request("GET", "/0/e/eventsource")
        bench.send("  \u{0}\n\r ")
        #expect(bench.pieces[events] == ["\r\n", "data: o\r\n\r\n", "data: a[\"  \\u0000\\n\\r \"]\r\n\r\n"])
        #expect(bench.responses[events]?.headers.first("content-type") == "text/event-stream; charset=UTF-8")
        let page = bench.request("GET", "/0/h/htmlfile?c=%63allback")
        bench.send("x</script>")
        let pieces = bench.pieces[page] ?? []
        #expect(pieces.count == 3)
        #expect(pieces[0].contains("parent.callback;") && pieces[0].utf8.count > 1024)
        #expect(pieces[1] == "<script>\np(\"o\");\n</script>\r\n")
        #expect(pieces[2] == "<script>\np(\"a[\\\"x\\u003c/script>\\\"]\");\n</script>\r\n")
        #expect(bench.answer("GET", "/0/j/jsonp?c=%63allback") == (200, "callback(\"o\");\r\n"))
        let form: SignalingHeaders = ["content-type": "application/x-www-form-urlencoded"]
        #expect(bench.answer("POST", "/0/j/jsonp_send", headers: form, "d=%5B%22x%22%5D") == (200, "ok"))
        #expect(
            bench.answer("POST", "/0/j/jsonp_send", headers: ["content-type": "text/plain"], "[\"%61\"]") == (200, "ok")
        )
        #expect(bench.messages == ["x", "%61"])
        bench.send("x")
        #expect(bench.answer("GET", "/0/j/jsonp?c=f") == (200, "f(\"a[\\\"x\\\"]\");\r\n"))
    }

    @Test("A closed session goes on saying so, then is forgotten")
    func closing() {
        var bench = SockJSBench()
        _ = bench.post("/0/s/xhr")
        bench.send("last")
        bench.close(3000, "Go away!")
        #expect(bench.closed == [.local])
        bench.send("nobody hears this")
        #expect(bench.answer("POST", "/0/s/xhr") == (200, "a[\"last\"]\n"))
        for _ in 0..<2 { #expect(bench.answer("POST", "/0/s/xhr") == (200, "c[3000,\"Go away!\"]\n")) }
        #expect(bench.answer("POST", "/0/s/xhr_send", "[\"a\"]").status == 404)
        bench.pass(.seconds(5))
        #expect(bench.service.sessionCount == 0)
        #expect(bench.answer("POST", "/0/s/xhr") == (200, "o\n"))
        let stream = bench.post("/0/t/xhr_streaming")
        bench.close(3000, "Go away!")
        #expect(bench.text(stream).hasSuffix("o\nc[3000,\"Go away!\"]\n"))
        #expect(bench.ended.contains(stream))
    }

    @Test("A second receiver is refused; one that breaks off ends the session")
    func receivers() {
        var bench = SockJSBench()
        let first = bench.post("/0/s/xhr_streaming")
        #expect(bench.answer("POST", "/0/s/xhr") == (200, "c[2010,\"Another connection still open\"]\n"))
        bench.service.exchangeEnded(first, now: bench.now)
        bench.drain()
        #expect(bench.closed == [.disconnected])
        #expect(bench.answer("POST", "/0/s/xhr") == (200, "c[1002,\"Connection interrupted\"]\n"))
    }

    @Test("A session without a receiver times out after five seconds, with one it does not")
    func timeout() {
        var bench = SockJSBench()
        _ = bench.post("/0/s/xhr")
        bench.pass(.seconds(4))
        let poll = bench.post("/0/s/xhr")
        bench.pass(.seconds(20))
        #expect(bench.closed.isEmpty && !bench.ended.contains(poll))
        bench.pass(.seconds(5))
        #expect(bench.text(poll) == "h\n")
        bench.pass(.milliseconds(4999))
        #expect(bench.closed.isEmpty)
        bench.pass(.milliseconds(1))
        #expect(bench.closed == [.disconnected])
        #expect(bench.service.sessionCount == 0)
        #expect(bench.service.nextTimeout == nil)
    }

    @Test("A client that reads nothing is cut off, whether it is not there or its connection is full")
    func slowClient() {
        var bench = SockJSBench { $0.maximumUnsentBytes = 1000 }
        let stream = bench.post("/0/s/xhr_streaming")
        bench.service.setWritable(stream, false, now: bench.now)
        bench.send(String(repeating: "a", count: 60))
        #expect(bench.pieces[stream]?.last == "o\n")
        bench.service.setWritable(stream, true, now: bench.now)
        bench.drain()
        #expect(bench.text(stream).hasSuffix("aa\"]\n"))
        bench.service.setWritable(stream, false, now: bench.now)
        // Empty messages are not free of charge.
        for _ in 0..<31 { bench.send("") }
        #expect(bench.closed.isEmpty)
        bench.send("")
        #expect(bench.closed == [.tooSlow])
        // The response that nobody reads is given up in the end.
        bench.pass(.seconds(5))
        #expect(bench.ended.contains(stream))
        #expect(bench.service.sessionCount == 0)
    }

    @Test("There are no more sessions than allowed")
    func sessionLimit() {
        var bench = SockJSBench { $0.maximumSessions = 2 }
        for key in ["a", "b"] { #expect(bench.answer("POST", "/0/\(key)/xhr").status == 200) }
        #expect(bench.answer("POST", "/0/c/xhr").status == 503)
        bench.pass(.seconds(5))
        #expect(bench.answer("POST", "/0/c/xhr").status == 200)
    }

    @Test(
        "What clients must not send is refused",
        arguments: [
            ("POST", "/0/s/xhr_send", "", 500, "Payload expected."),
            ("POST", "/0/s/xhr_send", #"["a"#, 500, "Broken JSON encoding."),
            ("POST", "/0/s/xhr_send", #"["a"] x"#, 500, "Broken JSON encoding."),
            ("POST", "/0/s/xhr_send", #"["a",]"#, 500, "Broken JSON encoding."),
            ("POST", "/0/s/xhr_send", #"[1]"#, 500, "Broken JSON encoding."),
            ("POST", "/0/s/xhr_send", #"["\u12"]"#, 500, "Broken JSON encoding."),
            ("POST", "/0/s/xhr_send", #"["\x"]"#, 500, "Broken JSON encoding."),
            ("POST", "/0/unknown/xhr_send", #"["a"]"#, 404, ""),
            ("GET", "/0/s/xhr", "", 405, ""),
            ("POST", "/0/s/eventsource", "", 405, ""),
            ("GET", "/0/s/jsonp", "", 500, "\"callback\" parameter required"),
            ("GET", "/0/s/jsonp?c=alert(1)", "", 500, "invalid \"callback\" parameter"),
            ("GET", "/0/s/htmlfile?c=%3Cscript%3E", "", 500, "invalid \"callback\" parameter"),
            ("GET", "/0/s/websocket", "", 400, "Can \"Upgrade\" only to \"WebSocket\"."),
            ("POST", "/0/s/websocket", "", 405, ""),
            ("GET", "/a", "", 404, ""), ("GET", "//", "", 404, ""), ("GET", "/a/a/", "", 404, ""),
            ("POST", "//xhr", "", 404, ""), ("POST", "/a./a/xhr", "", 404, ""), ("POST", "/a/a./xhr", "", 404, ""),
            ("GET", "/iframe.htm", "", 404, ""), ("GET", "/IFRAME.HTML", "", 404, ""),
            ("GET", "/iframe-/.html", "", 404, ""),
        ]
    )
    func refusals(method: String, target: String, body: String, status: Int, text: String) {
        var bench = SockJSBench()
        _ = bench.post("/0/s/xhr")
        let answer = bench.answer(method, target, body)
        #expect(answer.status == status)
        #expect(answer.body == text)
    }

    @Test("Half a surrogate pair becomes U+FFFD, a whole one its character, and what browsers change is escaped")
    func unicode() {
        var bench = SockJSBench()
        _ = bench.post("/0/s/xhr")
        _ = bench.post("/0/s/xhr_send", #"["\ud83d\ude00","\ud83d","\ude00x","\ud83d\u0041"]"#)
        #expect(bench.messages == ["😀", "\u{FFFD}", "\u{FFFD}x", "\u{FFFD}A"])
        bench.send("\u{200c}\u{2028}\u{206f}\u{fff0}\u{ffff}é😀\"\\")
        #expect(bench.answer("POST", "/0/s/xhr").body == #"a["\u200c\u2028\u206f\ufff0\uffffé😀\"\\"]"# + "\n")
    }

    @Test("Info, greeting and iframe say what the protocol wants, and are cached or not")
    func pages() {
        var bench = SockJSBench { $0.setsCookie = true }
        for path in ["", "/"] { #expect(bench.answer("GET", path) == (200, "Welcome to SockJS!\n")) }
        let info = bench.request("GET", "/info", headers: ["origin": "https://page.example"])
        #expect(bench.text(info).hasPrefix(#"{"websocket":true,"origins":["*:*"],"cookie_needed":true,"entropy":"#))
        let headers = bench.responses[info]?.headers
        #expect(headers?.first("access-control-allow-origin") == "https://page.example")
        #expect(headers?.first("cache-control") == "no-store, no-cache, must-revalidate, max-age=0")
        #expect(headers?.first("set-cookie") == nil)
        let iframe = bench.request("GET", "/iframe-0.1.2abc.html?t=1")
        let tag = bench.responses[iframe]?.headers.first("etag") ?? ""
        #expect(bench.text(iframe).contains("bootstrap_iframe"))
        #expect(bench.answer("GET", "/iframe.html", headers: ["if-none-match": tag]) == (304, ""))
        let poll = bench.request("POST", "/0/s/xhr", headers: ["cookie": "a=b; JSESSIONID=abcdef"])
        #expect(bench.responses[poll]?.headers.first("set-cookie") == "JSESSIONID=abcdef; path=/")
    }

    @Test("Preflights are answered for a year", arguments: [nil, "test", "null"])
    func preflight(origin: String?) {
        var bench = SockJSBench()
        var asked: SignalingHeaders = ["access-control-request-headers": "a, b"]
        if let origin { asked.add("origin", origin) }
        let exchange = bench.request("OPTIONS", "/abc/abc/xhr_streaming", headers: asked)
        let headers = bench.responses[exchange]?.headers
        #expect(bench.responses[exchange]?.status == 204)
        #expect(headers?.first("access-control-allow-methods") == "OPTIONS, POST")
        #expect(headers?.first("access-control-allow-origin") == (origin == "test" ? "test" : "*"))
        #expect(headers?.first("access-control-allow-headers") == "a, b")
        #expect(headers?.first("access-control-max-age") == "31536000")
        #expect(headers?.first("expires") != nil)
    }

    @Test("Random requests never trap, and leave nothing behind", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var bench = SockJSBench { $0.maximumUnsentBytes = 150 }
        let kinds = ["xhr", "xhr_send", "xhr_streaming", "eventsource", "htmlfile?c=x", "jsonp?c=x", "jsonp_send"]
        var exchanges: [ExchangeID] = []
        for _ in 0..<3000 {
            switch Int.random(in: 0..<8, using: &random) {
            case 0: bench.send(String(repeating: "x", count: Int.random(in: 0..<40, using: &random)))
            case 1: bench.close(3000, "")
            case 2: bench.pass(.milliseconds(Int64.random(in: 0..<9000, using: &random)))
            case 3:
                if let exchange = exchanges.randomElement(using: &random), !bench.ended.contains(exchange) {
                    bench.service.exchangeEnded(exchange, now: bench.now)
                    bench.drain()
                }
            case 4:
                if let exchange = exchanges.randomElement(using: &random) {
                    bench.service.setWritable(exchange, Bool.random(using: &random), now: bench.now)
                    bench.drain()
                }
            default:
                let kind = kinds.randomElement(using: &random) ?? ""
                let method = Bool.random(using: &random) ? "GET" : "POST"
                let key = Int.random(in: 0..<5, using: &random)
                exchanges.append(
                    bench.request(method, "/0/\(key)/\(kind)", Bool.random(using: &random) ? "[\"m\"]" : "[")
                )
            }
        }
        for exchange in exchanges where !bench.ended.contains(exchange) {
            bench.service.exchangeEnded(exchange, now: bench.now)
            bench.drain()
        }
        for _ in 0..<3 { bench.pass(.seconds(30)) }
        #expect(bench.service.sessionCount == 0)
        #expect(bench.service.nextTimeout == nil)
        #expect(bench.opened.count == bench.closed.count)
    }
}
