import ArgumentParser
import Foundation
import RTCSockets

/// `rtc-bench relay`: what relaying a packet costs a TURN server, beside coturn in the same run.
struct RelayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "relay",
        abstract: "Relay packets through turn-server and coturn in turn; the server's processor time for each packet.",
        discussion: "Linux only. coturn is skipped if there is none."
    )

    @Option(help: "How many allocations are open; all of them carry packets.")
    var allocations = 1

    @Option(help: "Packets a second from clients to the peer, in all.")
    var rate = 20_000

    @Option(help: "Application data of a packet, in bytes.")
    var size = 1_000

    @Option(help: "How long each server is measured.")
    var seconds = 5.0

    @Option(help: "How often the servers take turns.")
    var rounds = 1

    @Flag(inversion: .prefixedNo, help: "Whether the peer sends every packet back.")
    var echo = true

    @Option(help: "The program that is turn-server; by default the one beside this program.")
    var turnServer: String?

    @Option(help: "The program that is coturn.")
    var coturn = "/usr/bin/turnserver"

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard (1...15_000).contains(self.allocations) else { throw ValidationError("--allocations is from 1 to 15000") }
        guard (1...60_000).contains(self.size) else { throw ValidationError("--size is from 1 to 60000") }
    }

    func run() throws {
        ProcessLimits.raiseFileLimit()
        let own = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let programs: [(RelayServer.Kind, String)] = [
            (.ours, self.turnServer ?? own.appendingPathComponent("turn-server").path), (.coturn, self.coturn),
        ]
        var report = Report()
        for round in 1...max(1, self.rounds) {
            for (kind, program) in programs where FileManager.default.isExecutableFile(atPath: program) {
                try self.measure(kind, program, round, &report)
            }
        }
        report.print(json: self.json)
    }

    private func measure(_ kind: RelayServer.Kind, _ program: String, _ round: Int, _ report: inout Report) throws {
        let server = try RelayServer(kind, program: program, allocations: self.allocations)
        defer { server.stop() }
        let load = try RelayLoad(server.address, allocations: self.allocations, size: self.size, echoes: self.echo)
        defer { load.close() }
        _ = load.run(rate: self.rate, seconds: 0.5)
        let before = server.statistics.processorSeconds
        let result = load.run(rate: self.rate, seconds: self.seconds)
        let used = server.statistics.processorSeconds - before
        let name = self.rounds > 1 ? "\(kind.rawValue)_\(round)" : kind.rawValue
        let wanted = result.sent * (self.echo ? 2 : 1)
        report.add("\(name)_relayed_per_s", Double(result.relayed) / result.seconds)
        report.add("\(name)_lost", Double(wanted - result.relayed) / Double(max(1, wanted)))
        report.add("\(name)_cpu_us_per_packet", used * 1e6 / Double(max(1, result.relayed)))
        report.add("\(name)_rss_bytes", server.statistics.residentBytes)
    }
}
