package import NIOCore

/// An event of a stream (WHATWG HTML, server-sent events).
package struct StreamEvent: Sendable, Hashable {
    /// What it is called; `message` if it has no name.
    package var name = "message"
    /// The number that the stream goes on from; nil if no event so far had one.
    package var id: String?
    /// Its data.
    package var data: String
}

/// Reads a stream of server-sent events, cut anywhere (WHATWG HTML, section 9.2.6).
package struct EventStreamReader: Sendable {
    /// An event is larger than allowed.
    package struct TooLarge: Error {}

    private let limit: Int
    private var line: [UInt8] = []
    /// Whether a line feed that comes next belongs to the line end before.
    private var hadCarriageReturn = false
    private var isFirstLine = true
    private var name = ""
    private var data: [String] = []
    private var size = 0
    private var id: String?

    /// - Parameter limit: The most bytes of an event.
    package init(limit: Int) { self.limit = limit }

    /// Takes bytes; gives the events that are whole now.
    package mutating func receive(_ bytes: ByteBuffer) throws(TooLarge) -> [StreamEvent] {
        var events: [StreamEvent] = []
        for byte in bytes.readableBytesView {
            defer { self.hadCarriageReturn = byte == 0x0D }
            switch byte {
            case 0x0A where self.hadCarriageReturn: break
            case 0x0A, 0x0D:
                if let event = self.endLine() { events.append(event) }
            default:
                self.size += 1
                guard self.size <= self.limit else { throw TooLarge() }
                self.line.append(byte)
            }
        }
        return events
    }

    /// A line is there; gives the event that it ends.
    private mutating func endLine() -> StreamEvent? {
        var text = String(decoding: self.line, as: UTF8.self)
        self.line.removeAll(keepingCapacity: true)
        if self.isFirstLine, text.first == "\u{FEFF}" { text.removeFirst() }
        self.isFirstLine = false
        guard !text.isEmpty else { return self.endEvent() }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count < 2 ? "" : String(parts[1].first == " " ? parts[1].dropFirst() : parts[1])
        switch parts[0] {
        case "event": self.name = value
        case "data": self.data.append(value)
        case "id": if !value.contains("\0") { self.id = value }
        // Comments, the time to come back after, and what later versions may have.
        default: break
        }
        return nil
    }

    private mutating func endEvent() -> StreamEvent? {
        defer {
            self.name = ""
            self.data = []
            self.size = 0
        }
        guard !self.data.isEmpty else { return nil }
        return StreamEvent(
            name: self.name.isEmpty ? "message" : self.name,
            id: self.id,
            data: self.data.joined(separator: "\n")
        )
    }
}
