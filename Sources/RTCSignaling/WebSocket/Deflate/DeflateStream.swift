internal import CRTCZlib
import NIOCore
import Synchronization

/// Compresses messages one after another (RFC 7692 section 7.2.1).
///
/// Copies share one stream: what one has compressed, the window of the other has seen.
final class DeflateStream: Sendable {
    private let stream: Mutex<ZlibStream>

    /// - Parameters:
    ///   - windowBits: The window's size as a power of two, 9 to 15.
    ///   - level: How hard to try, 1 to 9.
    ///   - memoryLevel: How much memory beside the window, 1 to 9.
    /// - Returns: nil where there is no memory.
    init?(windowBits: Int, level: Int, memoryLevel: Int) {
        guard let stream = ZlibStream.deflating(windowBits: windowBits, level: level, memoryLevel: memoryLevel) else {
            return nil
        }
        self.stream = Mutex(stream)
    }

    /// Compresses a message, without the four bytes that every message would end with.
    ///
    /// - Parameter forgetting: Whether the next message must not refer to this one.
    func compress(_ message: ByteBuffer, forgetting: Bool) -> ByteBuffer {
        self.stream.withLock { stream in
            var output = ByteBuffer()
            output.reserveCapacity(message.readableBytes / 2 + 64)
            message.withUnsafeReadableBytes { input in
                stream.feed(input)
                var isFull = true
                while isFull { isFull = stream.step(into: &output, limit: .max) == .more }
                stream.unfeed()
            }
            if output.readableBytes >= 4 { output.moveWriterIndex(to: output.writerIndex - 4) }
            if forgetting { stream.resetDeflating() }
            return output
        }
    }
}

/// Decompresses messages one after another, piece by piece (RFC 7692 section 7.2.2).
///
/// Copies share one stream, as those of ``DeflateStream`` do.
final class InflateStream: Sendable {
    enum Failure: Error {
        /// What came is not compressed data.
        case broken
        /// The message is larger than allowed.
        case tooLarge
    }

    private struct State: ~Copyable {
        var stream: ZlibStream
        /// Whether a final block has ended and nothing followed it yet.
        var isAtEnd = false
    }

    private let state: Mutex<State>

    /// - Parameter windowBits: The window's size as a power of two, 9 to 15.
    /// - Returns: nil where there is no memory.
    init?(windowBits: Int) {
        guard let stream = ZlibStream.inflating(windowBits: windowBits) else { return nil }
        self.state = Mutex(State(stream: stream))
    }

    /// Decompresses a piece behind what is in `output`.
    ///
    /// - Parameter limit: The most bytes that `output` may get to hold; not a byte more is made.
    func decompress(_ piece: ByteBuffer, into output: inout ByteBuffer, limit: Int) throws(Failure) {
        let failure = self.state.withLock { Self.run(piece, &$0, &output, limit) }
        if let failure { throw failure }
    }

    /// Ends a message: takes the four bytes that were left out of it.
    ///
    /// - Parameter forgetting: Whether the next message does not refer to this one.
    func finish(into output: inout ByteBuffer, limit: Int, forgetting: Bool) throws(Failure) {
        let failure = self.state.withLock { state -> Failure? in
            // Behind a final block there is nothing that the four bytes could end.
            let tail = ByteBuffer(bytes: [0x00, 0x00, 0xFF, 0xFF] as [UInt8])
            var failure = state.isAtEnd ? nil : Self.run(tail, &state, &output, limit, stopsAtBlock: true)
            // Anything else is a message that was cut off.
            if failure == nil, !state.isAtEnd, !state.stream.isBehindBlock { failure = .broken }
            if state.isAtEnd {
                state.isAtEnd = false
                state.stream.resumeInflating()
            }
            if forgetting { state.stream.resetInflating() }
            return failure
        }
        if let failure { throw failure }
    }

    private static func run(
        _ piece: ByteBuffer,
        _ state: inout State,
        _ output: inout ByteBuffer,
        _ limit: Int,
        stopsAtBlock: Bool = false
    ) -> Failure? {
        piece.withUnsafeReadableBytes { input in
            state.stream.feed(input)
            defer { state.stream.unfeed() }
            while true {
                if state.isAtEnd, state.stream.pendingInput > 0 {
                    // Blocks may follow one that says it is the last; they see what was before (section 7.2.3.4).
                    state.isAtEnd = false
                    state.stream.resumeInflating()
                }
                switch state.stream.step(into: &output, limit: limit, stopsAtBlock: stopsAtBlock) {
                case .more: continue
                case .done: return nil
                case .ended:
                    state.isAtEnd = true
                    if state.stream.pendingInput == 0 { return nil }
                case .full: return .tooLarge
                case .broken: return .broken
                }
            }
        }
    }
}
