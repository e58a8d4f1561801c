import NIOCore
import RTCBase
import Testing

@testable import RTCSignaling

@Suite struct EngineIOClientSessionTests {
    typealias Session = EngineIOClientSession

    static let handshake = #"0{"sid":"a b","upgrades":["websocket"],"pingInterval":1000,"pingTimeout":500}"#

    /// A session, what it wants, and its time.
    struct Bench {
        var session: Session
        var now = NIODeadline.uptimeNanoseconds(1)

        init(query: String? = nil, _ change: (inout SocketIOClientConfiguration) -> Void = { _ in }) {
            var configuration = SocketIOClientConfiguration()
            change(&configuration)
            var random = RandomSource.seeded(7)
            self.session = Session(query: query, configuration: configuration, now: self.now, random: &random)
        }

        mutating func outputs() -> [Session.Output] {
            var outputs: [Session.Output] = []
            while let output = self.session.poll() { outputs.append(output) }
            return outputs
        }

        mutating func receive(_ report: Session.Report) -> [Session.Output] {
            self.session.receive(report, now: self.now)
            return self.outputs()
        }

        /// The answer to a `GET`.
        mutating func answer(_ packets: String..., status: Int = 200) -> [Session.Output] {
            let payload = packets.map { "\($0.utf16.count):\($0)" }.joined()
            let body = ByteBuffer(string: status == 200 ? payload : packets.joined())
            return self.receive(.response(.get, Session.Response(status: status, isBinary: false, body: body)))
        }

        mutating func pass(_ time: TimeAmount) -> [Session.Output] {
            self.now = self.now + time
            self.session.handleTimeout(now: self.now)
            return self.outputs()
        }
    }

    /// Macros do not take what changes a value.
    static func same<Value: Equatable>(
        _ value: Value,
        _ expected: Value,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(value == expected, sourceLocation: sourceLocation)
    }

    static func posted(_ outputs: [Session.Output]) -> [WebSocketMessage] {
        outputs.compactMap { if case .perform(.post(_, let body)) = $0 { body } else { nil } }
    }

    static let ok = Session.Report.response(
        .post,
        Session.Response(status: 200, isBinary: false, body: ByteBuffer(string: "ok"))
    )

    @Test("Queries name the revision, the transport, the session and what the owner wants, and no two are the same")
    func queries() {
        var bench = Bench(query: "token=1") { $0.forcesBase64 = true }
        var queries: [String] = []
        for output in bench.outputs() + bench.answer(Self.handshake) {
            if case .perform(.get(let query)) = output { queries.append(query) }
            if case .perform(.openWebSocket(let query)) = output { queries.append(query) }
        }
        #expect(queries.count == 3 && Set(queries).count == 3)
        #expect(queries.allSatisfy { $0.hasPrefix("token=1&EIO=3&transport=") && $0.contains("&b64=1") })
        #expect(!queries[0].contains("sid"))
        #expect(queries[1].contains("transport=websocket") && queries[1].hasSuffix("&sid=a%20b"))
        #expect(queries[2].contains("transport=polling") && queries[2].hasSuffix("&sid=a%20b"))
    }

    @Test("An upgrade waits for the probe and for what is under way, and what waits meanwhile goes over the WebSocket")
    func upgrade() {
        var bench = Bench()
        _ = bench.outputs()
        _ = bench.answer(Self.handshake)
        bench.session.send([.text("before")])
        Self.same(Self.posted(bench.outputs()), [.text("7:4before")])
        Self.same(bench.receive(.webSocketOpened), [.perform(.transmit(.text("2probe")))])
        Self.same(bench.receive(.webSocketMessage(.text("3probe"))), [])
        #expect(!bench.session.canSend)
        bench.session.send([.text("meanwhile")])
        Self.same(bench.receive(Self.ok), [])
        #expect(bench.session.confirmed == 1)
        Self.same(
            bench.answer("4last", "6"),
            [
                .message(.text("last")), .perform(.transmit(.text("5"))), .upgraded,
                .perform(.transmit(.text("4meanwhile"))),
            ]
        )
        Self.same(bench.receive(.webSocketMessage(.text("4hello"))), [.message(.text("hello"))])
    }

    @Test("A probe with another answer, or none in time, is dropped", arguments: ["3other", "", "4probe", "time"])
    func badProbe(answer: String) {
        var bench = Bench { $0.upgradeTimeout = .milliseconds(100) }
        _ = bench.outputs()
        _ = bench.answer(Self.handshake)
        _ = bench.receive(.webSocketOpened)
        let outputs =
            answer == "time" ? bench.pass(.milliseconds(100)) : bench.receive(.webSocketMessage(.text(answer)))
        #expect(outputs == [.perform(.closeWebSocket)])
        Self.same(bench.receive(.webSocketMessage(.text("4late"))), [])
        Self.same(bench.receive(.webSocketEnded(nil)), [])
        bench.session.send([.text("a")])
        Self.same(Self.posted(bench.outputs()), [.text("2:4a")])
    }

    @Test("Payloads have few packets, bounded bytes, and nothing behind characters that are counted in two ways")
    func batches() {
        var bench = Bench { $0.transport = .polling }
        _ = bench.outputs()
        _ = bench.answer(Self.handshake)
        for _ in 0..<20 { bench.session.send([.text("a")]) }
        bench.session.send([.text("\u{1F600}")])
        bench.session.send([.text(String(repeating: "b", count: 70_000))])
        bench.session.send([.binary(ByteBuffer(bytes: [1]))])
        var bodies = Self.posted(bench.outputs())
        while case let more = Self.posted(bench.receive(Self.ok)), !more.isEmpty { bodies += more }
        let sizes = bodies.map(\.size)
        #expect(sizes == [16 * 4, 4 * 4 + 7, 70_001 + 6, 5])
        #expect(bodies.last == .binary(ByteBuffer(bytes: [1, 2, 255, 4, 1])))
        #expect(bench.session.confirmed == bench.session.sent && bench.session.sent == 23)
    }

    @Test("Where bytes do not come through, base64 does")
    func base64() {
        var bench = Bench {
            $0.forcesBase64 = true
            $0.transport = .polling
        }
        _ = bench.outputs()
        _ = bench.answer(Self.handshake)
        bench.session.send([.binary(ByteBuffer(bytes: [1, 2, 3]))])
        Self.same(Self.posted(bench.outputs()), [.text("6:b4AQID")])
        Self.same(bench.answer("b4AQID").first, .message(.binary(ByteBuffer(bytes: [1, 2, 3]))))
        var socket = Bench {
            $0.forcesBase64 = true
            $0.transport = .webSocket
        }
        _ = socket.outputs()
        _ = socket.receive(.webSocketMessage(.text(Self.handshake)))
        socket.session.send([.binary(ByteBuffer(bytes: [1, 2, 3]))])
        Self.same(socket.outputs(), [.perform(.transmit(.text("b4AQID")))])
    }

    @Test("Engine.IO 4 is recognised by its refusals, the form of its payloads and its pings")
    func otherRevision() {
        let refusals = [
            #"{"code":5,"message":"Unsupported protocol version"}"#,
            #""The client is using an unsupported version of the Socket.IO or Engine.IO protocols""#,
        ]
        let newer = #"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#
        var ends: [Session.Output?] = []
        for refusal in refusals {
            var bench = Bench()
            _ = bench.outputs()
            ends.append(bench.answer(refusal, status: 400).last)
            // A WebSocket's refusal says nothing: a request asks.
            var socket = Bench { $0.transport = .webSocket }
            _ = socket.outputs()
            let asked = socket.receive(.webSocketEnded(.refused(status: 400, reason: "Bad Request")))
            guard case .perform(.get)? = asked.last else {
                Issue.record("\(asked)")
                continue
            }
            ends.append(socket.answer(refusal, status: 400).last)
        }
        var polling = Bench()
        _ = polling.outputs()
        let body = ByteBuffer(string: newer)
        ends.append(polling.receive(.response(.get, Session.Response(status: 200, isBinary: false, body: body))).last)
        var pinging = Bench { $0.transport = .webSocket }
        _ = pinging.outputs()
        _ = pinging.receive(.webSocketMessage(.text(Self.handshake)))
        ends.append(pinging.receive(.webSocketMessage(.text("2"))).last)
        #expect(ends.count == 6)
        for end in ends {
            guard case .closed(.unsupportedProtocol)? = end else {
                Issue.record("\(String(describing: end))")
                continue
            }
        }
    }

    @Test("A server of Engine.IO 4 that takes revision 3 is taken, though it names its largest payload")
    func allowedRevision() {
        let newer = #"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#
        var polling = Bench()
        _ = polling.outputs()
        Self.same(polling.answer(newer).first, .opened)
        var socket = Bench { $0.transport = .webSocket }
        _ = socket.outputs()
        Self.same(socket.receive(.webSocketMessage(.text(newer))), [.opened])
    }

    @Test("A refused handshake says what the server says")
    func refusals() {
        var bench = Bench()
        _ = bench.outputs()
        let forbidden = bench.answer(#"{"code":4,"message":"Forbidden"}"#, status: 403)
        #expect(forbidden == [.closed(.refused(code: .forbidden, message: "Forbidden"))])
        var socket = Bench { $0.transport = .webSocket }
        _ = socket.outputs()
        let refusal = SignalingChannelError.refused(status: 400, reason: "Bad Request")
        _ = socket.receive(.webSocketEnded(refusal))
        Self.same(socket.answer(Self.handshake), [.closed(.channel(refusal))])
    }

    @Test(
        "Broken handshakes end the session",
        arguments: [
            "", "1:6", "4:4abc", "2:0{", #"18:0{"sid":"a","x":1}"#,
            #"55:0{"sid":"","upgrades":[],"pingInterval":1,"pingTimeout":1}"#, "9:x", "0:", "junk",
        ]
    )
    func brokenHandshakes(payload: String) {
        var bench = Bench()
        _ = bench.outputs()
        let body = ByteBuffer(string: payload)
        let outputs = bench.receive(.response(.get, Session.Response(status: 200, isBinary: false, body: body)))
        guard case .closed(.channel(.protocolViolation))? = outputs.last else {
            Issue.record("\(outputs)")
            return
        }
        #expect(bench.session.nextTimeout == nil && bench.session.isClosed)
    }

    @Test("Times that a server may not ask for are made such that it may")
    func times() {
        for (interval, gap) in [("-5", 100), ("0", 100), ("1e300", 1_000_000_000)] as [(String, Int64)] {
            var bench = Bench { $0.transport = .polling }
            _ = bench.outputs()
            _ = bench.answer(#"0{"sid":"a","upgrades":[],"pingInterval":\#(interval),"pingTimeout":1e300}"#)
            #expect(bench.session.nextTimeout == bench.now + .milliseconds(gap))
        }
    }

    @Test("A closed session says so after what was sent, and does not wait for ever")
    func closing() {
        var bench = Bench { $0.transport = .polling }
        _ = bench.outputs()
        _ = bench.answer(Self.handshake)
        bench.session.send([.text("last")])
        bench.session.close(now: bench.now)
        Self.same(Self.posted(bench.outputs()), [.text("5:4last1:1")])
        Self.same(bench.receive(Self.ok), [.closed(nil)])
        #expect(bench.session.confirmed == 1)

        var slow = Bench { $0.transport = .webSocket }
        _ = slow.outputs()
        _ = slow.receive(.webSocketMessage(.text(Self.handshake)))
        slow.session.send([.text("last")])
        slow.session.close(now: slow.now)
        Self.same(
            slow.outputs(),
            [
                .perform(.transmit(.text("4last"))), .perform(.transmit(.text("2"))), .perform(.transmit(.text("1"))),
            ]
        )
        Self.same(slow.pass(.seconds(5)), [.closed(nil)])
        #expect(slow.session.confirmed == 0 && slow.session.sent == 1)
    }

    @Test("What was sent before a close counts as arrived when a ping behind it is answered, and not for the end alone")
    func closingWebSocket() {
        for isAnswered in [true, false] {
            var bench = Bench { $0.transport = .webSocket }
            _ = bench.outputs()
            _ = bench.receive(.webSocketMessage(.text(Self.handshake)))
            bench.session.send([.text("last")])
            bench.session.close(now: bench.now)
            _ = bench.outputs()
            if isAnswered { Self.same(bench.receive(.webSocketMessage(.text("3"))), [.perform(.closeWebSocket)]) }
            Self.same(bench.receive(.webSocketEnded(nil)), [.closed(nil)])
            #expect(bench.session.confirmed == (isAnswered ? 1 : 0))
        }
    }

    @Test("An answer to a ping proves what was sent before that ping, and not what was sent before a later one")
    func latePongs() {
        var bench = Bench { $0.transport = .webSocket }
        _ = bench.outputs()
        _ = bench.receive(.webSocketMessage(.text(Self.handshake)))
        for _ in 0..<2 {
            bench.session.send([.text("a")])
            _ = bench.receive(.webSocketMessage(.text("6")))
            _ = bench.pass(.seconds(1))
            bench.session.send([.text("b")])
        }
        _ = bench.receive(.webSocketMessage(.text("3")))
        #expect(bench.session.confirmed == 1)
        _ = bench.receive(.webSocketMessage(.text("3")))
        #expect(bench.session.confirmed == 3)
        for _ in 0..<3 { _ = bench.receive(.webSocketMessage(.text("3"))) }
        #expect(bench.session.confirmed == 3 && bench.session.sent == 4)
        // Any number of pings is answered in its order, and those beyond a bound prove nothing.
        for _ in 0..<Session.maximumPings + 10 {
            bench.session.send([.text("c")])
            _ = bench.receive(.webSocketMessage(.text("6")))
            _ = bench.pass(.seconds(1))
        }
        for _ in 0..<Session.maximumPings + 10 { _ = bench.receive(.webSocketMessage(.text("3"))) }
        #expect(bench.session.confirmed == 4 + UInt64(Session.maximumPings))
    }
}
