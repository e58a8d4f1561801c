import Foundation

/// What is typed.
package enum StandardInput {
    /// The lines of standard input, until its end.
    package static func lines() -> AsyncStream<String> {
        let (lines, continuation) = AsyncStream.makeStream(of: String.self)
        // Reading waits: not on a thread that others need, nor with the lock of C's streams, which writing takes too.
        Thread.detachNewThread {
            var text: [UInt8] = []
            while true {
                let bytes = FileHandle.standardInput.availableData
                guard !bytes.isEmpty else { return continuation.finish() }
                for byte in bytes {
                    guard byte == UInt8(ascii: "\n") else {
                        text.append(byte)
                        continue
                    }
                    continuation.yield(String(decoding: text, as: UTF8.self))
                    text = []
                }
            }
        }
        return lines
    }
}
