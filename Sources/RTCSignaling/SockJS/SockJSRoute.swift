/// What a path under a service stands for.
enum SockJSRoute: Hashable {
    case greeting
    case iframe
    case info
    /// A WebSocket without SockJS's frames.
    case rawWebSocket
    case session(key: String, Kind)

    enum Kind: String, Hashable {
        case webSocket = "websocket"
        case xhr
        case xhrSend = "xhr_send"
        case xhrStreaming = "xhr_streaming"
        case eventSource = "eventsource"
        case htmlFile = "htmlfile"
        case jsonp
        case jsonpSend = "jsonp_send"

        /// The method beside OPTIONS.
        var method: String {
            switch self {
            case .xhr, .xhrSend, .xhrStreaming, .jsonpSend: return "POST"
            case .webSocket, .eventSource, .htmlFile, .jsonp: return "GET"
            }
        }
    }

    /// The route of `path`, which begins with the service's own; nil for none.
    init?(path: String, prefix: String) {
        guard path.hasPrefix(prefix) else { return nil }
        let rest = path.dropFirst(prefix.count)
        switch rest {
        case "", "/": self = .greeting
        case "/info": self = .info
        case "/websocket": self = .rawWebSocket
        default:
            guard rest.first == "/" else { return nil }
            let parts = rest.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
            if parts.count == 1, parts[0].hasPrefix("iframe"), parts[0].hasSuffix(".html"),
                parts[0] == "iframe.html" || parts[0].hasPrefix("iframe-")
            {
                self = .iframe
            } else if parts.count == 3, Self.isName(parts[0]), Self.isName(parts[1]),
                let kind = Kind(rawValue: String(parts[2]))
            {
                self = .session(key: String(parts[1]), kind)
            } else {
                return nil
            }
        }
    }

    /// The names of server and session: anything but nothing, or with a dot.
    private static func isName(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= 128 && !text.contains(".")
    }
}
