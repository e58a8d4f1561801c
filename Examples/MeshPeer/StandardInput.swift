import Foundation

/// What is typed.
enum StandardInput {
    /// The lines of standard input, until its end.
    static func lines() -> AsyncStream<String> {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        // Reading waits: not on a thread that others need.
        Thread.detachNewThread {
            while let line = readLine() { continuation.yield(line) }
            continuation.finish()
        }
        return lines
    }
}
