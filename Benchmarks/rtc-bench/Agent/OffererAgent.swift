import NIOCore
import NIOPosix
import Synchronization
import WebRTC

/// The side that opens connections, each on sockets of its own, and prints the result.
final class OffererAgent: Sendable {
    private let mode: AgentCommand.Mode
    private let options: AgentOptions
    private let configuration: AgentConfiguration
    private let group: MultiThreadedEventLoopGroup
    private let connections = Mutex<[Int: RTCPeerConnection]>([:])

    /// A connection whose channel is open.
    private struct Opened: Sendable {
        let connection: RTCPeerConnection
        let channel: RTCDataChannel
        let milliseconds: Double
    }

    private static let openTimeout = TimeAmount.seconds(20)
    private static let warmUps = 5

    init(mode: AgentCommand.Mode, options: AgentOptions, group: MultiThreadedEventLoopGroup) {
        self.mode = mode
        self.options = options
        self.configuration = AgentConfiguration(options: options)
        self.group = group
    }

    func run() async throws {
        let lines = AgentLine.input()
        let reader = Task(executorPreference: self.configuration.executor(for: self.group.next())) {
            for await line in lines { await self.handle(line) }
            // Whoever started this process is gone.
            AgentProcess.exit()
        }
        defer { reader.cancel() }
        let executor = self.configuration.executor(for: self.group.next())
        let report = try await Task(executorPreference: executor) { try await self.measure() }.value
        var result = Report()
        result.add("result", json: report.json)
        result.print(json: true)
        // Time for the last datagrams.
        try await Task.sleep(for: .milliseconds(300))
    }

    private func measure() async throws -> Report {
        switch self.mode {
        case .bulk: return try await self.bulk()
        case .ping: return try await self.ping()
        case .setup: return try await self.series(keepsOpen: false)
        case .idle: return try await self.series(keepsOpen: true)
        case .sfu: throw BenchFailure("the load of sfu comes from another program")
        }
    }

    private func handle(_ line: AgentLine) async {
        guard line.type == "answer", let sdp = line.sdp,
            let connection = self.connections.withLock({ $0[line.id] })
        else { return }
        do {
            try await connection.setRemoteDescription(RTCSessionDescription(type: .answer, sdp: sdp))
        } catch {
            StandardError.write("answer \(line.id): \(error)")
            await connection.close()
        }
    }

    // MARK: Connections

    private func open(_ id: Int) async throws -> Opened {
        let start = NIODeadline.now()
        let connection = try RTCPeerConnection(
            configuration: self.configuration.connection,
            addressPolicy: self.configuration.addressPolicy,
            eventLoop: self.group.next()
        )
        self.connections.withLock { $0[id] = connection }
        let channel = try await connection.createDataChannel("bench")
        try await connection.setLocalDescription()
        let offer = try await connection.gatheredDescription()
        AgentLine(id: id, type: "offer", sdp: offer.sdp).emit()
        let giveUp = connection.eventLoop.scheduleTask(in: Self.openTimeout) {
            Task { await connection.close() }
        }
        defer { giveUp.cancel() }
        try await channel.waitUntilOpen()
        let milliseconds = Double((NIODeadline.now() - start).nanoseconds) / 1e6
        return Opened(connection: connection, channel: channel, milliseconds: milliseconds)
    }

    private func end(_ id: Int) async {
        if let connection = self.connections.withLock({ $0.removeValue(forKey: id) }) { await connection.close() }
        AgentLine(id: id, bye: 1).emit()
    }

    // MARK: Messages

    private func bulk() async throws -> Report {
        let size = max(0, self.options.integer("size", 65_536))
        let opened = try await self.open(1)
        var channels = [opened.channel]
        while channels.count < self.options.integer("channels", 1) {
            let channel = try await opened.connection.createDataChannel("bench \(channels.count)")
            try await channel.waitUntilOpen()
            channels.append(channel)
        }
        let message = RTCDataChannelMessage.binary(ByteBuffer(repeating: 0, count: size))
        let cpu = ProcessUsage.cpuSeconds
        let end = NIODeadline.now() + .nanoseconds(Int64(self.options.number("seconds", 10) * 1e9))
        let replies = try await withThrowingTaskGroup(of: String.self) { group in
            for channel in channels { group.addTask { try await Self.send(message, on: channel, until: end) } }
            return try await group.reduce(into: [String]()) { $0.append($1) }
        }
        var report = Report()
        report.add("recv", json: replies.count == 1 ? replies[0] : "[\(replies.joined(separator: ","))]")
        report.add("cpu_s", ProcessUsage.cpuSeconds - cpu)
        report.add("rss", ProcessUsage.residentBytes)
        return report
    }

    /// Sends without end until its time; gives what the other side says that it got.
    private static func send(
        _ message: RTCDataChannelMessage,
        on channel: RTCDataChannel,
        until end: NIODeadline
    ) async throws -> String {
        repeat {
            for _ in 0..<16 { try await channel.send(message) }
        } while NIODeadline.now() < end
        try await channel.send("end")
        var messages = channel.messages.makeAsyncIterator()
        guard let reply = try await messages.next(), let text = reply.text else {
            throw BenchFailure("the answerer sent no result")
        }
        return text
    }

    private func ping() async throws -> Report {
        let size = max(0, self.options.integer("size", 64))
        let opened = try await self.open(1)
        let message = RTCDataChannelMessage.binary(ByteBuffer(repeating: 0, count: size))
        var messages = opened.channel.messages.makeAsyncIterator()
        var times = Samples()
        let cpu = ProcessUsage.cpuSeconds
        let end = NIODeadline.now() + .nanoseconds(Int64(self.options.number("seconds", 5) * 1e9))
        var now = NIODeadline.now()
        while now < end {
            try await opened.channel.send(message)
            guard try await messages.next() != nil else { break }
            let then = now
            now = .now()
            times.append(Double((now - then).nanoseconds) / 1e3)
        }
        let usage = ProcessUsage.cpuSeconds - cpu
        let percentiles = times.percentiles(0.5, 0.99)
        var report = Report()
        report.add("n", times.count)
        report.add("p50_us", percentiles[0])
        report.add("p99_us", percentiles[1])
        report.add("cpu_s", usage)
        return report
    }

    // MARK: Many connections

    private struct Series {
        var times = Samples()
        var failed = 0
    }

    private func series(keepsOpen: Bool) async throws -> Report {
        let count = max(1, self.options.integer("n", 50))
        for id in 0..<Self.warmUps { _ = await self.one(1_000_000 + id, keepsOpen: keepsOpen) }
        let residentBefore = ProcessUsage.residentBytes
        let cpu = ProcessUsage.cpuSeconds
        let start = NIODeadline.now()
        let ids = Numbers(2..<count + 2)
        let series = await withTaskGroup(of: Series.self) { group in
            for _ in 0..<max(1, self.options.integer("conc", 1)) {
                group.addTask {
                    var series = Series()
                    while let id = ids.take() {
                        if let milliseconds = await self.one(id, keepsOpen: keepsOpen) {
                            series.times.append(milliseconds)
                        } else {
                            series.failed += 1
                        }
                    }
                    return series
                }
            }
            return await group.reduce(into: Series()) { sum, part in
                sum.times.append(contentsOf: part.times)
                sum.failed += part.failed
            }
        }
        let seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
        let usage = ProcessUsage.cpuSeconds - cpu
        if keepsOpen { try await Task.sleep(for: .seconds(2)) }
        let percentiles = series.times.percentiles(0.5, 0.99)
        var report = Report()
        report.add("n", series.times.count)
        report.add("failed", series.failed)
        report.add("per_s", Double(series.times.count) / seconds)
        report.add("p50_ms", percentiles[0])
        report.add("p99_ms", percentiles[1])
        report.add("cpu_ms_per_conn", usage * 1e3 / Double(count))
        report.add("rss_per_conn", Double(ProcessUsage.residentBytes - residentBefore) / Double(count))
        return report
    }

    /// Opens one connection; `nil` if it failed.
    private func one(_ id: Int, keepsOpen: Bool) async -> Double? {
        do {
            let opened = try await self.open(id)
            if !keepsOpen { await self.end(id) }
            return opened.milliseconds
        } catch {
            StandardError.write("connection \(id): \(error)")
            await self.end(id)
            return nil
        }
    }
}
