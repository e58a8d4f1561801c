import NIOCore
import RTCBase
import RTCSignaling
import Testing

@Suite struct WebSocketDeflateTests {
    typealias Served = ServedWebSocket

    /// A server's connection that compresses everything that it can.
    static func served(
        _ agreement: WebSocketDeflateAgreement = WebSocketDeflateAgreement(),
        _ change: (inout WebSocketConfiguration) -> Void = { _ in }
    ) -> Served {
        var configuration = WebSocketConfiguration()
        configuration.deflate = WebSocketDeflateConfiguration()
        configuration.deflate?.minimumSize = 0
        change(&configuration)
        var served = Served()
        served.connection = WebSocketConnection(configuration: configuration, deflate: agreement, now: served.now)
        return served
    }

    // MARK: Negotiation

    @Test(
        "Offers get the answers that RFC 7692 has for them",
        arguments: [
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=12"),
            (
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"
            ),
            (
                "permessage-deflate; client_max_window_bits=10; server_max_window_bits=\"9\"",
                "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10"
            ),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12"
            ),
            ("x-other; a=b, permessage-deflate", "permessage-deflate; server_max_window_bits=12"),
            // zlib cannot keep to the smallest window, so the next offer is taken.
            (
                "permessage-deflate; server_max_window_bits=8, permessage-deflate; server_no_context_takeover",
                "permessage-deflate; server_no_context_takeover; server_max_window_bits=12"
            ),
        ]
    )
    func accepted(offer: String, answer: String) {
        let configuration = WebSocketDeflateConfiguration()
        #expect(WebSocketDeflateAgreement.accepting([offer], configuration)?.response == answer)
    }

    @Test(
        "Offers that are wrong or cannot be kept are declined",
        arguments: [
            "", "deflate-frame", "permessage-deflate; unknown", "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=7", "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=09", "permessage-deflate; client_max_window_bits=0",
            "permessage-deflate; server_no_context_takeover=1", "permessage-deflate; server_max_window_bits=8",
            "permessage-deflate; client_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_max_window_bits=\"9", "permessage-deflate;", "permessage-deflate; =9",
            "permessage-deflate client_max_window_bits",
        ]
    )
    func declined(offer: String) {
        #expect(WebSocketDeflateAgreement.accepting([offer], WebSocketDeflateConfiguration()) == nil)
    }

    @Test("A server's answer is what a client offered, less or nothing; everything else fails")
    func answers() throws {
        var configuration = WebSocketDeflateConfiguration()
        configuration.serverNoContextTakeover = true
        #expect(
            configuration.offer
                == "permessage-deflate; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits=12"
        )
        #expect(try WebSocketDeflateAgreement.answered([], configuration) == nil)
        let good = "permessage-deflate; server_no_context_takeover; server_max_window_bits=9; client_max_window_bits=8"
        let agreement = try WebSocketDeflateAgreement.answered([good], configuration)
        #expect(agreement?.serverMaxWindowBits == 9 && agreement?.clientMaxWindowBits == 8)
        #expect(agreement?.serverNoContextTakeover == true && agreement?.clientNoContextTakeover == false)
        for wrong in [
            "permessage-deflate", "permessage-deflate; server_no_context_takeover", "x-other", good + ", " + good,
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=13",
            good.replacing("client_max_window_bits=8", with: "client_max_window_bits"),
            good.replacing("client_max_window_bits=8", with: "client_max_window_bits=15"), "permessage-deflate; \u{e9}",
        ] {
            #expect(throws: WebSocketDeflateAgreement.Mismatch.self, "\(wrong)") {
                try WebSocketDeflateAgreement.answered([wrong], configuration)
            }
        }
    }

    @Test("A handshake agrees only where the route compresses")
    func handshake() throws {
        let request = WebSocketHandshakeTests.request {
            $0.headers.add("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits")
        }
        let with = try WebSocketHandshake(request, deflate: WebSocketDeflateConfiguration())
        let answer = "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12"
        #expect(with.responseHeaders.first("sec-websocket-extensions") == answer)
        let without = try WebSocketHandshake(request)
        #expect(without.deflate == nil && without.responseHeaders.first("sec-websocket-extensions") == nil)
    }

    // MARK: Messages

    /// RFC 7692 sections 7.2.3.1 to 7.2.3.5.
    @Test(
        "The RFC's samples are read",
        arguments: [
            Served.frame(0xC1, [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]),
            Served.frame(0x41, [0xF2, 0x48, 0xCD]) + Served.frame(0x80, [0xC9, 0xC9, 0x07, 0x00]),
            Served.frame(0xC1, [0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00]),
            Served.frame(0xC1, [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00]),
            // The last block, with nothing behind it.
            Served.frame(0xC1, [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]),
            Served.frame(
                0xC1,
                [0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00]
            ),
        ]
    )
    func samples(frames: [UInt8]) {
        for cut in frames.indices {
            var served = Self.served()
            served.receive(Array(frames[..<cut]))
            served.receive(Array(frames[cut...]) + Served.text("plain"))
            #expect(served.messages == [.text("Hello"), .text("plain")])
            #expect(served.closure == nil)
        }
    }

    @Test("A message may refer to those before, also behind a last block")
    func takeover() {
        let second = Served.frame(0xC1, [0xF2, 0x00, 0x11, 0x00, 0x00])
        for first: [UInt8] in [
            [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00], [0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00],
        ] {
            var served = Self.served()
            served.receive(Served.frame(0xC1, first) + second)
            #expect(served.messages == [.text("Hello"), .text("Hello")])
        }
        var forgetting = WebSocketDeflateAgreement()
        forgetting.clientNoContextTakeover = true
        var served = Self.served(forgetting)
        served.receive(Served.frame(0xC1, [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]) + second)
        #expect(served.messages == [.text("Hello")])
        #expect(served.closure?.code == .invalidPayload)
    }

    @Test("The RFC's samples are written")
    func writes() {
        var served = Self.served()
        for _ in 0..<2 { served.connection.send(.text("Hello")) }
        served.drain()
        let first: [UInt8] = [0xC1, 7, 0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00]
        #expect(Array(served.sent.readableBytesView) == first + [0xC1, 5, 0xF2, 0x00, 0x11, 0x00, 0x00])
        var forgetting = WebSocketDeflateAgreement()
        forgetting.serverNoContextTakeover = true
        served = Self.served(forgetting)
        for _ in 0..<2 { served.connection.send(.text("Hello")) }
        served.connection.send(.text(""))
        served.drain()
        #expect(Array(served.sent.readableBytesView) == first + first + [0x81, 0])
    }

    @Test("Small messages are sent as they are")
    func small() {
        var served = Self.served { $0.deflate?.minimumSize = 6 }
        served.connection.send(.text("Hello"))
        served.connection.send(.text("Hello."))
        served.drain()
        #expect(Array(served.sent.readableBytesView.prefix(8)) == [0x81, 5] + Array("Hello".utf8) + [0xC1])
    }

    @Test(
        "Reserved bits where they do not belong close with 1002",
        arguments: [
            Served.frame(0x41, [0xF2]) + Served.frame(0xC0, [0x48]), Served.frame(0xC9), Served.frame(0xC8),
            Served.frame(0xA1), Served.frame(0x91), Served.frame(0xF1),
        ]
    )
    func reservedBits(frames: [UInt8]) {
        var served = Self.served()
        served.receive(frames)
        #expect(served.closure?.code == .protocolError)
    }

    @Test("Control frames may come between the pieces of a compressed message")
    func controlFrames() {
        var served = Self.served()
        served.receive(Served.frame(0x41, [0xF2, 0x48, 0xCD]) + Served.frame(0x89, [7]))
        #expect(Array(served.sent.readableBytesView) == [0x8A, 1, 7])
        served.receive(Served.frame(0x00) + Served.frame(0x80, [0xC9, 0xC9, 0x07, 0x00]))
        #expect(served.messages == [.text("Hello")])
    }

    @Test("What is no compressed data, or no text when it is decompressed, closes with 1007")
    func broken() {
        for payload: [UInt8] in [
            [0xFF, 0xFF], [0x07], [0xF2, 0x48, 0xCD], [0x00, 0x01, 0x00, 0xFE, 0xFF, 0x80, 0x00],
        ] {
            var served = Self.served()
            served.receive(Served.frame(0xC1, payload) + Served.text("late"))
            #expect(served.closure?.code == .invalidPayload, "\(payload)")
            #expect(served.messages.isEmpty)
        }
    }

    @Test("A bomb closes with 1009 as soon as it is larger than a message may be")
    func bomb() {
        var configuration = WebSocketConfiguration()
        configuration.maximumUnsentBytes = .max
        for (size, code) in [(100_000, nil), (100_001, WebSocketCloseCode.messageTooBig), (50_000_000, .messageTooBig)]
        {
            var client = WebSocketConnection(
                role: .client,
                configuration: configuration,
                deflate: WebSocketDeflateAgreement(),
                random: .seeded(1),
                now: .uptimeNanoseconds(0)
            )
            client.send(.binary(ByteBuffer(repeating: 0, count: size)))
            guard case .transmit(let frame)? = client.poll() else { return #expect(Bool(false)) }
            #expect(frame.readableBytes < size / 500)
            var served = Self.served { $0.maximumMessageSize = 100_000 }
            served.receive(Array(frame.readableBytesView))
            #expect(served.closure?.code == code)
            #expect(served.messages.count == (code == nil ? 1 : 0))
        }
    }

    @Test("While messages are not wanted, none is decompressed, and the rest comes later")
    func paused() {
        let hello = Served.frame(0xC1, [0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00])
        var served = Self.served { $0.idleTimeout = .seconds(60) }
        served.connection.setReading(false, now: served.now)
        served.receive(hello + Served.text("second") + Served.frame(0x88))
        served.pass(.seconds(3600))
        served.connection.receiveEnd(now: served.now)
        served.drain()
        #expect(served.messages.isEmpty && served.closure == nil)
        served.connection.setReading(true, now: served.now)
        served.drain()
        #expect(served.messages == [.text("Hello"), .text("second")])
        #expect(served.closure?.origin == .peer)
    }

    @Test(
        "Both roles understand each other with every window, cut anywhere",
        arguments: [UInt64.random(in: 0...UInt64.max)]
    )
    func bothRoles(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        let now = NIODeadline.uptimeNanoseconds(0)
        for _ in 0..<25 {
            var agreement = WebSocketDeflateAgreement()
            agreement.serverMaxWindowBits = Int.random(in: 9...15, using: &random)
            agreement.clientMaxWindowBits = Int.random(in: 8...15, using: &random)
            agreement.serverNoContextTakeover = Bool.random(using: &random)
            agreement.clientNoContextTakeover = Bool.random(using: &random)
            var configuration = WebSocketConfiguration()
            configuration.deflate = WebSocketDeflateConfiguration()
            configuration.deflate?.minimumSize = Int.random(in: 0...100, using: &random)
            configuration.deflate?.level = Int.random(in: 1...9, using: &random)
            configuration.deflate?.memoryLevel = Int.random(in: 1...9, using: &random)
            var ends = [WebSocketConnection.Role.client, .server].map {
                WebSocketConnection(
                    role: $0,
                    configuration: configuration,
                    deflate: agreement,
                    random: .seeded(seed),
                    now: now
                )
            }
            for _ in 0..<20 {
                let from = Int.random(in: 0...1, using: &random)
                let words = ["offer", "answer", "candidate", "a=fingerprint", "\u{20ac}", "xyz"]
                let text = (0..<Int.random(in: 0...3000, using: &random)).map { _ in
                    words[Int.random(in: 0..<words.count, using: &random)]
                }.joined()
                let isText = Bool.random(using: &random)
                let message =
                    isText
                    ? WebSocketMessage.text(text)
                    : .binary(ByteBuffer(bytes: random.bytes(count: Int.random(in: 0...70_000, using: &random))))
                ends[from].send(message)
                var heard: [WebSocketMessage] = []
                while case .transmit(var bytes)? = ends[from].poll() {
                    ends[from].didTransmit(bytes.readableBytes)
                    while bytes.readableBytes > 0 {
                        let count = Int.random(in: 1...bytes.readableBytes, using: &random)
                        ends[1 - from].receive(bytes.readSlice(length: count) ?? ByteBuffer(), now: now)
                        while case .message(let message)? = ends[1 - from].poll() { heard.append(message) }
                    }
                }
                #expect(heard == [message])
            }
        }
    }

    @Test("Random and damaged compressed frames never trap", arguments: [UInt64.random(in: 0...UInt64.max)])
    func fuzz(seed: UInt64) {
        var random = RandomSource.seeded(seed)
        for _ in 0..<2000 {
            var served = Self.served()
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let first = ([0xC1, 0x41, 0x80, 0x00, 0xC2, 0x81] as [UInt8]).randomElement(using: &random) ?? 0
                served.receive(
                    Served.frame(first, random.bytes(count: Int.random(in: 0...60, using: &random)))
                )
            }
        }
    }
}
