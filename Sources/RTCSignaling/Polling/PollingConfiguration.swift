public import NIOCore

/// Limits and times of sessions over plain HTTP requests.
public struct PollingConfiguration: Sendable, Hashable {
    /// The longest that a poll is held open, whatever the client asks for. Default 25 s.
    public var maximumWait: TimeAmount = .seconds(25)
    /// What clients that do not wait are told to let pass before their next request, and those that are told to try again; in whole
    /// seconds. Default 1 s.
    public var retryDelay: TimeAmount = .seconds(1)
    /// How long a session lives without a request, and how long one that is over is remembered. Default 60 s.
    public var sessionTimeout: TimeAmount = .seconds(60)
    /// How often a stream of events has a sign of life. Default 15 s.
    public var heartbeatInterval: TimeAmount = .seconds(15)
    /// The bytes after which a response ends; the client goes on with another. Default 128 KiB.
    public var responseLimit = 128 << 10
    /// The largest body that is taken from one request, in bytes; a larger one gets 413. Default 256 KiB.
    public var maximumBodySize = 256 << 10
    /// The most sessions at once; a request for one more gets 503. Default 10,000.
    public var maximumSessions = 10_000
    /// The most bytes that a client may leave unacknowledged, 32 more for each message; one more ends its session with 1008. Default
    /// 1 MiB.
    public var maximumUnsentBytes = 1 << 20

    /// The defaults.
    public init() {}

    /// ``retryDelay`` as `Retry-After` has it.
    var retryAfter: String { String(max(1, (self.retryDelay.nanoseconds + 999_999_999) / 1_000_000_000)) }
}
