internal import RTCCrypto

extension SockJSService {
    /// Responds to GET only.
    func get(_ request: SignalingRequest, _ respond: () -> SignalingResponse) -> SignalingResponse {
        request.method == "GET" ? respond() : Self.methodNotAllowed("GET")
    }

    func iframe(_ request: SignalingRequest) -> SignalingResponse {
        let page = SockJSPages.iframe(clientURL: self.configuration.clientURL)
        let digest = HashAlgorithm.sha256.digest(of: Array(page.utf8).span.bytes)
        let tag = "\"\(Base64.encode(Array(digest.prefix(12))))\""
        var headers: SignalingHeaders = ["etag": tag]
        headers.allowCachingForAYear()
        guard request.headers.first("if-none-match") != tag else { return SignalingResponse(304, headers: headers) }
        headers.add("content-type", "text/html; charset=UTF-8")
        return SignalingResponse(200, headers: headers, text: page)
    }

    /// What a path for WebSockets says to what is no handshake.
    static func webSocketRefusal(_ request: SignalingRequest) -> SignalingResponse {
        do throws(WebSocketHandshake.Refusal) {
            _ = try WebSocketHandshake(request)
        } catch {
            return error.response
        }
        // A good handshake that comes here: whoever owns the connections does not upgrade this path.
        return SignalingResponse(404)
    }

    static func methodNotAllowed(_ allowed: String) -> SignalingResponse {
        SignalingResponse(405, headers: ["allow": allowed])
    }

    /// Whether a name of a function may be written into a script: nothing but names and dots.
    static func isCallback(_ text: String) -> Bool {
        text.utf8.count <= 64
            && text.unicodeScalars.allSatisfy { scalar in
                switch scalar {
                case "a"..."z", "A"..."Z", "0"..."9", "_", ".", "-": return true
                default: return false
                }
            }
    }
}

extension WebSocketHandshake.Refusal {
    /// The response that says so.
    public var response: SignalingResponse {
        switch self {
        case .methodNotAllowed: return SignalingResponse(405, headers: ["allow": "GET"])
        case .notAnUpgrade: return SignalingResponse(400, text: "Can \"Upgrade\" only to \"WebSocket\".")
        case .connectionNotUpgrade: return SignalingResponse(400, text: "\"Connection\" must be \"Upgrade\".")
        case .invalidKey: return SignalingResponse(400, text: "\"Sec-WebSocket-Key\" must be 16 bytes in base64.")
        case .unsupportedVersion:
            return SignalingResponse(426, headers: ["sec-websocket-version": "13", "upgrade": "websocket"])
        }
    }
}

extension SockJSService {
    /// What is inside a WebSocket under a service's path.
    public enum WebSocketFraming: Sendable, Hashable {
        /// Messages as they are (`/websocket`).
        case raw
        /// SockJS's frames (`/server/session/websocket`).
        case sockJS
    }

    /// What is inside a WebSocket that a request for `path` opens; nil if none is there.
    public static func webSocketFraming(path: String, servicePath: String) -> WebSocketFraming? {
        switch SockJSRoute(path: path, prefix: servicePath) {
        case .rawWebSocket: return .raw
        case .session(_, .webSocket): return .sockJS
        default: return nil
        }
    }
}
