import Foundation

/// A server of rooms in a process of its own, whose memory and processor time are measured.
struct RoomServerProcess {
    /// Where it serves.
    let url: String
    private let process: Process

    /// Starts a program and waits until it says where it serves.
    init(_ command: [String]) throws {
        let output = Pipe()
        self.process = Process()
        self.process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        self.process.arguments = command
        self.process.standardOutput = output
        do {
            try self.process.run()
        } catch {
            throw BenchFailure("\(command) cannot be started: \(error)")
        }
        var line = ""
        while !line.hasSuffix("\n") {
            let bytes = output.fileHandleForReading.availableData
            guard !bytes.isEmpty else { throw BenchFailure("\(command) said nothing") }
            line += String(decoding: bytes, as: UTF8.self)
        }
        self.url = line.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What the system says of it.
    var statistics: ProcessStatistics { ProcessStatistics(self.process.processIdentifier) }

    func stop() {
        // There is nothing to lose, and not each program listens to less.
        kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
    }
}
