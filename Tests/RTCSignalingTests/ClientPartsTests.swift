import NIOCore
import RTCBase
import RTCSignaling
import Testing

@Suite struct EventStreamReaderTests {
    static let text = """
        \u{FEFF}: comment\nretry: 10\n\nid: 1\ndata: one\n\ndata:two\r\ndata: lines\r\n\r\n\
        event: close\rdata: {}\r\rid: 7\ndata\n\nunknown: x\n\nid: \0\ndata:  kept space\n\ndata: not whole
        """

    @Test("Events are the standard's, wherever the stream is cut", arguments: [1, 2, 3, 5, 1000])
    func events(size: Int) throws {
        var reader = EventStreamReader(limit: 100)
        var events: [StreamEvent] = []
        var bytes = ByteBuffer(string: Self.text)
        while let piece = bytes.readSlice(length: min(size, bytes.readableBytes)), piece.readableBytes > 0 {
            events += try reader.receive(piece)
        }
        #expect(events.map(\.data) == ["one", "two\nlines", "{}", "", " kept space"])
        #expect(events.map(\.id) == ["1", "1", "1", "7", "7"])
        #expect(events.map(\.name) == ["message", "message", "close", "message", "message"])
    }

    @Test("An event has a bound, comments do not count up to it")
    func limit() throws {
        var reader = EventStreamReader(limit: 100)
        for _ in 0..<100 { _ = try reader.receive(ByteBuffer(string: ":\n\n: a sign of life\n\n")) }
        #expect(throws: EventStreamReader.TooLarge.self) {
            for _ in 0..<100 { _ = try reader.receive(ByteBuffer(string: "data: xxxx\n")) }
        }
        var lines = LineReader(limit: 4)
        #expect(try lines.receive(ByteBuffer(string: "a\n\nbcde\nf")) == ["a", "", "bcde"])
        #expect(throws: LineReader.TooLarge.self) { try lines.receive(ByteBuffer(string: "fffff")) }
    }
}

@Suite struct SockJSFrameTests {
    @Test("What a server writes a client reads")
    func roundTrip() {
        let frames: [SockJSFrame] = [
            .open, .heartbeat, .messages([]), .messages(["a", "\"\\\n\u{2028}\u{1F600}"]),
            .close(code: 3000, reason: "Go, \"away\"!"),
        ]
        for frame in frames { #expect(SockJSFrame(frame.text) == frame) }
        #expect(SockJSFrame("m\"one\"") == .messages(["one"]))
        #expect(SockJSFrame("c[ 1000 , \"\" ]") == .close(code: 1000, reason: ""))
    }

    @Test(
        "What is no frame is none",
        arguments: [
            "", "x", "oo", "h ", "a", "a[", "a[1]", "a{}", "c", "c[]", "c[1000]", "c[x,\"\"]", "c[1,2]", "m", "m[]",
        ]
    )
    func broken(text: String) { #expect(SockJSFrame(text) == nil) }
}

@Suite struct RetryScheduleTests {
    @Test("It waits longer each time, never less than the server wants, and gives up in the end")
    func schedule() {
        var schedule = RetrySchedule(limit: .seconds(30), random: .seeded(3))
        var now = NIODeadline.uptimeNanoseconds(0)
        var delays: [TimeAmount] = []
        while let delay = schedule.failed(now: now) {
            delays.append(delay)
            now = now + delay
        }
        #expect(delays[0] <= .milliseconds(100) && delays.count > 8 && delays.count < 25)
        #expect(delays.allSatisfy { $0 <= .seconds(5) } && delays.last.map { $0 >= .milliseconds(2500) } == true)
        schedule.succeeded()
        #expect(schedule.failed(atLeast: .seconds(7), now: now) == .seconds(7))
    }

    @Test("What is reached in between is never given up, and tried again soon if it went on for a while")
    func reached() throws {
        var schedule = RetrySchedule(limit: .seconds(30), random: .seeded(4))
        var now = NIODeadline.uptimeNanoseconds(0)
        for _ in 0..<100 {
            let delay = schedule.failed(now: now)
            #expect(try #require(delay) <= .milliseconds(100))
            schedule.reached(now: now)
            now = now + .seconds(25)
        }
        // One that is cut off at once each time is not asked all the time.
        for _ in 0..<100 {
            let delay = schedule.failed(now: now)
            now = now + (try #require(delay))
            schedule.reached(now: now)
        }
        let last = schedule.failed(now: now)
        #expect(try #require(last) >= .milliseconds(2500))
    }
}

@Suite struct STOMPClientConnectionTests {
    static let start = NIODeadline.uptimeNanoseconds(1_000_000_000)

    static func drain(_ connection: inout STOMPClientConnection) -> [STOMPClientConnection.Output] {
        var outputs: [STOMPClientConnection.Output] = []
        while let output = connection.poll() { outputs.append(output) }
        return outputs
    }

    /// A connection that a broker took in with these headers.
    static func connected(_ headers: String) -> STOMPClientConnection {
        var connection = STOMPClientConnection(host: "x", configuration: STOMPClientConfiguration(), now: self.start)
        connection.receive(ByteBuffer(string: "CONNECTED\n\(headers)\n\0"), now: self.start)
        return connection
    }

    @Test("CONNECT says who, where to and what this side can")
    func connect() {
        var configuration = STOMPClientConfiguration()
        configuration.login = "bob"
        configuration.passcode = "se:cret"
        configuration.host = "/"
        var connection = STOMPClientConnection(host: "x", configuration: configuration, now: Self.start)
        guard case .transmit(let bytes)? = connection.poll() else {
            Issue.record("nothing")
            return
        }
        let text = String(buffer: bytes)
        #expect(text.hasPrefix("CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\nheart-beat:10000,10000\n"))
        #expect(text.contains("\nlogin:bob\npasscode:se:cret\n"))
        #expect(!"\(configuration)".contains("se:cret"))
    }

    @Test("The version that the broker chose is spoken; one that was not offered is the end")
    func versions() {
        var connection = Self.connected("version:1.1\n")
        connection.receive(
            ByteBuffer(string: "MESSAGE\na\\cb:c\\\\d\n\nx\0RECEIPT\nreceipt-id:r\n\n\0"),
            now: Self.start
        )
        let outputs = Self.drain(&connection)
        guard case .connected = outputs[1], case .message(let message) = outputs[2] else {
            Issue.record("\(outputs)")
            return
        }
        #expect(connection.version == .v1_1 && message["a:b"] == "c\\d" && outputs[3] == .receipt("r"))
        var old = Self.connected("session:1\n")
        _ = Self.drain(&old)
        #expect(old.version == .v1_0)
        var unknown = Self.connected("version:2.0\n")
        #expect(Self.drain(&unknown).last == .closed(.protocolViolation(reason: "a version that was not offered")))
    }

    @Test("Heart-beats go out at the slower pace, and silence of twice the time is the end")
    func heartbeats() {
        var connection = Self.connected("version:1.2\nheart-beat:20000,15000\n")
        _ = Self.drain(&connection)
        #expect(connection.nextTimeout == Self.start + .seconds(15))
        connection.handleTimeout(now: Self.start + .seconds(15))
        #expect(Self.drain(&connection) == [.transmit(ByteBuffer(string: "\n"))])
        _ = connection.encode(STOMPFrame("SEND"), now: Self.start + .seconds(20))
        #expect(connection.nextTimeout == Self.start + .seconds(35))
        connection.receive(ByteBuffer(string: "\n"), now: Self.start + .seconds(30))
        connection.setReading(false, now: Self.start + .seconds(31))
        connection.handleTimeout(now: Self.start + .seconds(1000))
        #expect(Self.drain(&connection) == [.transmit(ByteBuffer(string: "\n"))])
        connection.setReading(true, now: Self.start + .seconds(1000))
        connection.handleTimeout(now: Self.start + .seconds(1040))
        #expect(Self.drain(&connection) == [.closed(.silence)])
        #expect(connection.nextTimeout == nil)
    }

    @Test("A broker that does not answer, errs or breaks the protocol is the end")
    func ends() {
        var silent = STOMPClientConnection(host: "x", configuration: STOMPClientConfiguration(), now: Self.start)
        silent.handleTimeout(now: Self.start + .seconds(10))
        #expect(Self.drain(&silent).last == .closed(.silence))
        var refusing = STOMPClientConnection(host: "x", configuration: STOMPClientConfiguration(), now: Self.start)
        refusing.receive(ByteBuffer(string: "ERROR\nmessage:who?\n\ntext\0MESSAGE\n\n\0"), now: Self.start)
        guard case .closed(.error(let frame))? = Self.drain(&refusing).last else {
            Issue.record("not closed")
            return
        }
        #expect(frame["message"] == "who?")
        for text in ["MESSAGE\n\n\0", "CONNECTED\nversion:1.2\n\n\0CONNECTED\n\n\0", "RECEIPT\n\n\0", "lower\n\n\0"] {
            // Before CONNECTED and after it, other frames are wrong.
            let isEarly = text.hasPrefix("CONNECTED") || text.hasPrefix("MESSAGE")
            var broken =
                isEarly
                ? STOMPClientConnection(host: "x", configuration: STOMPClientConfiguration(), now: Self.start)
                : Self.connected("version:1.2\n")
            broken.receive(ByteBuffer(string: text), now: Self.start)
            guard case .closed(.protocolViolation)? = Self.drain(&broken).last else {
                Issue.record("\(text)")
                continue
            }
        }
    }

    @Test("Random bytes never trap", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        for _ in 0..<1000 {
            var connection = Self.connected(
                "version:1.2\nheart-beat:\(Int64.random(in: 0...Int64.max, using: &random)),1\n"
            )
            var bytes = Array("MESSAGE\nsubscription:0\ncontent-length:3\n\nabc\0\nRECEIPT\nreceipt-id:1\n\n\0".utf8)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            connection.receive(ByteBuffer(bytes: bytes), now: Self.start)
            _ = Self.drain(&connection)
        }
    }
}
