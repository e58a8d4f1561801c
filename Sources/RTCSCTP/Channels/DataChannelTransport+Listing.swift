public import RTCBase

extension DataChannelTransport {
    /// Where a channel is in its life (W3C `RTCDataChannelState`).
    public enum ChannelState: Sendable, Hashable {
        /// Cannot be used yet.
        case connecting
        /// Can be used.
        case open
        /// Being closed; what was accepted is still sent.
        case closing
        /// Gone.
        case closed
    }

    /// All channels there are, those being opened or closed among them.
    public var handles: [DataChannelHandle] { self.channels.all.map(\.handle) }

    /// Where a channel is in its life; closed if it is gone.
    public func state(_ handle: DataChannelHandle) -> ChannelState {
        switch self.channels[handle]?.state {
        case .connecting: return .connecting
        case .open: return .open
        case .closing: return .closing
        case .closed, nil: return .closed
        }
    }

    /// Tells the DTLS role as soon as it is known: channels get their stream numbers then, before the association begins.
    /// Only the first call counts.
    public func setRole(isClient: Bool) {
        guard self.isClient == nil else { return }
        self.isClient = isClient
        self.assignStreams()
    }

    /// Ends the association because what carries it failed; nothing can be sent any more.
    public func fail(_ error: RTCError) { self.finish(error) }
}

extension DataChannelHandle {
    /// A number that no other channel of the transport ever has.
    public var number: UInt64 { UInt64(self.generation) << 32 | UInt64(self.index) }
}
