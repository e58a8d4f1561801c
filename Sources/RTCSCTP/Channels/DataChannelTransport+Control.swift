internal import NIOCore
internal import RTCBase

extension DataChannelTransport {
    // MARK: Establishment (RFC 8832)

    func takeControl(_ bytes: UnsafeRawBufferPointer, stream: UInt16, channel: Channel?) {
        guard let message = DCEPMessage(bytes) else {
            self.counters.malformedControlMessages += 1
            self.refuse(stream: stream, channel: channel)
            return
        }
        switch message {
        case .acknowledge:
            guard let channel, !channel.isIncoming, !channel.parameters.negotiated else {
                self.counters.malformedControlMessages += 1
                return
            }
            channel.isAcknowledged = true
        case .open(let parameters):
            self.takeOpen(parameters, stream: stream, channel: channel)
        }
    }

    private func takeOpen(_ parameters: DataChannelParameters, stream: UInt16, channel: Channel?) {
        let isPeersNumber = (stream & 1 == 0) != (self.isClient ?? true)
        guard channel == nil, isPeersNumber, stream <= StreamID.maximum.rawValue else {
            self.counters.malformedControlMessages += 1
            self.refuse(stream: stream, channel: channel)
            return
        }
        guard self.channels.count < self.configuration.maximumChannels, self.phase == .connected else {
            self.counters.refusedChannels += 1
            self.refuse(stream: stream, channel: nil)
            return
        }
        self.channels.reinstate(stream)
        self.answered.remove(stream)
        let channel = self.channels.insert(parameters, stream: stream, isIncoming: true)
        channel.state = .open
        self.counters.channelsOpened += 1
        self.events.append(.channelIncoming(channel.handle, StreamID(rawValue: stream), parameters))
        self.enqueueControl(.acknowledge, on: channel)
        if self.early.isReset(stream) {
            // Left over from before the peer closed the stream.
            _ = self.early.take(stream)
        }
        self.deliverEarlyData(to: channel)
    }

    /// Closes what an invalid message came on (RFC 8832 section 6: the receiver must close the channel).
    private func refuse(stream: UInt16, channel: Channel?) {
        if let channel {
            self.fail(channel, RTCError(detail: .dataChannelFailure, "The peer sent an invalid establishment message."))
        } else {
            _ = self.early.take(stream)
            self.channels.retire(stream)
            self.requestReset(of: stream)
        }
    }

    // MARK: Notifications

    func handle(_ notification: SCTPNotification) {
        switch notification {
        case .up:
            self.cameUp()
        case .lost(let cause):
            self.finish(
                RTCError(
                    detail: .sctpFailure,
                    self.phase == .connecting
                        ? "The SCTP association could not be established."
                        : "The SCTP association was aborted or lost.",
                    sctpCauseCode: cause
                )
            )
        case .restarted:
            self.finish(RTCError(detail: .sctpFailure, "The peer restarted the SCTP association."))
        case .shutdownComplete:
            self.finish(nil)
        case .incomingStreamsReset(let streams):
            self.incomingReset(streams.isEmpty ? self.channels.all.compactMap(\.stream) : streams)
        case .outgoingStreamsReset(let streams):
            self.outgoingReset(streams.isEmpty ? Array(self.resetting) : streams)
        case .outgoingStreamsResetRefused(let streams):
            self.outgoingResetRefused(streams)
        case .streamsAdded:
            self.streamsAdded()
        case .addingStreamsRefused:
            self.addingStreamsRefused()
        case .partialMessageAborted:
            self.partial = nil
        case .other:
            break
        }
    }

    private func cameUp() {
        guard self.phase == .connecting else { return }
        self.phase = .connected
        self.events.append(.associationState(.connected))
        for channel in self.channels.all { self.open(channel) }
    }
}
