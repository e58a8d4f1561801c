internal import NIOCore

// The end in order (RFC 9260 section 9.2).
extension NativeAssociation {
    /// How long the peer may take to go along with a shutdown.
    private static let patience = TimeAmount.seconds(10)

    /// Takes the next step that is possible.
    func advanceShutdown() {
        guard self.queue.isEmpty, self.outstanding.isEmpty else { return }
        switch self.phase {
        case .shutdownPending:
            self.phase = .shutdownSent
            self.timers[.shutdownGuard] = self.now + Self.patience
            self.sendShutdown()
        case .shutdownReceived:
            self.phase = .shutdownAckSent
            self.sendShutdownAck()
        default:
            return
        }
    }

    func sendShutdown() {
        guard let cumulative = self.reassembly?.cumulative else { return }
        var value: [UInt8] = []
        value.append(bigEndian: TSN.wrap(cumulative))
        self.controls.removeAll { $0.type == ChunkType.shutdown }
        self.enqueue(ControlChunk(type: ChunkType.shutdown, value: value))
        self.timers[.shutdown] = self.now + self.roundTrip.timeout
    }

    private func sendShutdownAck() {
        self.controls.removeAll { $0.type == ChunkType.shutdownAck }
        self.enqueue(ControlChunk(type: ChunkType.shutdownAck))
        self.timers[.shutdown] = self.now + self.roundTrip.timeout
    }

    func shutdownTimedOut() {
        guard self.countError() else { return }
        self.roundTrip.backOff()
        switch self.phase {
        case .shutdownSent: self.sendShutdown()
        case .shutdownAckSent: self.sendShutdownAck()
        default: return
        }
    }

    /// The peer does not go along.
    func giveUpShutdown() {
        guard self.phase == .shutdownSent || self.phase == .shutdownAckSent else { return }
        var cause: [UInt8] = []
        cause.appendParameter(ErrorCause.userInitiatedAbort, [])
        self.controls = [ControlChunk(type: ChunkType.abort, value: cause)]
        self.endInOrder()
    }

    // MARK: The peer's chunks

    func receiveShutdown(_ value: UnsafeRawBufferPointer) {
        guard value.count >= 4 else { return }
        switch self.phase {
        case .established, .shutdownPending, .shutdownReceived:
            self.phase = .shutdownReceived
            self.acknowledge(through: value.uint32(at: 0))
        case .shutdownSent:
            // Both at once.
            self.phase = .shutdownAckSent
            self.sendShutdownAck()
        case .shutdownAckSent:
            self.sendShutdownAck()
        case .closed, .cookieWait, .cookieEchoed, .ended:
            return
        }
    }

    func receiveShutdownAck() {
        guard self.phase == .shutdownSent || self.phase == .shutdownAckSent else { return }
        self.controls = [ControlChunk(type: ChunkType.shutdownComplete)]
        self.endInOrder()
    }

    func receiveShutdownComplete() {
        guard self.phase == .shutdownAckSent else { return }
        self.controls = []
        self.endInOrder()
    }
}
