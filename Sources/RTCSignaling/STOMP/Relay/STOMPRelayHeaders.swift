/// Which headers of a client's frames the broker gets to see.
///
/// A broker gives headers of its own a meaning: RabbitMQ names a queue by `x-queue-name` and has it feed another exchange by
/// `x-dead-letter-exchange`, so a client that set them would reach more than its destinations.
struct STOMPRelayHeaders: Sendable {
    /// What frames may have that a broker acts on, by their commands; `SEND` has what its application likes.
    private static let known: [String: Set<String>] = [
        "SUBSCRIBE": ["id", "destination", "ack", "receipt", "prefetch-count", "selector"],
        "UNSUBSCRIBE": ["id", "destination", "receipt"],
        "ACK": ["id", "message-id", "subscription", "transaction", "receipt"],
        "NACK": ["id", "message-id", "subscription", "transaction", "receipt", "requeue"],
        "BEGIN": ["transaction", "receipt"],
        "COMMIT": ["transaction", "receipt"],
        "ABORT": ["transaction", "receipt"],
        "DISCONNECT": ["receipt"],
    ]
    /// What a `SEND` may not have, beside all that begins with `x-`.
    private static let refused: Set = ["durable", "auto-delete", "exclusive", "reply-to"]

    /// What is passed on all the same (``STOMPRelayConfiguration/passedHeaders``).
    var passed: Set<String>

    /// The frame without what the broker does not get.
    func filtered(_ frame: STOMPFrame) -> STOMPFrame {
        var frame = frame
        let known = Self.known[frame.command]
        frame.headers.removeAll { header in
            guard Self.isPlain(header.name) else { return true }
            if self.passed.contains(header.name) { return false }
            if let known { return !known.contains(header.name) }
            let name = header.name.lowercased()
            return name.utf8.starts(with: "x-".utf8) || Self.refused.contains(name)
        }
        return frame
    }

    /// Whether a name is on the wire what it is here: what a version cannot express is left out of names, and brokers trim spaces, so
    /// that something else could become a name that means something.
    private static func isPlain(_ name: String) -> Bool { name.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F } }
}
