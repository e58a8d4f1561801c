import NIOCore

/// The head of an HTTP/1.1 response, as far as a handshake needs it (RFC 9112 sections 4 and 5).
struct ResponseHead: Sendable, Equatable {
    var status: Int
    var reason: String
    var headers: SignalingHeaders
}

/// Reads heads of responses from bytes, cut anywhere.
struct ResponseHeadReader: Sendable {
    enum Element: Equatable {
        case needsMore
        case head(ResponseHead)
        /// What came is no head of HTTP/1.1, or too large.
        case failure(String)
    }

    /// The most bytes of a head.
    private static let limit = 16 << 10

    private var input = ByteBuffer()

    /// What came behind the heads that were read.
    var remainder: ByteBuffer { self.input }

    mutating func append(_ bytes: ByteBuffer) { self.input.writeImmutableBuffer(bytes) }

    mutating func next() -> Element {
        var lines: [String] = []
        var rest = self.input
        while let end = rest.readableBytesView.firstIndex(of: 0x0A) {
            guard self.input.readableBytes - rest.readableBytes <= Self.limit else { break }
            var line = Array(rest.readableBytesView[..<end])
            rest.moveReaderIndex(to: end + 1)
            if line.last == 0x0D { line.removeLast() }
            guard !line.isEmpty else {
                self.input = rest
                return Self.parse(lines).map(Element.head) ?? .failure("no response of HTTP/1.1")
            }
            lines.append(String(decoding: line, as: UTF8.self))
            // Nothing but HTTP goes on here.
            guard lines[0].hasPrefix("HTTP/1.") else { return .failure("no response of HTTP/1.1") }
        }
        return self.input.readableBytes > Self.limit ? .failure("the headers are too large") : .needsMore
    }

    private static func parse(_ lines: [String]) -> ResponseHead? {
        guard let first = lines.first, first.hasPrefix("HTTP/1.1 ") else { return nil }
        let status = first.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard status[1].utf8.count == 3, let number = Int(status[1]), (100...599).contains(number) else { return nil }
        var headers = SignalingHeaders()
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, SignalingHeaders.isToken(parts[0]) else { return nil }
            headers.add(String(parts[0]), parts[1].trimmingSpaces())
        }
        return ResponseHead(status: number, reason: status.count == 3 ? String(status[2]) : "", headers: headers)
    }
}
