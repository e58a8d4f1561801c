public import NIOCore

/// How a client of Socket.IO 2 connects, and its limits.
public struct SocketIOClientConfiguration: Sendable, Hashable {
    /// What carries a session.
    public enum Transport: Sendable, Hashable, CaseIterable {
        /// HTTP requests at first, and a WebSocket as soon as one has come through: what most clients do.
        case upgrading
        /// A WebSocket from the beginning.
        case webSocket
        /// HTTP requests only.
        case polling
    }

    /// What carries a session. Default ``Transport/upgrading``.
    public var transport = Transport.upgrading
    /// Whether bytes are sent, and wanted, as base64 in text (`b64=1`), for what stands between and takes text only. Default false.
    public var forcesBase64 = false
    /// How long the server may take to open a session, and then to answer for each namespace. Default 10 s.
    public var openTimeout: TimeAmount = .seconds(10)
    /// How long a WebSocket that is to take a session over may take for that; the session stays with requests then. Default 10 s.
    public var upgradeTimeout: TimeAmount = .seconds(10)
    /// How long what was sent may take when the client is closed. Default 5 s.
    public var closeTimeout: TimeAmount = .seconds(5)
    /// The longest delay before the first attempt to come back; each next is twice as long, and the real one is between its half and
    /// its whole, by chance. Default 250 ms.
    public var firstDelay: TimeAmount = .milliseconds(250)
    /// The longest delay of all. A session that held for so long makes the delays begin anew. Default 15 s.
    public var longestDelay: TimeAmount = .seconds(15)
    /// How long to try to come back after a session was lost: nil, the default, for ever, and zero for not at all.
    public var reconnectTimeout: TimeAmount?
    /// The most events that wait until a transport takes them. Default 256.
    public var maximumQueuedEvents = 256
    /// The most bytes that wait so; also the largest event that is sent, with its attachments. Default 1 MiB.
    public var maximumQueuedBytes = 1 << 20
    /// The largest text, and the largest attachment, that is taken, in bytes; a larger one ends the session. Default 1 MiB.
    public var maximumMessageSize = 1 << 20
    /// The most attachments of an event that is taken; one more ends the session. Default 64.
    public var maximumAttachments = 64
    /// The most bytes in the attachments of an event that is taken; one more ends the session. Default 4 MiB.
    public var maximumAttachmentBytes = 4 << 20
    /// How deep arrays and objects may be in each other in what is taken; more ends the session. Default 32.
    public var maximumDepth = 32
    /// The most acknowledgements that may be waited for at once. Default 1024.
    public var maximumAcknowledgements = 1024
    /// How messages in a WebSocket are compressed where the server can; nil, the default, for never.
    public var deflate: WebSocketDeflateConfiguration?

    /// The defaults.
    public init() {}
}

extension SocketIOClientConfiguration {
    /// The limits of what packets are put together from.
    var packetLimits: SocketIOConfiguration {
        var limits = SocketIOConfiguration()
        limits.maximumAttachments = self.maximumAttachments
        limits.maximumAttachmentBytes = self.maximumAttachmentBytes
        limits.maximumDepth = self.maximumDepth
        return limits
    }
}
