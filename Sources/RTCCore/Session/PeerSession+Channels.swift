public import NIOCore
public import RTCBase
public import RTCSCTP

extension PeerSession {
    /// Makes a data channel (W3C webrtc-pc section 6.1).
    ///
    /// - Returns: The channel and its stream, which is not known before the DTLS role is.
    /// - Throws: ``RTCError/Code/invalidState`` after ``close(now:)``, ``RTCError/Code/operation`` for an id that is taken or when
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
        return (handle, self.channels.transport.id(of: handle))
    }

    /// Queues a message that ``RTCSCTP`` was told is allowed; what cannot be sent any more is dropped with its channel.
    public func send(_ bytes: ByteBuffer, kind: DataChannelMessageKind, on handle: DataChannelHandle, now: NIODeadline) {
        do {
            try self.channels.transport.send(bytes, kind: kind, on: handle)
        } catch {
            // The channel went away between the sender's check and now; its own event tells the sender.
            self.emit(.dataChannelSent(handle, bytes: bytes.readableBytes))
        }
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

    /// The largest message that may be sent, in bytes; `nil` before that is negotiated.
    public var maximumMessageSize: Int? { self.channels.negotiated.map { $0.remoteMaximumMessageSize ?? .max } }

    func drainChannels(now: NIODeadline) {
        while let event = self.channels.transport.poll() {
            switch event {
            case .associationStateChanged(let state):
                self.associationChanged(to: state)
            case .channelIncoming(let handle, let id, let parameters):
                self.channels.wereCreated = true
                self.emit(.dataChannel(handle, parameters, id))
            case .channelIDAssigned(let handle, let id):
                self.emit(.dataChannelIDAssigned(handle, id))
            case .channelOpened(let handle):
                self.emit(.dataChannelOpen(handle))
            case .message(let handle, let kind, let bytes):
                self.messageArrived(bytes.readableBytes)
                self.emit(.dataChannelMessage(handle, kind, bytes))
            case .sent(let handle, let bytes):
                self.emit(.dataChannelSent(handle, bytes: bytes))
            case .channelClosing(let handle):
                self.emit(.dataChannelClosing(handle))
            case .channelClosed(let handle, let error):
                self.emit(.dataChannelClosed(handle, error))
            }
        }
    }

    private func messageArrived(_ bytes: Int) {
        self.channels.unreadBytes += bytes
        guard !self.channels.isPaused, self.channels.unreadBytes > self.configuration.limits.receiveHighWatermark else {
            return
        }
        self.channels.isPaused = true
        self.channels.transport.pauseReading()
    }

    private func associationChanged(to state: SCTPAssociationState) {
        let new: RTCSctpTransportState
        switch state {
        case .new: return
        case .connecting: new = .connecting
        case .connected: new = .connected
        case .closed: new = .closed
        }
        guard self.states.sctp != new else { return }
        self.states.sctp = new
        self.emit(.sctpTransportStateChange(new))
    }
}
