public import NIOCore

/// An HTTP request with its whole body, apart from any HTTP library.
public struct SignalingRequest: Sendable, Hashable {
    /// The method, in capitals.
    public var method: String
    /// The path as it came, percent-encoded, without the query.
    public var path: String
    /// The query without its question mark; empty for none.
    public var query: String
    /// The header fields.
    public var headers: SignalingHeaders
    /// The body.
    public var body: ByteBuffer

    /// A request.
    ///
    /// - Parameter target: The path, with the query if there is one (RFC 9112 section 3.2.1).
    public init(
        method: String,
        target: String,
        headers: SignalingHeaders = [:],
        body: ByteBuffer = ByteBuffer()
    ) {
        self.method = method
        let target = target.prefix { $0 != "#" }
        let path = target.prefix { $0 != "?" }
        self.path = String(path)
        self.query = String(target.dropFirst(path.count + 1))
        self.headers = headers
        self.body = body
    }

    /// The first value under a name in the query, decoded.
    public func queryValue(_ name: String) -> String? { FormFields.value(name, in: self.query) }

    /// The value of a cookie (RFC 6265 section 4.2).
    public func cookie(_ name: String) -> String? {
        for pair in self.headers.all("cookie").flatMap({ $0.split(separator: ";") }) {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, parts[0].trimmingSpaces() == name { return parts[1].trimmingSpaces() }
        }
        return nil
    }
}

// Paths and queries name sessions, and whoever knows a session's name may use it; tokens stand in queries and fields.
extension SignalingRequest: CustomStringConvertible, CustomDebugStringConvertible {
    /// The method, the names of the header fields and the size of the body: nothing that is secret.
    public var description: String {
        "SignalingRequest(\(self.method.prefix(16)), \(self.headers), \(self.body.readableBytes) bytes)"
    }

    /// The same as ``description``.
    public var debugDescription: String { self.description }
}

/// An HTTP response, whole or with a body that follows in pieces.
public struct SignalingResponse: Sendable, Hashable {
    /// The status code.
    public var status: Int
    /// The header fields; whoever writes the response adds those of its framing.
    public var headers: SignalingHeaders
    /// The body.
    public var body: ByteBuffer

    /// A response.
    public init(_ status: Int, headers: SignalingHeaders = [:], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A response of text.
    public init(_ status: Int, headers: SignalingHeaders = [:], text: String) {
        self.init(status, headers: headers, body: ByteBuffer(string: text))
        if self.headers.first("content-type") == nil {
            self.headers.add("content-type", "text/plain; charset=UTF-8")
        }
    }
}
