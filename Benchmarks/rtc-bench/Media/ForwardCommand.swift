import ArgumentParser
import NIOCore
import Synchronization
import WebRTC

/// `rtc-bench forward`: what a forwarding server costs for each packet that it sends out.
struct ForwardCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forward",
        abstract: "Forward RTP from publishers to subscribers; CPU of the forwarding event loop for each packet sent."
    )

    @Option(help: "How many publish, each to subscribers of its own.")
    var publishers = 1

    @Option(help: "How many subscribe to each.")
    var subscribers = 10

    @Option(help: "Packets a second of each publisher.")
    var rate = 1000.0

    @Option(help: "Bytes of a packet.")
    var size = 1200

    @Option(help: "How long.")
    var seconds = 5.0

    @Flag(help: "Print one JSON object on the last line.")
    var json = false

    func validate() throws {
        guard (1...100).contains(self.publishers) else { throw ValidationError("--publishers is from 1 to 100") }
        guard (0...1000).contains(self.subscribers) else { throw ValidationError("--subscribers is from 0 to 1000") }
        guard self.rate > 0, self.rate <= 100_000 else { throw ValidationError("--rate is from 0 to 100000") }
        guard (13...1200).contains(self.size) else { throw ValidationError("--size is from 13 to 1200") }
        guard self.seconds > 0, self.seconds <= 3600 else { throw ValidationError("--seconds is from 0 to 3600") }
    }

    func run() async throws {
        let loops = BenchLoops()
        var endpointConfiguration = WebRTCEndpoint.Configuration()
        endpointConfiguration.addressPolicy.addresses = ["127.0.0.1"]
        let endpoint = try await WebRTCEndpoint.bind(endpointConfiguration, group: loops.farGroup)
        let received = Counter()
        var forwarders: [Forwarder] = []
        var peers: [RTCPeerConnection] = []
        var sources: [MediaStreamTrackSource] = []
        let residentBefore = ProcessUsage.residentBytes
        for _ in 0..<self.publishers {
            let forwarder = Forwarder(endpoint: endpoint) { ProcessUsage.threadCPUSeconds }
            forwarders.append(forwarder)
            let load = MediaLoad(loops.near)
            let (publisher, source) = try await load.publisher { try await forwarder.publish($0) }
            peers.append(publisher)
            sources.append(source)
            for _ in 0..<self.subscribers {
                peers.append(try await load.subscriber(counting: received) { try await forwarder.subscribe($0) })
            }
        }
        let resident = ProcessUsage.residentBytes - residentBefore
        let sent = try await PacketFlow.play(
            sources,
            packetsPerSecond: self.rate,
            bytes: self.size,
            for: .nanoseconds(Int64(self.seconds * 1e9)),
            on: loops.near
        )
        // The last packets are on their way; what is lost is not waited for.
        let expected = sent * self.subscribers
        for _ in 0..<100 where received.value < expected { try await Task.sleep(for: .milliseconds(10)) }
        let end = try await loops.far.submit { ProcessUsage.threadCPUSeconds }.get()
        let begin = forwarders.map(\.cpuAtFirstPacket).min() ?? end
        let out = forwarders.reduce(0) { $0 + $1.packetsOut }
        var report = Report()
        report.add("publishers", self.publishers)
        report.add("subscribers", self.subscribers)
        report.add("sent", sent)
        report.add("in", forwarders.reduce(0) { $0 + $1.packetsIn })
        report.add("out", out)
        report.add("received", received.value)
        report.add("cpu_us_per_packet_out", (end - begin) * 1e6 / Double(max(out, 1)))
        report.add("cores", (end - begin) / self.seconds)
        report.add("rss_per_connection", Double(resident) / Double(2 * peers.count))
        report.print(json: self.json)
        for peer in peers { await peer.close() }
        for forwarder in forwarders { await forwarder.close() }
        await endpoint.close()
    }
}

/// A number that many threads count up.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)
    /// How far it is.
    var value: Int { self.count.load(ordering: .relaxed) }
    /// Counts one.
    func increment() { self.count.add(1, ordering: .relaxed) }
}
