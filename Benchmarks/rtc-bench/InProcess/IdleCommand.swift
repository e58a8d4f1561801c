import ArgumentParser
import WebRTC

/// `rtc-bench idle`: what connections cost that do nothing.
struct IdleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "idle",
        abstract: "Connect pairs of peers and leave them idle; memory and CPU of both sides."
    )

    @Option(help: "How many pairs.")
    var count = 200

    @Option(help: "How many connect at once.")
    var concurrency = 8

    @Option(help: "How long to watch them.")
    var seconds = 5.0

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard self.count >= 1 else { throw ValidationError("--count is at least 1") }
        guard (1...10_000).contains(self.concurrency) else {
            throw ValidationError("--concurrency is from 1 to 10000")
        }
        guard self.seconds > 0, self.seconds <= 86_400 else { throw ValidationError("--seconds is from 0 to 86400") }
    }

    func run() async throws {
        let loops = BenchLoops()
        let endpoint = try await ConnectionSeries.bindEndpoint(loops)
        let first = await ConnectionSeries(count: 5, concurrency: 1, keepsOpen: true).run(
            loops: loops,
            endpoint: endpoint
        )
        let before = ProcessUsage.residentBytes
        let series = ConnectionSeries(count: self.count, concurrency: self.concurrency, keepsOpen: true)
        let result = await series.run(loops: loops, endpoint: endpoint)
        try await Task.sleep(for: .seconds(2))
        let cpu = ProcessUsage.cpuSeconds
        try await Task.sleep(for: .seconds(self.seconds))
        let cores = (ProcessUsage.cpuSeconds - cpu) / self.seconds
        let resident = ProcessUsage.residentBytes
        var report = Report()
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
}
