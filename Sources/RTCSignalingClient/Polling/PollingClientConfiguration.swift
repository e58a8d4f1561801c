public import NIOCore

/// How a client polls, and its limits.
public struct PollingClientConfiguration: Sendable {
    /// How messages come.
    public enum Mode: Sendable, Hashable {
        /// As server-sent events of one long response.
        case eventStream
        /// By requests that the server holds until there is something. Where something on the way cuts them off, they get shorter.
        case longPolling
        /// By requests that are answered at once, one in each interval.
        case polling
    }

    /// How messages come. Default by long polling.
    public var mode = Mode.longPolling
    /// How long the server is asked to hold a request; it may have less. Default 25 s.
    public var wait: TimeAmount = .seconds(25)
    /// How long to let pass after a poll that brought nothing; nil, the default, for what the server says.
    public var pollInterval: TimeAmount?
    /// How long requests may fail, one after the other, before the channel is over. Default 30 s.
    public var retryTimeout: TimeAmount = .seconds(30)
    /// What all clients over HTTP have.
    public var http = HTTPClientSettings()

    /// The defaults.
    public init() {}
}
