import NIOCore
import Synchronization
import WebRTC

/// Messages one way over all channels of a pair for some time, and what that took.
struct MessageFlow: Sendable {
    let pair: LoopbackPair
    let loops: BenchLoops
    let size: Int
    let seconds: Double

    /// What arrived and what it cost.
    struct Result: Sendable {
        var bytes = 0
        var messages = 0
        var seconds = 0.0
        var cpuSeconds = 0.0

        var report: Report {
            var report = Report()
            report.add("MBps", Double(self.bytes) / self.seconds / 1e6)
            report.add("msgs_per_s", Double(self.messages) / self.seconds)
            report.add("cpu_ns_per_B", self.bytes == 0 ? 0 : self.cpuSeconds * 1e9 / Double(self.bytes))
            report.add("cpu_us_per_msg", self.messages == 0 ? 0 : self.cpuSeconds * 1e6 / Double(self.messages))
            report.add("cores", self.cpuSeconds / self.seconds)
            report.add("bytes", self.bytes)
            report.add("msgs", self.messages)
            report.add("secs", self.seconds)
            report.add("cpu_s", self.cpuSeconds)
            return report
        }
    }

    /// Sends until the time is over, then waits until the other side has it all.
    func run() async throws -> Result {
        let message = RTCDataChannelMessage.binary(ByteBuffer(repeating: 0, count: self.size))
        let cpu = ProcessUsage.cpuSeconds
        let start = NIODeadline.now()
        let end = start + .nanoseconds(Int64(self.seconds * 1e9))
        let receivers = self.pair.channels.map { channel in self.loops.onFar { try await Self.count(channel.far) } }
        let senders = self.pair.channels.map { channel in
            self.loops.onNear { try await Self.send(message, through: channel.near, until: end) }
        }
        for sender in senders { try await sender.value }
        var result = Result()
        for receiver in receivers {
            let (bytes, messages) = try await receiver.value
            result.bytes += bytes
            result.messages += messages
        }
        result.seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
        result.cpuSeconds = ProcessUsage.cpuSeconds - cpu
        return result
    }

    private static func send(
        _ message: RTCDataChannelMessage,
        through channel: RTCDataChannel,
        until end: NIODeadline
    ) async throws {
        repeat {
            for _ in 0..<16 { try await channel.send(message) }
            // A sender that never waits must leave the loop to others.
            await Task.yield()
        } while NIODeadline.now() < end
        channel.close()
    }

    private static func count(_ channel: RTCDataChannel) async throws -> (bytes: Int, messages: Int) {
        var bytes = 0
        var messages = 0
        for try await message in channel.messages {
            bytes += message.byteCount
            messages += 1
        }
        return (bytes, messages)
    }
}
