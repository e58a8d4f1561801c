import NIOCore

/// A way of getting frames to a client by HTTP.
enum SockJSTransport: Sendable, Hashable {
    case xhr
    case xhrStreaming
    case eventSource
    case htmlFile(callback: String)
    case jsonp(callback: String)

    /// Whether one response carries many frames.
    var isStreaming: Bool {
        switch self {
        case .xhrStreaming, .eventSource, .htmlFile: return true
        case .xhr, .jsonp: return false
        }
    }

    var contentType: String {
        switch self {
        case .xhr, .xhrStreaming, .jsonp: return "application/javascript; charset=UTF-8"
        case .eventSource: return "text/event-stream; charset=UTF-8"
        case .htmlFile: return "text/html; charset=UTF-8"
        }
    }

    /// What comes before the first frame: browsers show nothing of a response before some of it is there.
    var prelude: ByteBuffer? {
        switch self {
        case .xhr, .jsonp: return nil
        case .xhrStreaming: return ByteBuffer(string: String(repeating: "h", count: 2048) + "\n")
        case .eventSource: return ByteBuffer(string: "\r\n")
        case .htmlFile(let callback): return SockJSPages.htmlFile(callback: callback)
        }
    }

    /// A frame as it stands in this transport's body.
    func encode(_ frame: SockJSFrame) -> ByteBuffer {
        switch self {
        case .xhr, .xhrStreaming: return ByteBuffer(string: frame.text + "\n")
        case .eventSource: return ByteBuffer(string: "data: \(frame.text)\r\n\r\n")
        case .htmlFile:
            let argument = JSONStrings.encode(frame.text, escapingMarkup: true)
            return ByteBuffer(string: "<script>\np(\(argument));\n</script>\r\n")
        case .jsonp(let callback):
            return ByteBuffer(string: "\(callback)(\(JSONStrings.encode(frame.text)));\r\n")
        }
    }
}
