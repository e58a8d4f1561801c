import Metrics
import RTCSignaling
import RTCSignalingServer
import RTCTestKit
import Synchronization
import Testing

/// Keeps what swift-metrics is told.
final class CapturedMetrics: MetricsFactory {
    /// One metric, and the sum or the last of its values.
    final class Value: CounterHandler, RecorderHandler, TimerHandler {
        let value = Mutex<Int64>(0)

        func increment(by amount: Int64) { self.value.withLock { $0 += amount } }
        func reset() { self.value.withLock { $0 = 0 } }
        func record(_ value: Int64) { self.value.withLock { $0 = value } }
        func record(_ value: Double) { self.record(Int64(value)) }
        func recordNanoseconds(_ duration: Int64) { self.record(duration) }
    }

    private let values = Mutex<[String: Value]>([:])

    /// The metrics of the process, which can be set up once only.
    static let shared: CapturedMetrics = {
        let captured = CapturedMetrics()
        MetricsSystem.bootstrap(captured)
        return captured
    }()

    subscript(name: String) -> Int64? { self.values.withLock { $0[name]?.value.withLock { $0 } } }

    private func make(_ label: String, _ dimensions: [(String, String)]) -> Value {
        let name = label + dimensions.map { " \($0.0)=\($0.1)" }.joined()
        return self.values.withLock { values in
            let value = values[name] ?? Value()
            values[name] = value
            return value
        }
    }

    func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        self.make(label, dimensions)
    }

    func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        self.make(label, dimensions)
    }

    func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler { self.make(label, dimensions) }

    func destroyCounter(_ handler: any CounterHandler) {}
    func destroyRecorder(_ handler: any RecorderHandler) {}
    func destroyTimer(_ handler: any TimerHandler) {}
}

@Suite(.timeLimit(.minutes(1))) struct ServerMetricsTests {
    typealias Server = SignalingServerTests

    @Test("swift-metrics hears of sessions, messages, and refusals by their reasons")
    func reports() async throws {
        let captured = CapturedMetrics.shared
        try await Server.serve { routes, _ in
            // Not counted by the tests beside.
            routes.admit = { $0.headers.first("cookie") == nil ? nil : SignalingResponse(403) }
        } _: { server in
            _ = try await RawClient(server).talk([("", Server.get("/sockjs/info", "Cookie: a=b\r\n"))], until: "403")
            let client = try await RawClient(server)
            let exchange: [(after: String, send: [UInt8])] = [
                ("", Server.get("/ws", Server.upgrade)), ("\r\n\r\n", Server.frame(0x81, "hello")),
            ]
            _ = try await client.talk(exchange, until: "hello") {
                try await eventually { captured["signaling_sessions transport=websocket"] == 1 }
            }
            #expect(captured["signaling_sessions_total transport=websocket"] ?? 0 >= 1)
            #expect(captured["signaling_messages_in_total"] ?? 0 >= 1)
            #expect(captured["signaling_bytes_out_total"] ?? 0 >= 5)
            #expect(captured["signaling_refusals_total reason=admission"] ?? 0 >= 1)
            #expect(captured["signaling_connections"] ?? 0 >= 1)
        }
    }
}
