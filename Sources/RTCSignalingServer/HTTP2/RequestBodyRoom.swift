/// Room for the bodies of a connection's requests: who finds none waits, in turn, and is not read from meanwhile.
///
/// Whoever has room has it for a whole body, so that each of them can come to its end.
final class RequestBodyRoom {
    private let size: Int
    private var free: Int
    private var waiting: [(stream: ObjectIdentifier, count: Int, admit: () -> Void)] = []

    init(size: Int) {
        self.size = size
        self.free = size
    }

    /// How much of the room a body has that may have so many bytes.
    func share(of count: Int) -> Int { min(max(0, count), self.size) }

    /// Takes a share.
    ///
    /// - Parameter admit: Called once there is room, if there is none now.
    /// - Returns: Whether there is.
    func take(_ count: Int, for stream: ObjectIdentifier, admit: @escaping () -> Void) -> Bool {
        guard self.waiting.isEmpty, count <= self.free else {
            self.waiting.append((stream, count, admit))
            return false
        }
        self.free -= count
        return true
    }

    func giveBack(_ count: Int) {
        self.free += count
        self.admitWaiting()
    }

    /// A stream waits no longer.
    func forget(_ stream: ObjectIdentifier) {
        self.waiting.removeAll { $0.stream == stream }
        self.admitWaiting()
    }

    private func admitWaiting() {
        while let next = self.waiting.first, next.count <= self.free {
            self.waiting.removeFirst()
            self.free -= next.count
            next.admit()
        }
    }
}
