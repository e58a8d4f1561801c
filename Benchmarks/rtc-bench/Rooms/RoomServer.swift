import ArgumentParser
import Foundation

/// A server that is measured.
struct RoomServer: ExpressibleByArgument {
    /// What stands before its figures.
    let prefix: String
    let command: [String]

    /// This program.
    static let ours = RoomServer(prefix: "", command: ["/proc/\(getpid())/exe", "room-server"])

    private init(prefix: String, command: [String]) { (self.prefix, self.command) = (prefix, command) }

    /// Of the form `NAME=COMMAND`, without quotes.
    init?(argument: String) {
        let parts = argument.split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        self.init(prefix: parts[0] + "_", command: parts[1].split(separator: " ").map(String.init))
    }
}

/// What one measurement gave.
struct RoomFigures {
    var bytesPerSession: Double
    var microsecondsPerJoin: Double
    /// The share of the messages that came.
    var delivered: Double
    /// Latencies, in microseconds.
    var p50: Double
    var p99: Double
    var microsecondsPerMessage: Double

    static func medians(of rounds: [RoomFigures]) -> [(String, Double)] {
        let figures: [(String, KeyPath<RoomFigures, Double>)] = [
            ("bytes_per_session", \.bytesPerSession), ("cpu_us_per_join", \.microsecondsPerJoin),
            ("delivered", \.delivered), ("p50_us", \.p50), ("p99_us", \.p99),
            ("cpu_us_per_message", \.microsecondsPerMessage),
        ]
        return figures.map { name, path in
            let sorted = rounds.map { $0[keyPath: path] }.sorted()
            return (name, sorted[sorted.count / 2])
        }
    }
}
