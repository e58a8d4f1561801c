public import NIOCore
public import RTCBase

extension DataChannelTransport {
    /// Accepts a message, which then counts as ``bufferedAmount(_:)`` until SCTP takes it.
    ///
    /// Nothing leaves before ``poll()`` or ``flush(now:)``: call this for many messages, then one of these once.
    ///
    /// - Throws: `InvalidStateError` if the channel is not open (a channel being closed or gone takes nothing);
    ///   `TypeError` if the message is larger than the peer takes; `QuotaExceededError` if the configuration's
    ///   `maximumBufferedAmount` is exceeded.
    public func send(
        _ bytes: ByteBuffer,
        kind: DataChannelMessageKind,
        on handle: DataChannelHandle
    ) throws(RTCError) {
        guard let channel = self.channels[handle], channel.state == .open else {
            throw RTCError(.invalidState, "The channel is not open.")
        }
        let count = bytes.readableBytes
        guard count <= self.remoteMaximumMessageSize else {
            throw RTCError(
                .type,
                "The message has \(count) bytes; the peer takes at most \(self.remoteMaximumMessageSize)."
            )
        }
        if channel.bufferedAmount > 0, channel.bufferedAmount + count > self.configuration.maximumBufferedAmount {
            throw RTCError(.quotaExceeded, "\(channel.bufferedAmount) bytes wait already; wait until they are less.")
        }
        guard channel.queue.count < 1 << 20 else {
            throw RTCError(.quotaExceeded, "\(channel.queue.count) messages wait already; wait until they are less.")
        }
        let payloadProtocol: UInt32
        switch kind {
        case .text: payloadProtocol = count == 0 ? PayloadProtocol.emptyText : PayloadProtocol.text
        case .binary: payloadProtocol = count == 0 ? PayloadProtocol.emptyBinary : PayloadProtocol.binary
        }
        channel.queue.append(Channel.OutgoingMessage(bytes: bytes, payloadProtocol: payloadProtocol))
        channel.bufferedAmount += count
        self.schedule(channel)
    }

    func enqueueControl(_ message: DCEPMessage, on channel: Channel) {
        let outgoing = Channel.OutgoingMessage(bytes: message.encoded, payloadProtocol: PayloadProtocol.control)
        channel.queue.append(outgoing)
        self.schedule(channel)
    }

    /// Puts a channel that has something to send in line.
    func schedule(_ channel: Channel) {
        guard !channel.isScheduled, !channel.queue.isEmpty, channel.state != .connecting else { return }
        guard let stream = channel.stream, Int(stream) < self.association.outgoingStreams else {
            self.waitForStreams(channel)
            return
        }
        channel.isScheduled = true
        self.ready.append(channel)
    }

    // MARK: Handing over

    /// Hands messages over, channel by channel in turn, until SCTP takes no more.
    func sendMessages() {
        self.requestStreams()
        guard !self.ready.isEmpty, !self.isBlocked, self.phase == .connected || self.phase == .shuttingDown else {
            self.shutdownWhenDrained()
            return
        }
        // What holds for a bulk transfer must not outlast it.
        if self.isBulk || self.isPacking { self.allowedBytes = 0 }
        self.association.drive {
            var skipped = 0
            while !self.isBlocked, self.handedOverSinceDrain < Self.mostBeforeDrain, skipped < self.ready.count,
                let channel = self.unfinished ?? self.ready.first
            {
                if self.unfinished == nil, let stream = channel.stream, self.resetting.contains(stream) {
                    self.ready.append(self.ready.removeFirst())
                    skipped += 1
                    continue
                }
                skipped = 0
                self.sendTurn(of: channel)
            }
            self.association.setCorked(false)
        }
        self.packing.restart()
        self.shutdownWhenDrained()
    }

    private func sendTurn(of channel: Channel) {
        if channel.credit <= 0 { channel.credit += channel.quantum }
        while let message = channel.queue.first {
            guard channel.credit > 0 || self.unfinished != nil else {
                self.rotate(channel)
                return
            }
            guard self.handedOverSinceDrain < Self.mostBeforeDrain else { return }
            guard self.unfinished != nil || !self.hasEnough() else {
                self.isBlocked = true
                return
            }
            guard self.handOver(message, of: channel) else { return }
        }
        channel.credit = 0
        self.retire(channel)
    }

    /// The most bytes handed over before the packets made of them are drained: the rest waits for the next
    /// ``DataChannelTransport/poll()``. Packets go out while others are made, and are still in the processor's cache.
    private static let mostBeforeDrain = 131_072

    /// The channel's turn is over, others are in line.
    private func rotate(_ channel: Channel) {
        if self.ready.count > 1, self.ready.first === channel { self.ready.append(self.ready.removeFirst()) }
    }

    /// The channel has nothing more to send.
    private func retire(_ channel: Channel) {
        channel.isScheduled = false
        if self.ready.first === channel {
            self.ready.removeFirst()
        } else if let index = self.ready.firstIndex(where: { $0 === channel }) {
            self.ready.remove(at: index)
        }
        self.advanceClosing(channel)
    }

    /// Whether SCTP has enough for now.
    ///
    /// What it has it sends in its own order and cannot give back, so it gets about one more window than is under way:
    /// the rest stays here, where it can be counted, put in order and dropped. Besides, many small messages cost SCTP more
    /// memory than their bytes, which is all its own limit counts.
    private func hasEnough() -> Bool {
        if self.allowedBytes > 0, self.allowedMessages > 0 { return false }
        guard let status = self.association.status else { return false }
        let pending = status.pendingBytes ?? status.pendingMessages * self.averageMessage
        self.isBulk = status.congestionWindow >= Self.bulkWindow && status.unacknowledgedChunks >= 16
        self.association.setBulk(self.isBulk)
        let messageLimit = self.configuration.tuning.maximumQueuedMessages
        self.allowedBytes = max(status.congestionWindow, Self.smallestBacklog) - pending
        self.allowedMessages = messageLimit - status.pendingMessages - status.unacknowledgedChunks
        if self.isPacking, status.pendingMessages > 0 { return true }
        return self.allowedBytes <= 0 || self.allowedMessages <= 0
    }

    /// The congestion window from which on a busy association counts as a bulk transfer, in bytes.
    private static let bulkWindow = 40_000
    /// The least SCTP gets ahead, in bytes.
    private static let smallestBacklog = 262_144

    /// Hands over a message, or the next piece of it.
    ///
    /// - Returns: `false` if SCTP takes no more.
    private func handOver(_ message: Channel.OutgoingMessage, of channel: Channel) -> Bool {
        let isControl = message.payloadProtocol == PayloadProtocol.control
        if !self.association.fillsPackets { self.association.setCorked(!self.letsGo(message, of: channel)) }
        let result = message.bytes.withUnsafeReadableBytes { bytes in
            let size = bytes.count
            if size == 0 { return self.handOverEmpty(message.payloadProtocol, of: channel) }
            return self.association.send(
                SCTPOutgoing(
                    bytes: UnsafeRawBufferPointer(rebasing: bytes[channel.handedOver...]),
                    buffer: channel.handedOver == 0 ? message.bytes : nil,
                    stream: channel.stream ?? 0,
                    payloadProtocol: message.payloadProtocol,
                    isOrdered: isControl || channel.parameters.ordered || !channel.isAcknowledged,
                    reliability: isControl ? .reliable : channel.reliability,
                    messageSize: size
                )
            )
        }
        switch result {
        case .accepted(let count):
            self.tookOver(count, of: message, channel: channel)
            return true
        case .wouldBlock:
            self.isBlocked = true
            return false
        case .failed:
            // The notification of the association's end is on its way.
            self.isBlocked = true
            self.mayRead = true
            return false
        }
    }

    /// Whether SCTP is to send what it has together with this message.
    ///
    /// All but the last share packets; the last takes along whatever has gathered.
    private func letsGo(_ message: Channel.OutgoingMessage, of channel: Channel) -> Bool {
        let size = message.bytes.readableBytes
        let isLast = channel.queue.count == 1 && self.ready.count <= 1
        self.isPacking = self.packing.shares(size)
        guard self.isPacking, !isLast else {
            self.packing.restart()
            return isLast
        }
        let next =
            channel.queue.count > 1
            ? channel.queue[channel.queue.index(after: channel.queue.startIndex)].bytes.readableBytes : size
        let isFull = self.packing.add(size, next: next)
        // With the packet gone it is time to see whether SCTP may send more.
        if isFull { self.allowedMessages = 0 }
        return isFull
    }

    /// SCTP knows no empty messages: a zero byte stands for one (RFC 8831 section 6.6).
    private func handOverEmpty(_ payloadProtocol: UInt32, of channel: Channel) -> SCTPSendResult {
        withUnsafeBytes(of: UInt8(0)) {
            self.association.send(
                SCTPOutgoing(
                    bytes: $0,
                    buffer: nil,
                    stream: channel.stream ?? 0,
                    payloadProtocol: payloadProtocol,
                    isOrdered: channel.parameters.ordered || !channel.isAcknowledged,
                    reliability: channel.reliability,
                    messageSize: 1
                )
            )
        }
    }

    private func tookOver(_ count: Int, of message: Channel.OutgoingMessage, channel: Channel) {
        let size = message.bytes.readableBytes
        channel.handedOver += count
        channel.credit -= count
        self.allowedBytes -= count
        self.handedOverSinceDrain += count
        if channel.handedOver < size {
            self.unfinished = channel
            return
        }
        self.unfinished = nil
        channel.handedOver = 0
        channel.queue.removeFirst()
        self.allowedMessages -= 1
        self.averageMessage += (size - self.averageMessage) / 8
        guard message.payloadProtocol != PayloadProtocol.control else { return }
        channel.statistics.messagesSent += 1
        channel.statistics.bytesSent += size
        channel.bufferedAmount -= size
        self.noteAmount(of: channel)
    }

    // MARK: Telling

    func noteAmount(of channel: Channel) {
        guard channel.hasReportedAmount else { return }
        channel.hasReportedAmount = false
        self.withNewAmount.append(channel)
    }

    /// Tells of each channel's new amount once, however many messages went.
    func reportAmounts() {
        guard !self.withNewAmount.isEmpty else { return }
        for channel in self.withNewAmount where channel.state != .closed {
            channel.hasReportedAmount = true
            self.events.append(.bufferedAmountChanged(channel.handle, channel.bufferedAmount))
        }
        self.withNewAmount.removeAll(keepingCapacity: true)
    }

    private func shutdownWhenDrained() {
        guard self.phase == .shuttingDown, self.ready.isEmpty, !self.isShutdownRequested else { return }
        self.isShutdownRequested = true
        self.association.shutdown()
    }
}
