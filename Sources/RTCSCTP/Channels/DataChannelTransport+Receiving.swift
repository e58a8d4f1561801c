internal import NIOCore
internal import RTCBase

extension DataChannelTransport {
    /// A message that is read in pieces because it is large.
    struct PartialMessage {
        var stream: UInt16
        var payloadProtocol: UInt32
        var bytes = ByteBuffer()
        /// Whether it has outgrown the limit; the rest is read and dropped.
        var isOversize = false
    }

    /// Messages of one channel that came one after the other.
    struct MessageRun {
        var channel: Channel?
        var messages: [DataChannelMessage] = []
    }

    /// A message in the read buffer.
    struct BatchedMessage {
        var channel: Channel
        var kind: DataChannelMessageKind
        var offset: Int
        var count: Int
    }

    /// Messages up to this size share one buffer with their neighbours; larger ones get their own.
    private static let sharedSize = 2_048

    /// Reads what SCTP has, one buffer full at most per event queue, until there is nothing or reading pauses.
    func readMessages() {
        while self.mayRead, self.phase != .closed, self.events.isEmpty {
            if self.isReadingPaused, !self.association.hasFailed { return }
            self.mayRead = false
            ReadBuffers.with { buffer in self.readOnce(into: buffer) }
        }
    }

    /// Fills one buffer.
    private func readOnce(into buffer: UnsafeMutableRawBufferPointer) {
        var used = 0
        var notifications: [SCTPNotification] = []
        self.association.drive {
            while buffer.count - used >= 65_536 {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[used...])
                switch self.association.read(into: rest) {
                case .nothing:
                    return
                case .notification(let notification):
                    // Handling it may call SCTP again: later, when this run of calls is over.
                    notifications.append(notification)
                    self.mayRead = true
                    return
                case .message(let message):
                    self.takeWhole(message)
                case .data(let data):
                    let bytes = UnsafeRawBufferPointer(rebasing: buffer[used..<used + data.count])
                    if self.take(data, bytes, offset: used) { used += data.count }
                }
            }
            self.mayRead = true
        }
        self.deliverBatch(UnsafeRawBufferPointer(buffer))
        self.deliverRun()
        for notification in notifications { self.handle(notification) }
    }

    /// Takes what was read.
    ///
    /// - Returns: whether the bytes stay in the buffer for now.
    private func take(_ data: SCTPIncomingData, _ bytes: UnsafeRawBufferPointer, offset: Int) -> Bool {
        if self.partial != nil || !data.endsMessage {
            self.takePiece(data, bytes)
            return false
        }
        guard data.count <= self.configuration.maximumMessageSize || data.payloadProtocol == PayloadProtocol.control
        else {
            self.refuseOversize(on: data.stream)
            return false
        }
        if let channel = self.channels.channel(on: data.stream), channel.parts == nil, !channel.isIncomingReset,
            channel.state == .open || channel.state == .closing,
            let kind = Self.plainKind(data.payloadProtocol)
        {
            let entry = BatchedMessage(channel: channel, kind: kind, offset: offset, count: data.count)
            self.batch.append(entry)
            return true
        }
        self.pendingDeliveries(before: bytes, offset: offset)
        self.takeMessage(bytes, payloadProtocol: data.payloadProtocol, stream: data.stream)
        return false
    }

    /// Takes a message that an engine has in a buffer of its own. Neighbours of one channel are told of together.
    private func takeWhole(_ message: SCTPIncomingMessage) {
        let limit = self.configuration.maximumMessageSize
        if message.isOversize
            || message.bytes.readableBytes > limit && message.payloadProtocol != PayloadProtocol.control
        {
            self.deliverRun()
            self.refuseOversize(on: message.stream)
            return
        }
        if let kind = Self.plainKind(message.payloadProtocol),
            let channel = self.run.channel?.stream == message.stream
                ? self.run.channel : self.channels.channel(on: message.stream),
            channel.parts == nil, !channel.isIncomingReset, channel.state == .open || channel.state == .closing
        {
            if self.run.channel !== channel {
                self.deliverRun()
                self.run.channel = channel
            }
            self.run.messages.append(DataChannelMessage(kind: kind, bytes: message.bytes))
            return
        }
        self.deliverRun()
        message.bytes.withUnsafeReadableBytes {
            self.takeMessage($0, payloadProtocol: message.payloadProtocol, stream: message.stream)
        }
    }

    private func deliverRun() {
        guard let channel = self.run.channel else { return }
        let messages = self.run.messages
        self.run = MessageRun()
        self.deliver(messages, to: channel)
    }

    private static func plainKind(_ payloadProtocol: UInt32) -> DataChannelMessageKind? {
        switch payloadProtocol {
        case PayloadProtocol.text: return .text
        case PayloadProtocol.binary: return .binary
        default: return nil
        }
    }

    /// Delivers the messages that lie in the buffer before this one, to keep the order.
    private func pendingDeliveries(before bytes: UnsafeRawBufferPointer, offset: Int) {
        guard !self.batch.isEmpty, let end = bytes.baseAddress else { return }
        self.deliverBatch(UnsafeRawBufferPointer(start: end - offset, count: offset))
    }

    /// Makes events of the messages in the buffer. Small ones share one allocation.
    private func deliverBatch(_ buffer: UnsafeRawBufferPointer) {
        guard var channel = self.batch.first?.channel else { return }
        var shared = self.copySmallMessages(of: buffer)
        var run: [DataChannelMessage] = []
        run.reserveCapacity(self.batch.count)
        for message in self.batch {
            if message.channel !== channel {
                self.deliver(run, to: channel)
                run.removeAll()
                channel = message.channel
            }
            let bytes: ByteBuffer
            if message.count <= Self.sharedSize {
                bytes = shared.readSlice(length: message.count) ?? ByteBuffer()
            } else {
                let own = buffer[message.offset..<message.offset + message.count]
                bytes = ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: own))
            }
            run.append(DataChannelMessage(kind: message.kind, bytes: bytes))
        }
        self.deliver(run, to: channel)
        self.batch.removeAll(keepingCapacity: true)
    }

    /// The small messages of the batch back to back.
    private func copySmallMessages(of buffer: UnsafeRawBufferPointer) -> ByteBuffer {
        var small = 0
        var next: Int?
        var isContiguous = true
        for message in self.batch where message.count <= Self.sharedSize {
            isContiguous = isContiguous && (next == nil || next == message.offset)
            next = message.offset + message.count
            small += message.count
        }
        guard small > 0, let end = next else { return ByteBuffer() }
        if isContiguous { return ByteBuffer(bytes: UnsafeRawBufferPointer(rebasing: buffer[end - small..<end])) }
        var shared = ByteBuffer()
        shared.reserveCapacity(small)
        for message in self.batch where message.count <= Self.sharedSize {
            shared.writeBytes(
                UnsafeRawBufferPointer(rebasing: buffer[message.offset..<message.offset + message.count])
            )
        }
        return shared
    }

    private func deliver(_ bytes: ByteBuffer, kind: DataChannelMessageKind, to channel: Channel) {
        self.deliver([DataChannelMessage(kind: kind, bytes: bytes)], to: channel)
    }

    private func deliver(_ messages: [DataChannelMessage], to channel: Channel) {
        // Anything on the stream shows that the peer has seen the OPEN (RFC 8832 section 6).
        channel.isAcknowledged = true
        channel.statistics.messagesReceived += messages.count
        for message in messages { channel.statistics.bytesReceived += message.bytes.readableBytes }
        self.events.append(.messages(channel.handle, messages))
    }

    // MARK: Large messages

    private func takePiece(_ data: SCTPIncomingData, _ bytes: UnsafeRawBufferPointer) {
        if let partial = self.partial, partial.stream != data.stream {
            // The engine delivers one message's pieces in a row; what was begun does not go on.
            self.partial = nil
        }
        var partial =
            self.partial ?? PartialMessage(stream: data.stream, payloadProtocol: data.payloadProtocol)
        self.partial = nil
        if partial.bytes.readableBytes + bytes.count > max(self.configuration.maximumMessageSize, 131_082) {
            partial.isOversize = true
            partial.bytes = ByteBuffer()
        }
        if !partial.isOversize { partial.bytes.writeBytes(bytes) }
        guard data.endsMessage else {
            self.partial = partial
            return
        }
        self.pendingPartialDelivery(partial)
    }

    private func pendingPartialDelivery(_ partial: PartialMessage) {
        if partial.isOversize
            || partial.payloadProtocol != PayloadProtocol.control
                && partial.bytes.readableBytes > self.configuration.maximumMessageSize
        {
            self.refuseOversize(on: partial.stream)
            return
        }
        partial.bytes.withUnsafeReadableBytes {
            self.takeMessage($0, payloadProtocol: partial.payloadProtocol, stream: partial.stream)
        }
    }

    private func refuseOversize(on stream: UInt16) {
        self.counters.oversizeMessages += 1
        guard let channel = self.channels.channel(on: stream) else { return }
        let limit = self.configuration.maximumMessageSize
        self.fail(
            channel,
            RTCError(detail: .dataChannelFailure, "The peer sent a message of more than \(limit) bytes.")
        )
    }

    // MARK: Whole messages

    /// Takes a whole message that is not the most usual kind.
    func takeMessage(_ bytes: UnsafeRawBufferPointer, payloadProtocol: UInt32, stream: UInt16) {
        let channel = self.channels.channel(on: stream)
        if let channel, channel.isIncomingReset {
            // The peer has closed this channel: this belongs to the next one with the number.
            self.hold(bytes, payloadProtocol: payloadProtocol, stream: stream)
        } else if payloadProtocol == PayloadProtocol.control {
            self.takeControl(bytes, stream: stream, channel: channel)
        } else if let channel, channel.state != .connecting {
            self.takeUserMessage(bytes, payloadProtocol: payloadProtocol, channel: channel)
        } else {
            self.hold(bytes, payloadProtocol: payloadProtocol, stream: stream)
        }
    }

    private func hold(_ bytes: UnsafeRawBufferPointer, payloadProtocol: UInt32, stream: UInt16) {
        self.answered.remove(stream)
        if !self.early.hold(bytes, payloadProtocol: payloadProtocol, stream: stream) {
            self.counters.droppedEarlyMessages += 1
        }
    }

    private func takeUserMessage(_ bytes: UnsafeRawBufferPointer, payloadProtocol: UInt32, channel: Channel) {
        switch payloadProtocol {
        case PayloadProtocol.text:
            self.deliverWithParts(bytes, kind: .text, to: channel)
        case PayloadProtocol.binary:
            self.deliverWithParts(bytes, kind: .binary, to: channel)
        case PayloadProtocol.emptyText:
            self.deliver(ByteBuffer(), kind: .text, to: channel)
        case PayloadProtocol.emptyBinary:
            self.deliver(ByteBuffer(), kind: .binary, to: channel)
        case PayloadProtocol.textPartial, PayloadProtocol.binaryPartial:
            self.takePart(bytes, of: channel)
        default:
            self.counters.unknownMessages += 1
        }
    }

    private func takePart(_ bytes: UnsafeRawBufferPointer, of channel: Channel) {
        var parts = channel.parts ?? ByteBuffer()
        channel.parts = nil
        guard parts.readableBytes + bytes.count <= self.configuration.maximumMessageSize else {
            if let stream = channel.stream { self.refuseOversize(on: stream) }
            return
        }
        parts.writeBytes(bytes)
        channel.parts = parts
    }

    private func deliverWithParts(
        _ bytes: UnsafeRawBufferPointer,
        kind: DataChannelMessageKind,
        to channel: Channel
    ) {
        guard channel.parts != nil else {
            self.deliver(ByteBuffer(bytes: bytes), kind: kind, to: channel)
            return
        }
        self.takePart(bytes, of: channel)
        guard let whole = channel.parts else { return }
        channel.parts = nil
        self.deliver(whole, kind: kind, to: channel)
    }

    /// Gives a new channel what came before it.
    func deliverEarlyData(to channel: Channel) {
        guard let stream = channel.stream, let held = self.early.take(stream) else { return }
        for message in held.messages {
            message.bytes.withUnsafeReadableBytes {
                self.takeMessage($0, payloadProtocol: message.payloadProtocol, stream: stream)
            }
        }
        if held.isReset {
            // The peer has closed its half, and ours was closed in answer.
            channel.outgoingReset = .done
            self.peerClosed(channel)
        }
    }
}
