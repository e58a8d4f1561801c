import RTCSignaling
import Testing

@Suite struct WebSocketHandshakeTests {
    static func request(_ change: (inout SignalingRequest) -> Void = { _ in }) -> SignalingRequest {
        var request = SignalingRequest(
            method: "GET",
            target: "/chat",
            headers: [
                "Host": "server.example.com", "Upgrade": "WebSocket", "Connection": "keep-alive, Upgrade",
                "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "superchat, chat",
                "Sec-WebSocket-Version": "13",
            ]
        )
        change(&request)
        return request
    }

    @Test("The RFC's sample key gives the RFC's answer")
    func sample() throws {
        let handshake = try WebSocketHandshake(Self.request(), subprotocols: ["chat", "superchat"])
        #expect(handshake.accept == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(handshake.subprotocol == "superchat")
        #expect(handshake.responseHeaders.first("Sec-WebSocket-Protocol") == "superchat")
        #expect(try WebSocketHandshake(Self.request()).subprotocol == nil)
    }

    @Test("What is no handshake is refused with its reason")
    func refusals() {
        func refusal(_ change: (inout SignalingRequest) -> Void) -> WebSocketHandshake.Refusal? {
            do throws(WebSocketHandshake.Refusal) {
                _ = try WebSocketHandshake(Self.request(change))
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal { $0.method = "POST" } == .methodNotAllowed)
        #expect(refusal { $0.headers = [:] } == .notAnUpgrade)
        #expect(refusal { $0.headers.set("connection", "close") } == .connectionNotUpgrade)
        #expect(refusal { $0.headers.set("sec-websocket-version", "12") } == .unsupportedVersion)
        #expect(refusal { $0.headers.add("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==") } == .invalidKey)
        for key in ["", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=A", "dGhlIHNhbXBsZSBub25j!Q==", "AAAA"] {
            #expect(refusal { $0.headers.set("sec-websocket-key", key) } == .invalidKey, "\(key)")
        }
    }
}
