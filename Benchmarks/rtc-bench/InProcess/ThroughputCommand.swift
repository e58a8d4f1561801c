import ArgumentParser
import WebRTC

/// `rtc-bench throughput`: how many bytes a second, and what a byte costs.
struct ThroughputCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "throughput",
        abstract: "Send messages one way as fast as possible; bytes per second and CPU per byte of both sides."
    )

    @Option(help: "The size of a message in bytes.")
    var size = 65_536

    @Option(help: "How long to send.")
    var seconds = 5.0

    @Option(help: "How many channels to send on at once.")
    var channels = 1

    @Flag(help: "Take messages out of order.")
    var unordered = false

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard (0...262_144).contains(self.size) else { throw ValidationError("--size is from 0 to 262144") }
        guard self.seconds > 0, self.seconds <= 86_400 else { throw ValidationError("--seconds is from 0 to 86400") }
        guard (1...1000).contains(self.channels) else { throw ValidationError("--channels is from 1 to 1000") }
    }

    func run() async throws {
        var configuration = LoopbackPair.Configuration()
        configuration.channels = self.channels
        configuration.options.ordered = !self.unordered
        let result = try await MessageFlow.measure(configuration, size: self.size, seconds: self.seconds)
        result.report.print(json: self.json)
    }
}

extension MessageFlow {
    /// Connects a pair, measures and closes it.
    static func measure(_ configuration: LoopbackPair.Configuration, size: Int, seconds: Double) async throws -> Result
    {
        let loops = BenchLoops()
        let pair = try await LoopbackPair.connect(configuration, loops: loops)
        let result = try await MessageFlow(pair: pair, loops: loops, size: size, seconds: seconds).run()
        await pair.close()
        return result
    }
}
