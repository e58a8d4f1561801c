public import NIOCore
public import RTCBase
public import RTCSCTP

extension PeerSession {
    /// Makes a data channel (W3C webrtc-pc section 6.1).
    ///
    /// - Returns: The channel and its stream, which is not known before the DTLS role is.
    /// - Throws: `RTCError.Code.invalidState` after ``close(now:)``, `RTCError.Code.operation` for an id that is taken or when
    ///   there are too many channels.
    public func createDataChannel(
        _ parameters: DataChannelParameters,
        id: StreamID?,
        now: NIODeadline
    ) throws(RTCError) -> (DataChannelHandle, StreamID?) {
        try self.checkOpen()
        guard self.channels.transport.channelCount < self.configuration.limits.dataChannels else {
            throw RTCError(.operation, "there are \(self.configuration.limits.dataChannels) data channels already")
        }
        let handle = try self.channels.transport.createChannel(parameters, id: id)
        if !self.channels.wereCreated {
            self.channels.wereCreated = true
            self.updateNegotiationNeeded()
        }
        return (handle, self.channels.transport.id(handle))
    }

    /// Queues a message.
    ///
    /// - Throws: `RTCError.Code.invalidState` for a channel that is not open (any more), `RTCError.Code.type` for a message larger
    ///   than ``maximumMessageSize``.
    public func send(
        _ bytes: ByteBuffer,
        kind: DataChannelMessageKind,
        on handle: DataChannelHandle,
        now: NIODeadline
    ) throws(RTCError) {
        try self.channels.transport.send(bytes, kind: kind, on: handle)
    }

    /// Closes a channel when all its messages are out.
    public func closeDataChannel(_ handle: DataChannelHandle, now: NIODeadline) {
        self.channels.transport.close(handle)
    }

    /// Closes a channel and drops its messages.
    public func abortDataChannel(_ handle: DataChannelHandle, now: NIODeadline) {
        self.channels.transport.abort(handle)
    }

    /// Says that messages were taken by their reader: the peer may send on.
    public func messagesRead(bytes: Int, now: NIODeadline) {
        self.channels.unreadBytes = max(0, self.channels.unreadBytes - bytes)
        if self.channels.isPaused, self.channels.unreadBytes <= self.configuration.limits.receiveLowWatermark {
            self.channels.isPaused = false
            self.channels.transport.resumeReading()
        }
    }

    /// The largest message that may be sent, in bytes; `nil` before that is negotiated. At most 1 GiB, whatever the peer takes.
    public var maximumMessageSize: Int? {
        self.channels.negotiated.map { min($0.remoteMaximumMessageSize ?? .max, Self.largestMessage) }
    }

    private static let largestMessage = 1 << 30

    func drainChannels(now: NIODeadline) {
        while case .event(let event)? = self.channels.transport.poll() {
            switch event {
            case .associationState(let state):
                self.associationChanged(to: state)
            case .channelIncoming(let handle, let id, let parameters):
                self.channels.wereCreated = true
                self.emit(.dataChannel(handle, parameters, id))
                self.emit(.dataChannelOpen(handle))
            case .channelOpened(let handle, let id):
                self.emit(.dataChannelIDAssigned(handle, id))
                self.emit(.dataChannelOpen(handle))
            case .messages(let handle, let messages):
                self.messagesArrived(messages.reduce(0) { $0 + $1.bytes.readableBytes })
                self.emit(.dataChannelMessages(handle, messages))
            case .bufferedAmountChanged(let handle, let amount):
                self.emit(.dataChannelBufferedAmount(handle, amount))
            case .channelClosing(let handle):
                self.emit(.dataChannelClosing(handle))
            case .channelClosed(let handle, let error):
                self.emit(.dataChannelClosed(handle, error))
            }
        }
    }

    private func messagesArrived(_ bytes: Int) {
        self.channels.unreadBytes += bytes
        guard !self.channels.isPaused, self.channels.unreadBytes > self.configuration.limits.receiveHighWatermark else {
            return
        }
        self.channels.isPaused = true
        self.channels.transport.pauseReading()
    }

    private func associationChanged(to state: DataChannelTransport.AssociationState) {
        let new: RTCSctpTransportState
        switch state {
        case .connecting: new = .connecting
        case .connected: new = .connected
        case .closed: new = .closed
        }
        guard self.states.sctp != new else { return }
        self.states.sctp = new
        self.emit(.sctpTransportStateChange(new))
    }
}
