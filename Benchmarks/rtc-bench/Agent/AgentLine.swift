import NIOPosix

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// One line of the protocol between agents.
struct AgentLine: Codable, Sendable {
    var id: Int
    var type: String?
    var sdp: String?
    var bye: Int?
    var done: Int?

    init(id: Int, type: String? = nil, sdp: String? = nil, bye: Int? = nil) {
        self.id = id
        self.type = type
        self.sdp = sdp
        self.bye = bye
    }

    /// Parses a line; `nil` for anything else than the protocol's objects.
    init?(_ line: String) {
        guard let parsed = try? JSONDecoder().decode(AgentLine.self, from: Data(line.utf8)) else { return nil }
        self = parsed
    }

    /// Writes the line to standard output.
    func emit() {
        guard let data = try? JSONEncoder().encode(self) else { return }
        StandardOutput.write(String(decoding: data, as: UTF8.self))
    }

    /// The lines of standard input, read by a thread of their own.
    static func input() -> AsyncStream<AgentLine> {
        let (lines, continuation) = AsyncStream.makeStream(of: AgentLine.self)
        let thread = NIOThreadPool(numberOfThreads: 1)
        thread.start()
        thread.submit { _ in
            while let text = readLine() {
                if let line = AgentLine(text) { continuation.yield(line) }
            }
            continuation.finish()
        }
        return lines
    }
}
