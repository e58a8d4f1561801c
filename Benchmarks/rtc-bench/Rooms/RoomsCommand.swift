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

    @Option(help: "How often each server is measured; medians are printed.")
    var rounds = 1

    @Option(
        parsing: .singleValue,
        help:
            "NAME=COMMAND, another server of the same protocol, which prints its URL; measured in turn. May be repeated."
    )
    var beside: [RoomServer] = []

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard (2...20_000).contains(self.sessions) else { throw ValidationError("--sessions is from 2 to 20000") }
        guard (2...64).contains(self.roomSize) else { throw ValidationError("--room-size is from 2 to 64") }
        guard (1...100_000).contains(self.rate) else { throw ValidationError("--rate is from 1 to 100000") }
        guard (0...200_000).contains(self.size) else { throw ValidationError("--size is from 0 to 200000") }
        guard (1...100).contains(self.rounds) else { throw ValidationError("--rounds is from 1 to 100") }
        guard self.seconds > 0, self.seconds <= 3_600 else { throw ValidationError("--seconds is from 0 to 3600") }
    }

    func run() async throws {
        ProcessLimits.raiseFileLimit()
        let servers = [RoomServer.ours] + self.beside
        var measured: [[RoomFigures]] = servers.map { _ in [] }
        for _ in 0..<self.rounds {
            for (index, server) in servers.enumerated() {
                measured[index].append(try await self.measure(server.command))
            }
        }
        var report = Report()
        for (server, rounds) in zip(servers, measured) {
            for (name, values) in RoomFigures.medians(of: rounds) { report.add(server.prefix + name, values) }
        }
        report.print(json: self.json)
    }

    private func measure(_ command: [String]) async throws -> RoomFigures {
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
        return RoomFigures(
            bytesPerSession: Double(joined.residentBytes - before.residentBytes) / Double(self.sessions),
            microsecondsPerJoin: (joined.processorSeconds - before.processorSeconds) * 1e6 / Double(self.sessions),
            delivered: Double(samples.count) / (Double(self.rate) * self.seconds),
            p50: latencies[0],
            p99: latencies[1],
            microsecondsPerMessage: (after.processorSeconds - joined.processorSeconds) * 1e6
                / Double(max(1, samples.count))
        )
    }
}
