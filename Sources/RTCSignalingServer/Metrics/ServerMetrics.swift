import Metrics
import NIOCore

/// Hands a server's counters to swift-metrics, once a second.
struct ServerMetrics {
    private let connections = Gauge(label: "signaling_connections")
    private let unsentBytes = Gauge(label: "signaling_unsent_bytes")
    private let queuedMessages = Gauge(label: "signaling_queued_messages")
    private let totals: [Counter]
    private var openSessions: [SignalingSession.Transport: Gauge] = [:]
    private var sessions: [SignalingSession.Transport: Counter] = [:]
    private var refusals: [String: Counter] = [:]
    private var last = SignalingServerCounters()

    private static let labels = [
        "signaling_messages_in_total", "signaling_bytes_in_total", "signaling_messages_out_total",
        "signaling_bytes_out_total", "signaling_slow_clients_total",
    ]

    init() { self.totals = Self.labels.map { Counter(label: $0) } }

    mutating func report(_ now: SignalingServerCounters) {
        self.connections.record(now.connections)
        self.unsentBytes.record(now.unsentBytes)
        self.queuedMessages.record(now.queuedMessages)
        for (index, (value, before)) in zip(Self.totals(now), Self.totals(self.last)).enumerated() where value != before
        {
            self.totals[index].increment(by: value - before)
        }
        for (transport, count) in now.sessions {
            let dimensions = [("transport", transport.label)]
            let gauge = self.openSessions[transport] ?? Gauge(label: "signaling_sessions", dimensions: dimensions)
            let counter = self.sessions[transport] ?? Counter(label: "signaling_sessions_total", dimensions: dimensions)
            gauge.record(now.openSessions[transport, default: 0])
            counter.increment(by: count - self.last.sessions[transport, default: 0])
            self.openSessions[transport] = gauge
            self.sessions[transport] = counter
        }
        for (reason, count) in now.refusals {
            let counter =
                self.refusals[reason] ?? Counter(label: "signaling_refusals_total", dimensions: [("reason", reason)])
            counter.increment(by: count - self.last.refusals[reason, default: 0])
            self.refusals[reason] = counter
        }
        self.last = now
    }

    private static func totals(_ counters: SignalingServerCounters) -> [Int] {
        [counters.messagesIn, counters.bytesIn, counters.messagesOut, counters.bytesOut, counters.slowClients]
    }
}

extension SignalingSession.Transport {
    /// The name in metrics.
    fileprivate var label: String {
        switch self {
        case .webSocket: return "websocket"
        case .sockJSWebSocket: return "sockjs_websocket"
        case .sockJSHTTP: return "sockjs_http"
        }
    }
}

/// Reports once a second for as long as the server runs.
final class ServerMetricsTimer: Sendable {
    private let task: RepeatedTask

    init(_ core: NIOLoopBound<ServerCore>, eventLoop: any EventLoop) {
        let metrics = NIOLoopBoundBox.makeBoxSendingValue(ServerMetrics(), eventLoop: eventLoop)
        self.task = eventLoop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { _ in
            metrics.value.report(core.value.currentCounters)
        }
    }

    func stop() { self.task.cancel() }
}
