import NIOCore
import WebRTC

/// Many pairs, some of them at once; the answering sides share one port.
struct ConnectionSeries: Sendable {
    let count: Int
    let concurrency: Int
    /// Whether the pairs stay open for the caller to close.
    let keepsOpen: Bool
    /// What the near sides send.
    var sources: [MediaStreamTrackSource] = []

    /// What the series took.
    struct Result: Sendable {
        var pairs: [LoopbackPair] = []
        var times = Samples()
        var failed = 0
        var seconds = 0.0
        var cpuSeconds = 0.0
    }

    func run(loops: BenchLoops, endpoint: WebRTCEndpoint) async -> Result {
        let numbers = Numbers(0..<self.count)
        let cpu = ProcessUsage.cpuSeconds
        let start = NIODeadline.now()
        var result = await withTaskGroup(of: Result.self) { group in
            for _ in 0..<self.concurrency {
                group.addTask(executorPreference: EventLoopTaskExecutor(loops.near)) {
                    var part = Result()
                    while numbers.take() != nil {
                        await self.one(&part, loops: loops, endpoint: endpoint)
                    }
                    return part
                }
            }
            return await group.reduce(into: Result()) { sum, part in
                sum.pairs += part.pairs
                sum.times.append(contentsOf: part.times)
                sum.failed += part.failed
            }
        }
        result.seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
        result.cpuSeconds = ProcessUsage.cpuSeconds - cpu
        return result
    }

    private func one(_ result: inout Result, loops: BenchLoops, endpoint: WebRTCEndpoint) async {
        var configuration = LoopbackPair.Configuration()
        configuration.endpoint = endpoint
        configuration.sources = self.sources
        do {
            let pair = try await LoopbackPair.connect(configuration, loops: loops)
            result.times.append(pair.milliseconds)
            if self.keepsOpen {
                result.pairs.append(pair)
            } else {
                await pair.close()
            }
        } catch {
            StandardError.write("a pair failed: \(error)")
            result.failed += 1
        }
    }

    /// An endpoint on loopback whose connections live on the far loop.
    static func bindEndpoint(_ loops: BenchLoops) async throws -> WebRTCEndpoint {
        var configuration = WebRTCEndpoint.Configuration()
        configuration.addressPolicy.addresses = ["127.0.0.1"]
        return try await WebRTCEndpoint.bind(configuration, group: loops.farGroup)
    }
}
