/// What a signalling server has counted since it began.
public struct SignalingServerCounters: Sendable, Hashable {
    /// Sessions that are open now, by transport.
    public var openSessions: [SignalingSession.Transport: Int] = [:]
    /// Sessions that were opened, by transport.
    public var sessions: [SignalingSession.Transport: Int] = [:]
    /// Messages from clients.
    public var messagesIn = 0
    /// Their bytes, decompressed.
    public var bytesIn = 0
    /// Messages to clients.
    public var messagesOut = 0
    /// Their bytes, before compression.
    public var bytesOut = 0
    /// Connections and requests that were not served, by a short word for the reason.
    public var refusals: [String: Int] = [:]
    /// Clients that were cut off because they did not take what was sent.
    public var slowClients = 0
    /// Connections that are open now.
    public var connections = 0
    /// Bytes that wait for clients now.
    public var unsentBytes = 0
    /// Messages that wait in STOMP's queues now.
    public var queuedMessages = 0
}
