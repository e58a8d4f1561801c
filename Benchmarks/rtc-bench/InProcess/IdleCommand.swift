import ArgumentParser
import NIOCore
import WebRTC

/// `rtc-bench idle`: what connections cost that do nothing, or next to nothing.
struct IdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle",
        abstract: "Connect pairs of peers and leave them idle; memory and CPU of both sides.",
        discussion:
            "With --tracks each offering side also sends video, --rate packets a second on each track; what a track takes is the difference to a run without."
    )

    @Option(help: "How many pairs.")
    var count = 200

    @Option(help: "How many connect at once.")
    var concurrency = 8

    @Option(help: "How long to watch them.")
    var seconds = 5.0

    @Option(help: "How many video tracks each offering side sends.")
    var tracks = 0

    @Option(help: "Packets a second on each track.")
    var rate = 30.0

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard self.count >= 1 else { throw ValidationError("--count is at least 1") }
        guard (1...10_000).contains(self.concurrency) else {
            throw ValidationError("--concurrency is from 1 to 10000")
        }
        guard self.seconds > 0, self.seconds <= 86_400 else { throw ValidationError("--seconds is from 0 to 86400") }
        guard (0...100).contains(self.tracks) else { throw ValidationError("--tracks is from 0 to 100") }
        guard self.rate > 0, self.rate <= 10_000 else { throw ValidationError("--rate is from 0 to 10000") }
    }

    func run() async throws {
        let loops = BenchLoops()
        let endpoint = try await ConnectionSeries.bindEndpoint(loops)
        let first = await ConnectionSeries(count: 5, concurrency: 1, keepsOpen: true).run(
            loops: loops,
            endpoint: endpoint
        )
        let before = ProcessUsage.residentBytes
        let sources = (0..<self.tracks).map { _ in MediaStreamTrackSource(kind: .video) }
        let series = ConnectionSeries(
            count: self.count,
            concurrency: self.concurrency,
            keepsOpen: true,
            sources: sources
        )
        let result = await series.run(loops: loops, endpoint: endpoint)
        try await Task.sleep(for: .seconds(2))
        let cpu = ProcessUsage.cpuSeconds
        try await self.wait(sending: sources, on: loops.near)
        let cores = (ProcessUsage.cpuSeconds - cpu) / self.seconds
        let resident = ProcessUsage.residentBytes
        var report = Report()
        report.add("tracks", self.tracks)
        report.add("n", result.pairs.count)
        report.add("failed", result.failed)
        report.add("rss_per_connection", Double(resident - before) / Double(2 * self.count))
        report.add("rss", resident)
        report.add("cores", cores)
        report.add("cpu_us_per_connection_s", cores * 1e6 / Double(2 * (self.count + first.pairs.count)))
        report.print(json: self.json)
        for pair in first.pairs + result.pairs { await pair.close() }
        await endpoint.close()
        if result.failed > 0 { throw ExitCode.failure }
    }

    private func wait(sending sources: [MediaStreamTrackSource], on eventLoop: any EventLoop) async throws {
        let duration = TimeAmount.nanoseconds(Int64(self.seconds * 1e9))
        guard !sources.isEmpty else { return try await Task.sleep(for: .seconds(self.seconds)) }
        _ = try await PacketFlow.play(sources, packetsPerSecond: self.rate, bytes: 1200, for: duration, on: eventLoop)
    }
}
