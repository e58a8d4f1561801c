import ArgumentParser
import WebRTC

/// `rtc-bench rate`: how many small messages a second, and what one costs.
struct RateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rate",
        abstract: "Send small messages one way as fast as possible; messages per second and CPU per message."
    )

    @Option(help: "The size of a message in bytes.")
    var size = 64

    @Option(help: "How long to send.")
    var seconds = 5.0

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard (0...262_144).contains(self.size) else { throw ValidationError("--size is from 0 to 262144") }
        guard self.seconds > 0, self.seconds <= 86_400 else { throw ValidationError("--seconds is from 0 to 86400") }
    }

    func run() async throws {
        let result = try await MessageFlow.measure(.init(), size: self.size, seconds: self.seconds)
        result.report.print(json: self.json)
    }
}
