import ArgumentParser
import NIOCore
import WebRTC

/// `rtc-bench rtt`: how long a message takes there and back.
struct RTTCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rtt",
        abstract: "Send one message at a time and wait for its echo; round-trip times."
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
        let loops = BenchLoops()
        let pair = try await LoopbackPair.connect(.init(), loops: loops)
        let ends = pair.channels[0]
        let echo = loops.onFar {
            for try await message in ends.far.messages { try await ends.far.send(message) }
        }
        let (size, seconds) = (self.size, self.seconds)
        let cpu = ProcessUsage.cpuSeconds
        let times = try await loops.onNear { try await Self.ping(ends.near, size: size, seconds: seconds) }.value
        let usage = ProcessUsage.cpuSeconds - cpu
        await pair.close()
        _ = try? await echo.value
        let percentiles = times.percentiles(0, 0.5, 0.99)
        var report = Report()
        report.add("n", times.count)
        report.add("min_us", percentiles[0])
        report.add("p50_us", percentiles[1])
        report.add("p99_us", percentiles[2])
        report.add("cpu_us_per_round_trip", times.count == 0 ? 0 : usage * 1e6 / Double(times.count))
        report.add("cpu_s", usage)
        report.print(json: self.json)
    }

    private static func ping(_ channel: RTCDataChannel, size: Int, seconds: Double) async throws -> Samples {
        let message = RTCDataChannelMessage.binary(ByteBuffer(repeating: 0, count: size))
        var messages = channel.messages.makeAsyncIterator()
        var times = Samples()
        var now = NIODeadline.now()
        let end = now + .nanoseconds(Int64(seconds * 1e9))
        while now < end {
            try await channel.send(message)
            guard try await messages.next() != nil else { break }
            let then = now
            now = .now()
            times.append(Double((now - then).nanoseconds) / 1e3)
        }
        return times
    }
}
