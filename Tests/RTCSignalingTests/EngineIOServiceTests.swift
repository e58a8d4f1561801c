import NIOCore
import RTCBase
import Testing

@testable import RTCSignaling

@Suite struct EngineIOServiceTests {
    @Test("Polling: handshake, messages both ways, pings, the end")
    func polling() throws {
        var bench = EngineIOBench()
        let handshake = bench.request("GET", "EIO=3&transport=polling")
        let id = try #require(bench.opened.first)
        #expect(id.text.utf8.count == 20)
        let open = """
            0{"sid":"\(id.text)","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000}
            """
        #expect(bench.text(handshake) == "\(open.utf8.count):\(open)")
        let cookie = bench.responses[handshake]?.headers.first("set-cookie")
        #expect(cookie == "io=\(id.text); Path=/; HttpOnly; SameSite=Lax")
        let poll = bench.get(id)
        #expect(bench.text(poll) == nil)
        bench.send(.text("é😀"), id)
        // Two code units of UTF-16 for the second character.
        #expect(bench.text(poll) == "4:4é😀")
        bench.post(id, "6:4a:b 12:2x3:4😀", text: "ok")
        #expect(bench.messages == [.text("a:b 1"), .text("😀")])
        bench.get(id, text: "2:3x")
        let last = bench.get(id)
        bench.post(id, "1:1", text: "ok")
        #expect(bench.text(last) == "1:1")
        #expect(bench.closed == [.remote])
        #expect(bench.service.sessionCount == 0 && bench.service.nextTimeout == nil)
        bench.get(id, text: #"{"code":1,"message":"Session ID unknown"}"#)
    }

    @Test("Bytes go as bytes, as base64 to who cannot take them, and come in both forms")
    func binary() {
        var bench = EngineIOBench()
        let id = bench.open()
        bench.send(.text("é"), id)
        bench.send(.binary(ByteBuffer(bytes: [1, 2, 255])), id)
        let poll = bench.get(id)
        let body: [UInt8] = [0, 3, 255, 0x34, 0xC3, 0xA9, 1, 4, 255, 4, 1, 2, 255]
        #expect(bench.responses[poll]?.body == ByteBuffer(bytes: body))
        #expect(bench.responses[poll]?.headers.first("content-type") == "application/octet-stream")
        let type: SignalingHeaders = ["content-type": "application/octet-stream"]
        bench.request("POST", "EIO=3&transport=polling&sid=\(id.text)", headers: type, ByteBuffer(bytes: body))
        #expect(bench.messages == [.text("é"), .binary(ByteBuffer(bytes: [1, 2, 255]))])
        bench.send(.binary(ByteBuffer(bytes: [1, 2, 255])), id)
        bench.get(id, "&b64=1", text: "6:b4AQL/")
        bench.post(id, "6:b4AQL/")
        #expect(bench.messages.last == .binary(ByteBuffer(bytes: [1, 2, 255])))
    }

    @Test("JSONP: a script with a number only, and forms whose newlines are escaped")
    func jsonp() {
        var bench = EngineIOBench()
        let id = bench.open("&j=0")
        #expect(bench.text(ExchangeID(rawValue: 1))?.hasPrefix(#"___eio[0]("97:0{\"sid\":"#) == true)
        bench.send(.text("</script>\u{2028}"), id)
        let poll = bench.get(id, "&j=12);alert(1")
        #expect(bench.text(poll) == #"___eio[121]("11:4</script>\u2028");"#)
        #expect(bench.responses[poll]?.headers.first("x-content-type-options") == "nosniff")
        let form: SignalingHeaders = ["content-type": "application/x-www-form-urlencoded"]
        let query = "EIO=3&transport=polling&j=1&sid=\(id.text)"
        // Encoded once: `6:4a\nb\\nc`, where the first pair is a newline.
        bench.request("POST", query, headers: form, ByteBuffer(string: "d=7%3A4a%5Cnb%5C%5Cnc"))
        #expect(bench.messages == [.text("a\nb\\nc")])
    }

    @Test("A WebSocket carries a session from its beginning")
    func webSocket() throws {
        var bench = EngineIOBench()
        let webSocket = try bench.openWebSocket()
        let id = try #require(bench.opened.first)
        guard case .text(let open)? = bench.sent[webSocket]?.first else {
            Issue.record("no handshake")
            return
        }
        #expect(open.hasPrefix(#"0{"sid":"\#(id.text)","upgrades":[],"#))
        bench.receive(.text("2"), webSocket)
        bench.receive(.text("4hello"), webSocket)
        bench.receive(.binary(ByteBuffer(bytes: [4, 9])), webSocket)
        #expect(bench.messages == [.text("hello"), .binary(ByteBuffer(bytes: [9]))])
        bench.send(.binary(ByteBuffer(bytes: [7])), id)
        #expect(bench.sent[webSocket]?.suffix(2) == [.text("3"), .binary(ByteBuffer(bytes: [4, 7]))])
        bench.get(id, status: 400)
        bench.service.close(id, now: bench.now)
        bench.drain()
        #expect(bench.sent[webSocket]?.last == .text("1"))
        #expect(bench.closedWebSockets == [webSocket] && bench.closed == [.local])
        #expect(bench.service.sessionCount == 0)
    }

    @Test("An upgrade releases polls, loses nothing and shuts the old way")
    func upgrade() throws {
        var bench = EngineIOBench()
        let id = bench.open("&b64=1")
        let poll = bench.get(id, "&b64=1")
        let webSocket = try bench.openWebSocket(id)
        let second = bench.tryToOpenWebSocket(id)
        #expect(second == nil)
        bench.receive(.text("2probe"), webSocket)
        #expect(bench.sent[webSocket] == [.text("3probe")])
        #expect(bench.text(poll) == "1:6")
        // A client that does not know yet polls again, and is told again, not at once.
        let again = bench.get(id)
        #expect(bench.text(again) == nil)
        bench.pass(.milliseconds(100))
        #expect(bench.text(again) == "1:6")
        bench.send(.text("while nobody polls"), id)
        bench.receive(.text("5"), webSocket)
        #expect(bench.upgraded == [id])
        #expect(bench.sent[webSocket] == [.text("3probe"), .text("4while nobody polls")])
        // Over this transport the client did not ask for base64.
        bench.send(.binary(ByteBuffer(bytes: [1])), id)
        #expect(bench.sent[webSocket]?.last == .binary(ByteBuffer(bytes: [4, 1])))
        bench.get(id, text: #"{"code":3,"message":"Bad request"}"#)
        bench.service.webSocketEnded(webSocket, now: bench.now)
        bench.drain()
        #expect(bench.closed == [.transportClosed])
    }

    @Test(
        "A WebSocket that only tries leaves the session as it is when it fails",
        arguments: ["4early", "", "time", "end"]
    )
    func failedUpgrade(how: String) throws {
        var bench = EngineIOBench()
        let id = bench.open()
        let webSocket = try bench.openWebSocket(id)
        switch how {
        case "time": bench.pass(.seconds(10))
        case "end": bench.service.webSocketEnded(webSocket, now: bench.now)
        default: bench.receive(.text(how), webSocket)
        }
        bench.drain()
        #expect(bench.closedWebSockets.contains(webSocket) == (how != "end"))
        bench.send(.text("x"), id)
        bench.get(id, text: "2:4x")
        _ = try bench.openWebSocket(id)
        #expect(bench.closed.isEmpty && bench.messages.isEmpty)
    }

    @Test("Silence ends a session, packets keep it, polls do not")
    func silence() {
        var bench = EngineIOBench()
        let id = bench.open()
        bench.pass(.seconds(44))
        bench.post(id, "1:2")
        bench.pass(.seconds(44))
        #expect(bench.closed.isEmpty)
        bench.get(id, text: "1:3")
        let poll = bench.get(id)
        bench.pass(.seconds(1))
        #expect(bench.closed == [.pingTimeout])
        #expect(bench.text(poll) == "1:1")
        #expect(bench.service.sessionCount == 0)
    }

    @Test("Two polls at once, one that breaks off and a body too large end a session")
    func transportErrors() {
        var bench = EngineIOBench { $0.maximumBodySize = 10 }
        var id = bench.open()
        let first = bench.get(id)
        bench.get(id, status: 500)
        #expect(bench.text(first) == "1:1")
        id = bench.open()
        let poll = bench.get(id)
        bench.service.exchangeEnded(poll, now: bench.now)
        bench.drain()
        id = bench.open()
        bench.post(id, "10:4123456789", status: 413)
        #expect(bench.closed == [.transportError, .transportError, .transportError])
        #expect(bench.service.sessionCount == 0)
    }

    @Test("A client that takes nothing is cut off; one that is closed hears it in its next poll, in portions")
    func unsent() {
        var bench = EngineIOBench { $0.maximumUnsentBytes = 1000 }
        let slow = bench.open()
        for _ in 0..<2 { bench.send(.text(String(repeating: "a", count: 600)), slow) }
        #expect(bench.closed == [.tooSlow])
        bench.get(slow, text: "1:1")
        // Empty messages are not free of charge, nor are the answers to pings.
        let empty = bench.open()
        for _ in 0..<32 { bench.send(.text(""), empty) }
        #expect(bench.closed == [.tooSlow, .tooSlow])
        let pinging = bench.open()
        bench.post(pinging, String(repeating: "1:2", count: 32))
        #expect(bench.closed == [.tooSlow, .tooSlow, .tooSlow])
        for id in [empty, pinging] { bench.get(id, text: "1:1") }
        let id = bench.open()
        for _ in 0..<20 { bench.send(.text("x"), id) }
        bench.service.close(id, now: bench.now)
        bench.drain()
        bench.get(id, text: String(repeating: "2:4x", count: 16))
        bench.post(id, "2:4y", status: 400)
        bench.get(id, text: String(repeating: "2:4x", count: 4) + "1:1")
        #expect(bench.service.sessionCount == 0)
        let gone = bench.open()
        bench.service.close(gone, now: bench.now)
        bench.pass(.seconds(5))
        #expect(bench.service.sessionCount == 0 && bench.messages.isEmpty)
    }

    @Test(
        "What is no session is refused with a code",
        arguments: [
            ("GET", "EIO=3&transport=none", 400, 0), ("GET", "EIO=3&transport=polling&sid=x", 400, 1),
            ("POST", "EIO=3&transport=polling", 400, 2), ("GET", "EIO=3&transport=websocket", 400, 3),
            ("GET", "EIO=4&transport=polling", 400, 5), ("GET", "EIO=&transport=polling", 400, 5),
        ]
    )
    func refusals(method: String, query: String, status: Int, code: Int) {
        var bench = EngineIOBench()
        let exchange = bench.request(method, query, headers: ["origin": "https://page.example"])
        #expect(bench.status(exchange) == status)
        #expect(bench.text(exchange)?.hasPrefix("{\"code\":\(code),") == true)
        let headers = bench.responses[exchange]?.headers
        #expect(headers?.first("access-control-allow-origin") == "https://page.example")
        #expect(headers?.first("access-control-allow-credentials") == "true")
    }

    @Test("There are no more sessions than allowed, and no transports that are switched off")
    func limits() {
        var bench = EngineIOBench {
            $0.maximumSessions = 1
            $0.hasWebSocket = false
            $0.cookieName = nil
        }
        let refusedWebSocket = bench.tryToOpenWebSocket()
        #expect(refusedWebSocket == nil)
        _ = bench.open()
        let refused = bench.request("GET", "transport=polling")
        #expect(bench.text(refused) == #"{"code":4,"message":"Forbidden"}"#)
        #expect(bench.status(refused) == 403)
        #expect(bench.responses[ExchangeID(rawValue: 1)]?.headers.first("set-cookie") == nil)
        #expect(bench.text(ExchangeID(rawValue: 1))?.contains(#""upgrades":[]"#) == true)
        let preflight = bench.request("OPTIONS", "transport=polling", headers: ["origin": "https://page.example"])
        #expect(bench.responses[preflight]?.headers.first("access-control-allow-methods") == "OPTIONS, GET, POST")
    }

    @Test(
        "Malformed payloads are none",
        arguments: ["x", ":", "1", "2:4", "0:", "1:9", "1:b", "3:b4A", "-1:4", "9999999999:4", "1:😀", "2:\u{e9}"]
    )
    func malformed(text: String) {
        #expect(EngineIOPayload.decode(text: ByteBuffer(string: text)) == nil)
        var bench = EngineIOBench()
        let id = bench.open()
        bench.post(id, text, status: 400)
        #expect(bench.closed == [.transportError])
    }

    @Test("Random clients never trap, and leave nothing behind", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        var bench = EngineIOBench(seed: seed) { $0.maximumUnsentBytes = 150 }
        let frames = ["2probe", "5", "4x", "2", "1", "6", "", "9", "b4AQID", "0{}"]
        var exchanges: [ExchangeID] = []
        var webSockets: [EngineIOWebSocketID] = []
        for _ in 0..<4000 {
            let id = bench.opened.suffix(6).randomElement(using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0: _ = bench.open()
            case 1:
                if let webSocket = bench.tryToOpenWebSocket(Bool.random(using: &random) ? id : nil) {
                    webSockets.append(webSocket)
                }
            case 2: if let id { exchanges.append(bench.get(id)) }
            case 3:
                if let id { bench.post(id, ["2:4x", "1:1", "1:2", "x", "1:6"].randomElement(using: &random) ?? "") }
            case 4, 5:
                if let webSocket = webSockets.suffix(6).randomElement(using: &random) {
                    bench.receive(.text(frames.randomElement(using: &random) ?? ""), webSocket)
                }
            case 6:
                if let id {
                    bench.send(.text(String(repeating: "x", count: Int.random(in: 0..<30, using: &random))), id)
                }
            case 7: bench.pass(.milliseconds(Int64.random(in: 0..<9000, using: &random)))
            case 8:
                if let exchange = exchanges.randomElement(using: &random), bench.responses[exchange] == nil {
                    bench.service.exchangeEnded(exchange, now: bench.now)
                }
                bench.drain()
            default:
                if let webSocket = webSockets.randomElement(using: &random) {
                    bench.service.webSocketEnded(webSocket, now: bench.now)
                }
                if let id, Int.random(in: 0..<4, using: &random) == 0 { bench.service.close(id, now: bench.now) }
                bench.drain()
            }
        }
        for _ in 0..<3 { bench.pass(.seconds(60)) }
        #expect(bench.service.sessionCount == 0, "seed \(seed)")
        #expect(bench.service.nextTimeout == nil, "seed \(seed)")
        #expect(bench.opened.count == bench.closed.count, "seed \(seed)")
    }
}
