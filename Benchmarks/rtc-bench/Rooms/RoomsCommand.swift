import ArgumentParser
import Foundation
import RTCSockets

/// `rtc-bench rooms`: what members of rooms cost a server, and how long their messages take.
struct RoomsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rooms",
        abstract:
            "Keep members in rooms over WebSocket and send messages between them; the server's memory and the latency.",
        discussion: "Linux only."
    )

    @Option(help: "How many members.")
    var sessions = 10_000

    @Option(help: "How many of them are in one room.")
    var roomSize = 10

    @Option(help: "Messages a second, each from one member to another.")
    var rate = 1_000

    @Option(help: "The size of a message beside its frame, in bytes.")
    var size = 1_000

    @Option(help: "How long messages are sent.")
    var seconds = 10.0

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard (2...20_000).contains(self.sessions) else { throw ValidationError("--sessions is from 2 to 20000") }
        guard (2...64).contains(self.roomSize) else { throw ValidationError("--room-size is from 2 to 64") }
        guard (1...100_000).contains(self.rate) else { throw ValidationError("--rate is from 1 to 100000") }
        guard (0...200_000).contains(self.size) else { throw ValidationError("--size is from 0 to 200000") }
        guard self.seconds > 0, self.seconds <= 3_600 else { throw ValidationError("--seconds is from 0 to 3600") }
    }

    func run() async throws {
        ProcessLimits.raiseFileLimit()
        var report = Report()
        try await self.measure(["/proc/\(getpid())/exe", "room-server"], &report)
        report.print(json: self.json)
    }

    private func measure(_ command: [String], _ report: inout Report) async throws {
        let server = try RoomServerProcess(command)
        defer { server.stop() }
        let before = server.statistics
        let load = try await RoomLoad(
            url: server.url,
            sessions: self.sessions,
            roomSize: self.roomSize,
            size: self.size
        )
        try await Task.sleep(for: .seconds(2))
        let joined = server.statistics
        let samples = try await load.run(rate: self.rate, seconds: self.seconds)
        let after = server.statistics
        let latencies = samples.percentiles(0.5, 0.99)
        report.add("bytes_per_session", (joined.residentBytes - before.residentBytes) / self.sessions)
        report.add(
            "cpu_us_per_join",
            (joined.processorSeconds - before.processorSeconds) * 1e6 / Double(self.sessions)
        )
        report.add("delivered", Double(samples.count) / (Double(self.rate) * self.seconds))
        report.add("p50_us", latencies[0])
        report.add("p99_us", latencies[1])
        report.add(
            "cpu_us_per_message",
            (after.processorSeconds - joined.processorSeconds) * 1e6 / Double(max(1, samples.count))
        )
    }
}
