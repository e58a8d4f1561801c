import NIOCore
import RTCBase
import RTCSignaling
import Testing

@Suite struct WebSocketClientHandshakeTests {
    typealias Handshake = WebSocketClientHandshake

    static func handshake(
        _ url: String = "ws://server.example/chat?room=1",
        deflate: WebSocketDeflateConfiguration? = nil
    ) throws -> Handshake {
        try Handshake(
            url: SignalingURL(url, schemes: [.ws, .wss]),
            subprotocols: ["chat", "superchat"],
            deflate: deflate,
            headers: ["Origin": "https://app.example"],
            random: .seeded(7)
        )
    }

    static func request(_ handshake: Handshake) -> SignalingRequest {
        let lines = String(buffer: handshake.request).split(separator: "\r\n")
        var headers = SignalingHeaders()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers.add(String(parts[0]), String(parts[1].drop { $0 == " " }))
        }
        let first = lines[0].split(separator: " ")
        return SignalingRequest(method: String(first[0]), target: String(first[1]), headers: headers)
    }

    /// The response of a server that does everything right, but for what is changed.
    static func response(
        to handshake: Handshake,
        status: String = "HTTP/1.1 101 Switching Protocols",
        change: (inout SignalingHeaders) -> Void = { _ in }
    ) throws -> ByteBuffer {
        let answer = try WebSocketHandshake(self.request(handshake), subprotocols: ["chat"])
        var headers = answer.responseHeaders
        change(&headers)
        let fields = headers.fields.map { "\($0.name): \($0.value)\r\n" }.joined()
        return ByteBuffer(string: "\(status)\r\n\(fields)\r\n")
    }

    @Test("The request is one that the server side takes")
    func request() throws {
        let handshake = try Self.handshake("wss://server.example:8443/chat?room=1")
        let request = Self.request(handshake)
        #expect(request.path == "/chat" && request.query == "room=1")
        #expect(request.headers.first("host") == "server.example:8443")
        #expect(request.headers.first("origin") == "https://app.example")
        #expect(try WebSocketHandshake(request, subprotocols: ["superchat"]).subprotocol == "superchat")
    }

    @Test("A response that comes byte by byte, after another one, opens the connection; what follows it is kept")
    func opens() throws {
        var handshake = try Self.handshake()
        var bytes = ByteBuffer(string: "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n")
        bytes.writeImmutableBuffer(try Self.response(to: handshake) { $0.add("set-cookie", "a=b") })
        while bytes.readableBytes > 1, let byte = bytes.readSlice(length: 1) {
            #expect(handshake.receive(byte) == .needsMore)
        }
        bytes.writeString("frames")
        guard case .opened(let opening) = handshake.receive(bytes) else {
            Issue.record("not opened")
            return
        }
        #expect(opening.subprotocol == "chat")
        #expect(opening.headers.first("set-cookie") == "a=b")
        #expect(String(buffer: opening.remainder) == "frames")
    }

    @Test(
        "An answer that is none to this handshake is refused",
        arguments: [
            ("another accept", "sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", false),
            ("two accepts", "sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", true),
            ("no accept", "sec-websocket-accept", "", false),
            ("another upgrade", "upgrade", "h2c", false),
            ("two upgrades", "upgrade", "h2c", true),
            ("no upgrade of the connection", "connection", "close", false),
            ("an extension", "sec-websocket-extensions", "permessage-deflate", true),
            ("another subprotocol", "sec-websocket-protocol", "mqtt", false),
            ("two subprotocols", "sec-websocket-protocol", "superchat", true),
        ]
    )
    func broken(name: String, field: String, value: String, isAdded: Bool) throws {
        var handshake = try Self.handshake()
        let response = try Self.response(to: handshake) {
            if isAdded { $0.add(field, value) } else { $0.set(field, value) }
        }
        let progress = handshake.receive(response)
        guard case .failed(.protocolViolation) = progress else {
            Issue.record("\(name): \(progress)")
            return
        }
        #expect(handshake.receive(ByteBuffer(string: "more")) == .needsMore)
    }

    @Test(
        "Where compression was offered, an extension that was not, or not so, fails the connection",
        arguments: [
            "x-webkit-deflate-frame", "permessage-deflate", "permessage-deflate; server_max_window_bits=13",
            "permessage-deflate; server_max_window_bits=12, permessage-deflate; server_max_window_bits=12",
            "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=12; server_max_window_bits=12",
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits",
            "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13",
            "permessage-deflate; server_max_window_bits=12; client_no_context_takeover=1",
            "permessage-deflate; server_max_window_bits=12; unknown", "permessage-deflate;", "\"",
        ]
    )
    func wrongExtensions(answer: String) throws {
        var handshake = try Self.handshake(deflate: WebSocketDeflateConfiguration())
        let response = try Self.response(to: handshake) { $0.set("sec-websocket-extensions", answer) }
        guard case .failed(.protocolViolation) = handshake.receive(response) else {
            Issue.record("\(answer)")
            return
        }
    }

    @Test("A server takes the offer of compression, narrower or not at all")
    func extensions() throws {
        for (answer, window) in [
            ("permessage-deflate; server_max_window_bits=12", 12),
            ("permessage-deflate; server_max_window_bits=9; client_max_window_bits=10", 10), (nil, nil),
        ] as [(String?, Int?)] {
            var handshake = try Self.handshake(deflate: WebSocketDeflateConfiguration())
            let response = try Self.response(to: handshake) { headers in
                if let answer { headers.set("sec-websocket-extensions", answer) }
            }
            guard case .opened(let opening) = handshake.receive(response) else {
                Issue.record("\(answer ?? "none") does not open")
                continue
            }
            #expect(opening.deflate?.clientMaxWindowBits == window)
        }
    }

    @Test(
        "What is no HTTP/1.1, or has no end, is refused",
        arguments: [
            "SSH-2.0-OpenSSH\r\n", "HTTP/1.0 101 x\r\n\r\n", "HTTP/2 101\r\n\r\n", "HTTP/1.1 1010 x\r\n\r\n",
            "HTTP/1.1 101 x\r\nno colon\r\n\r\n", "HTTP/1.1 101 x\r\n: nameless\r\n\r\n", "\r\n\r\n",
            "HTTP/1.1 101 x\r\na: " + String(repeating: "a", count: 20_000),
            "HTTP/1.1 101 x\r\n" + String(repeating: "a: b\r\n", count: 5000),
        ]
    )
    func garbage(text: String) throws {
        var handshake = try Self.handshake()
        guard case .failed(.protocolViolation) = handshake.receive(ByteBuffer(string: text)) else {
            Issue.record("\(text.prefix(40))")
            return
        }
    }

    @Test("Other statuses are told, and redirects not followed")
    func statuses() throws {
        var handshake = try Self.handshake()
        let moved = try Self.response(to: handshake, status: "HTTP/1.1 302 Found") { $0.add("location", "/login") }
        let reason = "redirects are not followed: to /login"
        #expect(handshake.receive(moved) == .failed(.refused(status: 302, reason: reason)))
        handshake = try Self.handshake()
        let refused = ByteBuffer(string: "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")
        #expect(handshake.receive(refused) == .failed(.refused(status: 401, reason: "Unauthorized")))
    }

    @Test("Headers, subprotocols and URLs that cannot be are the caller's mistake")
    func arguments() throws {
        let url = try SignalingURL("ws://x", schemes: [.ws])
        for headers in [
            ["a\r\nb": "c"], ["a": "b\r\nc: d"], ["host": "y"], ["sec-websocket-key": "k"], ["": "b"],
        ] as [SignalingHeaders] {
            #expect(throws: SignalingChannelError.self) { try Handshake(url: url, headers: headers) }
        }
        for subprotocols in [["a b"], ["a", "a"], [""]] {
            #expect(throws: SignalingChannelError.self) { try Handshake(url: url, subprotocols: subprotocols) }
        }
        for text in [
            "", "ws:/x", "ws://", "http://x", "ws://u:p@x/", "ws://x/#f", "ws://x:0/", "ws://x:65536/", "ws://x:a/",
            "ws://x/a b", "ws://x/ä", "ws://[::1", "ws://[x]/", "ws://[::1]8/", "ws://x\r\ny/",
        ] {
            #expect(throws: SignalingChannelError.self, "\(text)") { try SignalingURL(text, schemes: [.ws, .wss]) }
        }
    }

    @Test("URLs are taken apart as they are written")
    func urls() throws {
        let url = try SignalingURL("WSS://[2001:db8::1]:80?a=b", schemes: [.wss])
        #expect(url.scheme == .wss && url.host == "2001:db8::1" && url.port == 80)
        #expect(url.target == "/?a=b" && url.authority == "[2001:db8::1]:80")
        #expect(try SignalingURL("ws://x:80/y", schemes: [.ws]).description == "ws://x/y")
        #expect(try SignalingURL("ws://x", schemes: [.ws]).with(.http).description == "http://x/")
    }

    @Test("Random bytes never trap", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) throws {
        var random = RandomSource.seeded(seed)
        for _ in 0..<1000 {
            var handshake = try Self.handshake()
            var bytes = Array(try Self.response(to: handshake).readableBytesView)
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8(truncatingIfNeeded: random.next())
            }
            let cut = Int.random(in: bytes.indices, using: &random)
            _ = handshake.receive(ByteBuffer(bytes: bytes[..<cut]))
            _ = handshake.receive(ByteBuffer(bytes: bytes[cut...]))
        }
    }
}
