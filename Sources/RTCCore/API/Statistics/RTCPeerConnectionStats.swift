/// W3C webrtc-stats, `RTCPeerConnectionStats`.
public struct RTCPeerConnectionStats: Sendable, Hashable {
    /// Channels that were opened.
    public var dataChannelsOpened = 0
    /// Channels that were open and are closed.
    public var dataChannelsClosed = 0
}

/// W3C webrtc-stats, `RTCDataChannelStats`.
public struct RTCDataChannelStats: Sendable, Hashable {
    /// The name its maker gave it.
    public var label: String
    /// The subprotocol its maker gave it.
    public var `protocol`: String
    /// Its stream; `nil` until it is known.
    public var dataChannelIdentifier: UInt16?
    /// Its state.
    public var state: RTCDataChannelState
    /// Messages sent.
    public var messagesSent: UInt64
    /// Bytes of the messages sent, headers not counted.
    public var bytesSent: UInt64
    /// Messages received.
    public var messagesReceived: UInt64
    /// Bytes of the messages received, headers not counted.
    public var bytesReceived: UInt64
}
