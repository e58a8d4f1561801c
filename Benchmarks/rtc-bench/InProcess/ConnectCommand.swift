import ArgumentParser
import WebRTC

/// `rtc-bench connect`: how long connecting takes and what it costs.
struct ConnectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "connect",
        abstract: "Connect pairs of peers and close them; time to the open channel and CPU of both sides."
    )

    @Option(help: "How many pairs.")
    var count = 100

    @Option(help: "How many at once.")
    var concurrency = 1

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard self.count >= 1 else { throw ValidationError("--count is at least 1") }
        guard (1...10_000).contains(self.concurrency) else {
            throw ValidationError("--concurrency is from 1 to 10000")
        }
    }

    func run() async throws {
        let loops = BenchLoops()
        let endpoint = try await ConnectionSeries.bindEndpoint(loops)
        // What is made once for the process is not a connection's cost.
        _ = await ConnectionSeries(count: 5, concurrency: 1, keepsOpen: false).run(loops: loops, endpoint: endpoint)
        let series = ConnectionSeries(count: self.count, concurrency: self.concurrency, keepsOpen: false)
        let result = await series.run(loops: loops, endpoint: endpoint)
        await endpoint.close()
        let percentiles = result.times.percentiles(0.5, 0.99)
        var report = Report()
        report.add("n", result.times.count)
        report.add("failed", result.failed)
        report.add("per_s", Double(result.times.count) / result.seconds)
        report.add("p50_ms", percentiles[0])
        report.add("p99_ms", percentiles[1])
        report.add("cpu_ms_per_pair", result.cpuSeconds * 1e3 / Double(self.count))
        report.print(json: self.json)
        if result.failed > 0 { throw ExitCode.failure }
    }
}
