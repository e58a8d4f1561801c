internal import Metrics
internal import RTCTURN

/// Hands a shard's counters to swift-metrics, once a second.
struct ShardMetrics {
    private let gauges: [Gauge]
    private let counters: [Counter]
    private var last: [Int]

    init(index: Int) {
        let dimensions = [("shard", "\(index)")]
        self.gauges = [Gauge(label: "turn_allocations", dimensions: dimensions)]
        self.counters = Self.labels.map { Counter(label: $0, dimensions: dimensions) }
        self.last = Array(repeating: 0, count: Self.labels.count)
    }

    private static let labels = [
        "turn_requests_total", "turn_successes_total", "turn_errors_total", "turn_bindings_total",
        "turn_allocations_total", "turn_datagrams_to_peers_total", "turn_bytes_to_peers_total",
        "turn_datagrams_to_clients_total", "turn_bytes_to_clients_total", "turn_malformed_total",
        "turn_unpermitted_total", "turn_over_bandwidth_total", "turn_suppressed_responses_total",
        "turn_authentications_dropped_total", "turn_unsent_total", "turn_slow_readers_total",
        "turn_stalled_readers_total",
    ]

    mutating func report(_ core: TURNServerCore, _ drops: ShardDrops) {
        let seen = core.counters
        let now = [
            seen.requests, seen.successes, seen.errors.values.reduce(0, +), seen.bindings, seen.allocations,
            seen.datagramsToPeers, seen.bytesToPeers, seen.datagramsToClients, seen.bytesToClients, seen.malformed,
            seen.unpermitted + seen.strangers, seen.overBandwidth, seen.suppressedResponses,
            seen.authenticationsDropped, drops.unsent, drops.slowReaders, drops.stalledReaders,
        ]
        self.gauges[0].record(core.allocationCount)
        for (index, value) in now.enumerated() where value != self.last[index] {
            self.counters[index].increment(by: value - self.last[index])
        }
        self.last = now
    }
}
