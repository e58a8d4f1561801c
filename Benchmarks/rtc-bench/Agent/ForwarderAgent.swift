import NIOPosix
import WebRTC

/// The side that forwards in mode `sfu`: connection 1 publishes, all later ones subscribe.
struct ForwarderAgent {
    let configuration: AgentConfiguration
    let group: MultiThreadedEventLoopGroup

    func run() async throws {
        var settings = WebRTCEndpoint.Configuration()
        settings.addressPolicy = self.configuration.addressPolicy
        let endpoint = try await WebRTCEndpoint.bind(settings, group: self.group)
        let forwarder = Forwarder(endpoint: endpoint) { ProcessUsage.cpuSeconds }
        for await line in AgentLine.input() {
            if line.done == 1 { return self.printResult(forwarder) }
            guard line.type == "offer", let sdp = line.sdp else { continue }
            let offer = RTCSessionDescription(type: .offer, sdp: sdp)
            let answer = try await line.id == 1 ? forwarder.publish(offer) : forwarder.subscribe(offer)
            AgentLine(id: line.id, type: "answer", sdp: answer.sdp).emit()
        }
    }

    private func printResult(_ forwarder: Forwarder) {
        var report = Report()
        report.add("cpu_s", ProcessUsage.cpuSeconds - forwarder.cpuAtFirstPacket)
        report.add("in", forwarder.packetsIn)
        report.add("out", forwarder.packetsOut)
        report.add("conns", forwarder.subscriberCount)
        report.add("rss", ProcessUsage.residentBytes)
        var result = Report()
        result.add("result", json: report.json)
        result.print(json: true)
    }
}
