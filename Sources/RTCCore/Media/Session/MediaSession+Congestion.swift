import NIOCore
import RTCBase
import RTCRTP

extension MediaSession {
    /// Control begins with the first encoding that may be sent, where the peer gives any feedback by which to go.
    func updateCongestionControl(now: NIODeadline) {
        let gives: NegotiatedMedia.RTCPFeedback = [.transportWide, .receiverEstimate, .congestionControl]
        let active = self.senders.filter(\.isActive)
        let isWanted = active.contains { !$0.feedback.isDisjoint(with: gives) }
        // Where a peer takes both, transport-wide numbers are enough.
        self.arrivalsComeByStream =
            active.contains { $0.feedback.contains(.congestionControl) }
            && !active.contains {
                $0.feedback.contains(.transportWide) && $0.headerExtensions[.transportSequenceNumber] != nil
            }
        self.reportsArrivalsByStream =
            self.transportSequenceID == nil
            && self.receivers.contains { $0.isActive && $0.feedback.contains(.congestionControl) }
        if !self.reportsArrivalsByStream { self.streamFeedback = nil }
        if isWanted, self.congestion == nil {
            let first = UInt16(truncatingIfNeeded: self.random.next()) & 0x7FFF
            self.congestion = CongestionControl(firstSequence: first, now: now)
        } else if !isWanted {
            self.congestion = nil
        }
        self.congestion?.setNeeded(BitrateAllocator.needed(by: self.allocations), now: now)
    }

    /// What encodings need has changed.
    func sharesChanged(now: NIODeadline) {
        self.congestion?.setNeeded(BitrateAllocator.needed(by: self.allocations), now: now)
        self.congestion?.sharesChanged()
    }

    /// Sends what the pacer lets go, and tells encoders what they may use.
    func pace(now: NIODeadline) {
        guard self.congestion?.isDue(now: now) == true else { return }
        self.congestion?.handleTimeout(now: now)
        self.tellShares(now: now)
        while let output = self.congestion?.poll(now: now) {
            switch output {
            case .send(let packet, let probe): self.sendPaced(packet, probe: probe, now: now)
            case .sendPadding(let bytes, let probe): self.sendPadding(bytes: bytes, probe: probe, now: now)
            case .dropped: break
            }
        }
    }

    private func tellShares(now: NIODeadline) {
        guard let shares = self.congestion?.pollShares(among: self.allocations, now: now) else { return }
        for share in shares {
            guard let (sender, index) = self.encoding(numbered: share.id) else { continue }
            let stream = sender.streams[index]
            let isSwitchedOn = share.isOn && !stream.isOn
            stream.isOn = share.isOn
            // What is sent ahead of loss, and again after it, is the encoder's to save.
            let repeated = stream.retransmissionShare(now: now)
            let rate = share.rate * ((1 - repeated) / (1 + self.overhead(of: stream, sender)))
            guard stream.target != rate || isSwitchedOn else { continue }
            stream.target = rate
            self.events.append(.targetBitrate(sender.id, encoding: index, rate))
            if isSwitchedOn { self.events.append(.keyFrameRequest(sender.id, encoding: index)) }
        }
    }

    private func encoding(numbered id: UInt32) -> (MediaSender, Int)? {
        let (number, index) = (Int(id >> 8), Int(id & 0xFF))
        guard number < self.senders.count, index < self.senders[number].streams.count else { return nil }
        return (self.senders[number], index)
    }

    private var allocations: [BitrateAllocator.Encoding] {
        var list: [BitrateAllocator.Encoding] = []
        for (number, sender) in self.senders.enumerated() where sender.isActive {
            let count = sender.streams.count
            for (index, stream) in sender.streams.enumerated() {
                guard stream.encoding.isWanted, stream.encoding.parameters.active else { continue }
                let overhead = self.overhead(of: stream, sender)
                let maximum = Self.maximum(of: stream, overhead: overhead)
                list.append(
                    BitrateAllocator.Encoding(
                        id: UInt32(number) << 8 | UInt32(index),
                        minimum: Self.minimum(of: stream, index: index, maximum: maximum),
                        maximum: maximum,
                        priority: stream.encoding.parameters.priority.weight,
                        layer: index,
                        group: UInt32(number),
                        isAlwaysOn: count == 1
                    )
                )
            }
        }
        return list
    }

    /// A limit of the application's holds for all that is sent; without one, what is sent ahead of loss comes on top.
    private static func maximum(of stream: SendStream, overhead: Double) -> Bitrate {
        if let limit = stream.encoding.parameters.maxBitrate { return .bitsPerSecond(Int(clamping: limit)) }
        guard stream.kind == .video else { return .kilobitsPerSecond(64) * (1 + overhead) }
        let scale = stream.encoding.parameters.scaleResolutionDownBy ?? 1
        return Self.largestVideo * ((1 + overhead) / max(scale * scale, 1))
    }

    /// A layer above the lowest is worth its place once it can be clearly better than the one below.
    private static func minimum(of stream: SendStream, index: Int, maximum: Bitrate) -> Bitrate {
        guard stream.kind == .video else { return min(.kilobitsPerSecond(16), maximum) }
        return index == 0 ? min(.kilobitsPerSecond(30), maximum) : maximum * 0.4
    }

    /// What a picture without a limit of its own may use: that of a good 1080p30.
    private static let largestVideo = Bitrate.kilobitsPerSecond(4000)
}

extension RTCPriorityType {
    /// W3C webrtc-priority section 4.1: each step is twice the one below.
    fileprivate var weight: Double {
        switch self {
        case .veryLow: return 0.5
        case .low: return 1
        case .medium: return 2
        case .high: return 4
        }
    }
}
