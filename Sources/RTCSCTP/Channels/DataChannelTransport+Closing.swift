internal import NIOCore
internal import RTCBase

extension DataChannelTransport {
    /// Closes a channel: what was accepted is sent, then its stream is reset (RFC 8831 section 6.7).
    ///
    /// Ends with ``Event/channelClosed(_:_:)`` when the peer has closed its half too. Messages of the peer's may come
    /// until then. Does nothing for a channel that is being closed or gone.
    public func close(_ handle: DataChannelHandle) {
        guard let channel = self.channels[handle] else { return }
        self.beginClosing(channel)
    }

    /// Closes a channel at once: what SCTP has not taken yet is dropped.
    public func abort(_ handle: DataChannelHandle) {
        guard let channel = self.channels[handle] else { return }
        channel.dropQueue()
        self.beginClosing(channel)
    }

    /// Closes a channel because of an error.
    func fail(_ channel: Channel, _ error: RTCError) {
        if channel.closeError == nil { channel.closeError = error }
        channel.dropQueue()
        self.beginClosing(channel)
    }

    private func beginClosing(_ channel: Channel) {
        switch channel.state {
        case .closed:
            return
        case .connecting:
            // The peer knows nothing of it yet.
            self.remove(channel, error: channel.closeError)
        case .open:
            channel.state = .closing
            self.closing.append(channel)
            self.advanceClosing(channel)
        case .closing:
            self.advanceClosing(channel)
        }
    }

    /// Takes the next step of closing that is possible.
    func advanceClosing(_ channel: Channel) {
        guard channel.state == .closing, let stream = channel.stream else { return }
        if channel.queue.isEmpty, channel.outgoingReset == .none {
            channel.outgoingReset = .requested
            self.requestReset(of: stream)
        }
        if channel.outgoingReset == .done, channel.isIncomingReset {
            self.remove(channel, error: channel.closeError)
            self.replayEarlyData(of: stream)
        }
    }

    /// The peer reset its half of a channel's stream: ours follows when what was accepted is sent.
    func peerClosed(_ channel: Channel) {
        channel.isIncomingReset = true
        if channel.state == .open {
            channel.state = .closing
            self.closing.append(channel)
            self.events.append(.channelClosing(channel.handle))
        }
        self.advanceClosing(channel)
    }

    /// The channel is gone.
    func remove(_ channel: Channel, error: RTCError?) {
        guard channel.state != .closed else { return }
        if channel.state != .connecting { self.counters.channelsClosed += 1 }
        channel.state = .closed
        self.channels.remove(channel)
        if channel.isScheduled, let index = self.ready.firstIndex(where: { $0 === channel }) {
            channel.isScheduled = false
            self.ready.remove(at: index)
        }
        channel.queue.removeAll()
        self.closing.removeAll { $0 === channel }
        self.waitingForStreams.removeAll { $0 === channel }
        self.events.append(.channelClosed(channel.handle, error))
    }

    /// A number whose channel is gone may carry the next one's data already.
    private func replayEarlyData(of stream: UInt16) {
        guard let held = self.early.take(stream) else { return }
        for message in held.messages {
            message.bytes.withUnsafeReadableBytes {
                self.takeMessage($0, payloadProtocol: message.payloadProtocol, stream: stream)
            }
        }
        if held.isReset { self.incomingReset([stream]) }
    }

    // MARK: Resets (RFC 6525)

    func requestReset(of stream: UInt16) {
        guard self.resetting.insert(stream).inserted else { return }
        self.resetsToSend.append(stream)
    }

    /// Sends the resets asked for, all in one request.
    func sendResets() {
        guard !self.resetsToSend.isEmpty, self.phase == .connected else { return }
        let streams = self.resetsToSend
        self.resetsToSend = []
        let known = streams.filter { Int($0) < self.association.outgoingStreams }
        if known.count < streams.count {
            // Nothing was ever sent on a stream that does not exist.
            self.outgoingReset(streams.filter { Int($0) >= self.association.outgoingStreams })
        }
        guard !known.isEmpty, !self.association.resetOutgoingStreams(known) else { return }
        // The peer cannot take part: the channels end on this side alone.
        self.outgoingResetRefused(known)
    }

    func incomingReset(_ streams: [UInt16]) {
        for stream in streams {
            guard let channel = self.channels.channel(on: stream), channel.state != .connecting else {
                self.incomingResetWithoutChannel(stream)
                continue
            }
            if channel.isIncomingReset {
                // The number's next channel, of which only data has come, is closed already too.
                self.early.reset(stream)
            } else {
                self.peerClosed(channel)
            }
        }
    }

    private func incomingResetWithoutChannel(_ stream: UInt16) {
        if self.channels.reinstate(stream) {
            // This is the peer's answer to our reset. Answering it would go on for ever.
            _ = self.early.take(stream)
            return
        }
        self.early.reset(stream)
        // The peer closes a negotiated channel that was not created here, and waits for our half. Once is enough
        // until it uses the stream again: peers that answer answers exist.
        if self.answered.insert(stream).inserted { self.requestReset(of: stream) }
    }

    func outgoingReset(_ streams: [UInt16]) {
        for stream in streams {
            self.resetting.remove(stream)
            guard let channel = self.channels.channel(on: stream), channel.outgoingReset == .requested else { continue }
            channel.outgoingReset = .done
            channel.closeDeadline = self.now + .milliseconds(Int64(self.configuration.closeTimeoutMilliseconds))
            self.advanceClosing(channel)
        }
        // A request for streams waits for the end of one for resets.
        self.requestStreams()
    }

    func outgoingResetRefused(_ streams: [UInt16]) {
        for stream in streams {
            self.resetting.remove(stream)
            // Only what was asked for can be refused: a channel in the middle of a message must not go away.
            guard let channel = self.channels.channel(on: stream), channel.outgoingReset == .requested else { continue }
            channel.mayReuseStream = false
            self.remove(channel, error: channel.closeError)
        }
    }

    /// Gives up on peers that never close their half.
    func expireClosings() {
        let now = self.now
        for channel in self.closing {
            guard let deadline = channel.closeDeadline, deadline <= now else { continue }
            channel.mayReuseStream = false
            self.remove(channel, error: channel.closeError)
        }
    }
}
