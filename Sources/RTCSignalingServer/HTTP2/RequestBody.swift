import NIOCore

/// The body of one request on a stream, with its share of the connection's room.
final class RequestBody {
    private let room: RequestBodyRoom
    private let maximumSize: Int
    private var bytes = ByteBuffer()
    private var share = 0
    /// Whether nothing more is to be read, because there is no room yet.
    private(set) var isWaiting = false

    /// - Parameters:
    ///   - length: The length that the head says.
    ///   - admit: Called when there is room, if there is none now.
    init(room: RequestBodyRoom, length: Int?, maximumSize: Int, admit: @escaping () -> Void) {
        self.room = room
        self.maximumSize = maximumSize
        let share = room.share(of: min(length ?? maximumSize, maximumSize))
        self.isWaiting = !room.take(share, for: ObjectIdentifier(self)) { [weak self] in
            self?.isWaiting = false
            self?.share = share
            admit()
        }
        if !self.isWaiting { self.share = share }
    }

    /// - Returns: Whether it is not too large.
    func append(_ piece: ByteBuffer) -> Bool {
        guard self.bytes.readableBytes + piece.readableBytes <= self.maximumSize else { return false }
        self.bytes.writeImmutableBuffer(piece)
        return true
    }

    /// All of it has come; what it has no need of is for others.
    func finish() -> ByteBuffer {
        self.stopWaiting()
        let rest = max(0, self.share - self.bytes.readableBytes)
        self.share -= rest
        if rest > 0 { self.room.giveBack(rest) }
        defer { self.bytes = ByteBuffer() }
        return self.bytes
    }

    /// Nobody has need of it any more.
    func release() {
        self.stopWaiting()
        let share = self.share
        self.share = 0
        self.bytes = ByteBuffer()
        if share > 0 { self.room.giveBack(share) }
    }

    private func stopWaiting() {
        guard self.isWaiting else { return }
        self.isWaiting = false
        self.room.forget(ObjectIdentifier(self))
    }
}
