import NIOCore
import RTCRTP

extension MediaSession {
    /// Takes what the descriptions settled in place of what was before; streams that go on keep their state.
    func update(_ media: NegotiatedMedia, now: NIODeadline) {
        self.negotiated = media
        self.updateReceivers(media)
        self.updateSenders(media)
        self.updateDemultiplexer()
        self.updateCongestionControl(now: now)
    }

    private func updateReceivers(_ media: NegotiatedMedia) {
        let known = self.receivers
        self.receivers = media.sections.map { section in
            guard let receiver = known.first(where: { $0.id == section.transceiver }) else {
                return MediaReceiver(section)
            }
            receiver.update(section)
            if !receiver.isActive {
                receiver.streams = []
                receiver.isSilent = true
            }
            return receiver
        }
        for (id, wants) in self.earlyWants {
            guard let receiver = self.receiver(id) else { continue }
            receiver.wants = wants
            self.earlyWants[id] = nil
        }
    }

    private func updateSenders(_ media: NegotiatedMedia) {
        let known = self.senders
        self.senders = media.sections.map { section in
            guard let sender = known.first(where: { $0.id == section.transceiver }) else {
                return MediaSender(section, random: &self.random)
            }
            sender.update(section, random: &self.random)
            return sender
        }
        guard self.srtp != nil else { return }
        for sender in self.senders where sender.isActive && !sender.wasActive { self.askForKeyFrames(of: sender) }
        for sender in self.senders { sender.wasActive = sender.isActive }
    }

    func askForKeyFrames(of sender: MediaSender) {
        sender.wasActive = true
        guard sender.kind == .video else { return }
        for index in sender.streams.indices { self.events.append(.keyFrameRequest(sender.id, encoding: index)) }
    }

    private func updateDemultiplexer() {
        self.receiversBySection = self.receivers
        // The numbers of header extensions are the same in all sections of a transport (RFC 9143 section 9.1).
        var map = HeaderExtensionMap()
        for receiver in self.receivers {
            let own = receiver.section.receive.headerExtensions.map
            for kind in HeaderExtensionKind.allCases {
                if let id = own[kind] { map[kind] = id }
            }
        }
        self.transportSequenceID = map[.transportSequenceNumber]
        self.demultiplexer.setSections(
            self.receivers.enumerated().map { $0.element.demultiplexing(as: $0.offset) },
            extensionMap: map
        )
        for (number, sender) in self.senders.enumerated() {
            for (index, stream) in sender.streams.enumerated() {
                self.demultiplexer.addLocalStream(stream.ssrc, section: number, encoding: index)
            }
        }
    }

    func receiver(_ id: TransceiverID) -> MediaReceiver? { self.receivers.first { $0.id == id } }

    func sender(_ id: TransceiverID) -> MediaSender? { self.senders.first { $0.id == id } }
}
