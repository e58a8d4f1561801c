import NIOCore

/// What comes about in its own time, on event loops that nobody can wait for.
enum Eventually {
    /// Asks again and again, for 50 seconds at the most, whether something is so.
    static func holds(_ condition: () async -> Bool) async -> Bool {
        let deadline = NIODeadline.now() + .seconds(50)
        while NIODeadline.now() < deadline {
            if await condition() { return true }
            await Task.yield()
        }
        return await condition()
    }
}
