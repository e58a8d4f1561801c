import NIOCore
import NIOPosix
import Synchronization
import WebRTC

/// The side that answers: all connections on one port, or with `endpoint=0` each on sockets of its own.
final class AnswererAgent: Sendable {
    private struct State {
        var connections: [Int: RTCPeerConnection] = [:]
        var count = 0
        var residentBase: Int
    }

    private let mode: AgentCommand.Mode
    private let options: AgentOptions
    private let configuration: AgentConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let cpu = ProcessUsage.cpuSeconds
    private let state = Mutex(State(residentBase: ProcessUsage.residentBytes))

    private static let warmUps = 5

    init(mode: AgentCommand.Mode, options: AgentOptions, group: MultiThreadedEventLoopGroup) {
        self.mode = mode
        self.options = options
        self.configuration = AgentConfiguration(options: options)
        self.group = group
    }

    func run() async throws {
        let endpoint = try await self.bindEndpoint()
        for await line in AgentLine.input() {
            if line.done == 1 { return self.printResult() }
            if line.bye == 1 {
                guard let gone = self.state.withLock({ $0.connections.removeValue(forKey: line.id) }) else { continue }
                Task(executorPreference: self.configuration.executor(for: gone.eventLoop)) { await gone.close() }
            } else if line.type == "offer", let sdp = line.sdp {
                self.answer(line.id, sdp, endpoint)
            }
        }
    }

    private func bindEndpoint() async throws -> WebRTCEndpoint? {
        guard self.options.integer("endpoint", 1) != 0 else { return nil }
        var endpoint = WebRTCEndpoint.Configuration()
        endpoint.addressPolicy = self.configuration.addressPolicy
        return try await WebRTCEndpoint.bind(endpoint, group: self.group)
    }

    private func printResult() {
        var report = Report()
        let state = self.state.withLock { $0 }
        report.add("cpu_s", ProcessUsage.cpuSeconds - self.cpu)
        report.add("rss", ProcessUsage.residentBytes)
        report.add("rss_base", state.residentBase)
        report.add("conns", state.count)
        var result = Report()
        result.add("result", json: report.json)
        result.print(json: true)
    }

    // MARK: Connections

    private func answer(_ id: Int, _ sdp: String, _ endpoint: WebRTCEndpoint?) {
        do {
            let connection = try self.makeConnection(endpoint)
            self.state.withLock { state in
                state.count += 1
                if state.count == Self.warmUps + 1 { state.residentBase = ProcessUsage.residentBytes }
                state.connections[id] = connection
            }
            Task(executorPreference: self.configuration.executor(for: connection.eventLoop)) {
                await self.serve(id, connection, sdp)
            }
        } catch {
            StandardError.write("offer \(id): \(error)")
        }
    }

    private func makeConnection(_ endpoint: WebRTCEndpoint?) throws(RTCError) -> RTCPeerConnection {
        if let endpoint { return try endpoint.makePeerConnection(self.configuration.connection) }
        return try RTCPeerConnection(
            configuration: self.configuration.connection,
            addressPolicy: self.configuration.addressPolicy,
            eventLoop: self.group.next()
        )
    }

    private func serve(_ id: Int, _ connection: RTCPeerConnection, _ sdp: String) async {
        do {
            try await connection.setRemoteDescription(RTCSessionDescription(type: .offer, sdp: sdp))
            try await connection.setLocalDescription()
            let answer = try await connection.gatheredDescription()
            AgentLine(id: id, type: "answer", sdp: answer.sdp).emit()
            if self.mode == .bulk { return await self.countAll(connection) }
            guard let channel = await connection.firstDataChannel() else { return }
            switch self.mode {
            case .ping: for try await message in channel.messages { try await channel.send(message) }
            case .bulk, .setup, .idle, .sfu: for try await _ in channel.messages {}
            }
        } catch {
            StandardError.write("connection \(id): \(error)")
        }
    }

    /// Counts on each channel by itself.
    private func countAll(_ connection: RTCPeerConnection) async {
        await withDiscardingTaskGroup { group in
            for await event in connection.events {
                guard case .dataChannel(let channel) = event else { continue }
                group.addTask {
                    do {
                        try await self.count(channel)
                    } catch {
                        StandardError.write("\(channel.label): \(error)")
                    }
                }
            }
        }
    }

    /// Counts what arrives, tells the offerer when it says that this was all.
    private func count(_ channel: RTCDataChannel) async throws {
        var bytes = 0
        var messages = 0
        var start = NIODeadline.now()
        var cpu = ProcessUsage.cpuSeconds
        for try await message in channel.messages {
            if message.text != nil {
                var report = Report()
                report.add("bytes", bytes)
                report.add("msgs", messages)
                report.add("secs", Double((NIODeadline.now() - start).nanoseconds) / 1e9)
                report.add("cpu_s", ProcessUsage.cpuSeconds - cpu)
                report.add("rss", ProcessUsage.residentBytes)
                try await channel.send(report.json)
                continue
            }
            if messages == 0 {
                start = .now()
                cpu = ProcessUsage.cpuSeconds
            }
            messages += 1
            bytes += message.byteCount
        }
    }
}
