internal import NIOCore
public import RTCBase

extension DataChannelTransport {
    // MARK: Creating

    /// Creates a channel, before or after the association is up.
    ///
    /// - Parameters:
    ///   - parameters: What the channel is.
    ///   - id: Its stream number. Needed if the channel is negotiated; otherwise chosen here when `nil`.
    /// - Returns: The channel, which is announced to the peer unless it is negotiated, and
    ///   ``Event/channelOpened(_:_:)`` when it can be used.
    /// - Throws: `TypeError` for parameters no channel can have; `OperationError` if the number is in use, out of the
    ///   range the association offers, or if there are too many channels; `InvalidStateError` after the end.
    public func createChannel(
        _ parameters: DataChannelParameters,
        id: StreamID?
    ) throws(RTCError) -> DataChannelHandle {
        guard self.phase != .closed, self.phase != .shuttingDown else {
            throw RTCError(.invalidState, "The SCTP association is closed.")
        }
        try Self.check(parameters, id)
        guard self.channels.count < min(self.configuration.maximumChannels, 65_535) else {
            throw RTCError(.operation, "There are \(self.channels.count) channels, which is the limit.")
        }
        let stream = try self.stream(for: id)
        if let stream { self.answered.remove(stream) }
        let channel = self.channels.insert(parameters, stream: stream, isIncoming: false)
        if self.phase == .connected { self.open(channel) }
        return channel.handle
    }

    private static func check(_ parameters: DataChannelParameters, _ id: StreamID?) throws(RTCError) {
        guard parameters.label.utf8.count <= 65_535, parameters.protocol.utf8.count <= 65_535 else {
            throw RTCError(.type, "A channel's label and protocol have at most 65,535 bytes each.")
        }
        guard parameters.maxRetransmits == nil || parameters.maxPacketLifeTime == nil else {
            throw RTCError(.type, "A channel has a limit of retransmissions or of time, not both.")
        }
        if parameters.negotiated, id == nil {
            throw RTCError(.type, "A negotiated channel needs an id, the same on both sides.")
        }
        if let id, id > StreamID.maximum {
            throw RTCError(.type, "A channel's id is at most \(StreamID.maximum).")
        }
    }

    private func stream(for id: StreamID?) throws(RTCError) -> UInt16? {
        let limit = self.maxChannels ?? 65_535
        if let id {
            guard self.channels.isFree(id.rawValue) else {
                throw RTCError(.operation, "The id \(id) is in use.")
            }
            guard Int(id.rawValue) < limit else {
                throw RTCError(.operation, "The association has no stream \(id): ids go up to \(limit - 1).")
            }
            return id.rawValue
        }
        guard let isClient = self.isClient else { return nil }
        guard let free = self.channels.freeStream(first: isClient ? 0 : 1, limit: limit) else {
            throw RTCError(.operation, "No id is free among the \(limit) the association has.")
        }
        return free
    }

    /// Gives a stream number to the channels that were created before the role was known.
    func assignStreams() {
        for channel in self.channels.all where channel.stream == nil {
            guard let free = self.channels.freeStream(first: self.isClient == true ? 0 : 1, limit: 65_535) else {
                self.fail(channel, RTCError(.operation, "No id is free."))
                continue
            }
            self.channels.assign(free, to: channel)
        }
    }

    /// Opens a channel that was created here, as soon as its stream exists.
    func open(_ channel: Channel) {
        guard let stream = channel.stream, channel.state == .connecting else { return }
        guard Int(stream) < self.association.outgoingStreams else {
            self.waitForStreams(channel)
            return
        }
        channel.state = .open
        self.counters.channelsOpened += 1
        if !channel.parameters.negotiated {
            self.enqueueControl(.open(channel.parameters), on: channel)
        }
        self.events.append(.channelOpened(channel.handle, StreamID(rawValue: stream)))
        self.deliverEarlyData(to: channel)
    }

    // MARK: More streams

    func waitForStreams(_ channel: Channel) {
        guard self.association.canAddStreams else {
            self.fail(channel, self.noStream(channel))
            return
        }
        self.waitingForStreams.append(channel)
    }

    private func noStream(_ channel: Channel) -> RTCError {
        RTCError(.operation, "The association has no stream \(channel.stream ?? 0), and the peer adds none.")
    }

    /// Asks for the streams that channels wait for, unless a request is on its way.
    func requestStreams() {
        guard !self.waitingForStreams.isEmpty, !self.isAddingStreams else { return }
        let highest = self.waitingForStreams.compactMap(\.stream).max() ?? 0
        let present = self.association.outgoingStreams
        let wanted = min(max(Int(highest) + 1, 2 * present), 65_535)
        guard wanted > present else {
            self.streamsAdded()
            return
        }
        // A refusal means that another request of ours is on its way; its answer brings us here again.
        self.isAddingStreams = self.association.addOutgoingStreams(wanted - present)
    }

    func streamsAdded() {
        self.isAddingStreams = false
        let waiting = self.waitingForStreams
        self.waitingForStreams = []
        for channel in waiting where channel.state != .closed {
            guard let stream = channel.stream else { continue }
            if Int(stream) >= self.association.outgoingStreams {
                self.waitingForStreams.append(channel)
            } else if channel.state == .connecting {
                self.open(channel)
            } else {
                self.schedule(channel)
            }
        }
    }

    func addingStreamsRefused() {
        self.isAddingStreams = false
        let waiting = self.waitingForStreams
        self.waitingForStreams = []
        for channel in waiting { self.fail(channel, self.noStream(channel)) }
    }

    // MARK: Asking

    /// The bytes accepted for a channel that SCTP has not taken yet; 0 for a channel that is gone.
    ///
    /// What SCTP has taken and the peer has not acknowledged is not among them: at most the configuration's `sendBuffer`.
    public func bufferedAmount(_ handle: DataChannelHandle) -> Int { self.channels[handle]?.bufferedAmount ?? 0 }

    /// A channel's parameters; `nil` for a channel that is gone.
    public func parameters(_ handle: DataChannelHandle) -> DataChannelParameters? { self.channels[handle]?.parameters }

    /// A channel's stream number; `nil` while it has none, and for a channel that is gone.
    public func id(_ handle: DataChannelHandle) -> StreamID? {
        self.channels[handle]?.stream.map { StreamID(rawValue: $0) }
    }

    /// A channel's counters; `nil` for a channel that is gone.
    public func statistics(_ handle: DataChannelHandle) -> DataChannelStatistics? { self.channels[handle]?.statistics }

    /// How many channels there are, those being opened or closed among them.
    public var channelCount: Int { self.channels.count }
}
