public import NIOCore

/// What went over one channel (W3C `RTCDataChannelStats`).
public struct DataChannelStatistics: Sendable, Hashable {
    /// Messages handed to SCTP.
    public var messagesSent = 0
    /// Their bytes.
    public var bytesSent = 0
    /// Messages received.
    public var messagesReceived = 0
    /// Their bytes.
    public var bytesReceived = 0
}

/// The state of the association, and what was counted on it.
public struct SCTPStatistics: Sendable, Hashable {
    /// The congestion window in bytes; 0 while there is no association.
    public var congestionWindow = 0
    /// What the peer can still take, in bytes.
    public var peerReceiveWindow = 0
    /// The smoothed round-trip time.
    public var smoothedRoundTripTime = TimeAmount.zero
    /// The retransmission timeout.
    public var retransmissionTimeout = TimeAmount.zero
    /// DATA chunks sent and not acknowledged.
    public var unacknowledgedChunks = 0
    /// Messages SCTP has, of which something was not sent yet.
    public var pendingMessages = 0

    /// Packets given to SCTP.
    public var packetsReceived = 0
    /// Packets SCTP sent.
    public var packetsSent = 0
    /// Channels opened, either side's.
    public var channelsOpened = 0
    /// Channels closed.
    public var channelsClosed = 0
    /// Messages of the peer's that were larger than allowed.
    public var oversizeMessages = 0
    /// Establishment messages that were malformed, or came on a stream where they were not allowed.
    public var malformedControlMessages = 0
    /// Messages with a payload protocol that is not a data channel's.
    public var unknownMessages = 0
    /// Messages for channels that did not exist (yet) for which there was no room.
    public var droppedEarlyMessages = 0
    /// Channels the peer opened beyond the limit.
    public var refusedChannels = 0
}
