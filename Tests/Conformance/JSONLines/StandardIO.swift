import Dispatch
import Foundation

/// Standard input, line by line.
public enum StandardInput {
    /// The lines that arrive, as JSON; a line that is no JSON is reported on standard error and left out. Ends with the input.
    ///
    /// A thread of its own reads: nobody else is ever blocked by it.
    public static func values() -> AsyncStream<JSONValue> {
        let (stream, continuation) = AsyncStream.makeStream(of: JSONValue.self, bufferingPolicy: .unbounded)
        Thread.detachNewThread {
            while let line = readLine(strippingNewline: true) {
                guard !line.isEmpty else { continue }
                do {
                    continuation.yield(try JSONValue(parsing: line.utf8))
                } catch {
                    FileHandle.standardError.write(Data("no JSON in the line received: \(error)\n".utf8))
                }
            }
            continuation.finish()
        }
        return stream
    }
}

/// Standard output, line by line, in the order of the calls; a queue writes, so a caller never waits for the reader of the pipe.
public final class StandardOutput: Sendable {
    private let queue = DispatchQueue(label: "standard-output")

    public init() {}

    /// Writes a line, soon.
    public func write(_ value: JSONValue) {
        var line = value.utf8
        line.append(0x0a)
        self.queue.async { [line] in FileHandle.standardOutput.write(Data(line)) }
    }

    /// Returns when all is written.
    public func flush() { self.queue.sync {} }
}

extension JSONValue {
    /// The bytes of a base64 text; `nil` if it is none.
    public var base64Bytes: [UInt8]? { self.string.flatMap { Data(base64Encoded: $0) }.map(Array.init) }

    /// A base64 text.
    public static func base64(_ bytes: some Sequence<UInt8>) -> JSONValue {
        .string(Data(bytes).base64EncodedString())
    }
}
