public import NIOCore
public import RTCBase
internal import RTCSTUN

extension TURNClient {
    /// Channels last ten minutes (RFC 8656 section 12); they are renewed before.
    private static let channelRenewal = TimeAmount.seconds(540)
    private static let channelRetry = TimeAmount.seconds(60)

    /// Binds a channel to a peer, for whom datagrams then have 4 bytes of header in place of 36.
    public func bindChannel(to peer: TransportAddress, now: NIODeadline) {
        guard self.phase == .allocated, self.channels[peer] == nil, self.serves(peer),
            self.channels.count < self.configuration.maximumChannels
        else { return }
        let number = TURNChannelNumber.range.lowerBound + UInt16(self.channels.count)
        self.channels[peer] = Channel(number: number, isAsked: true)
        self.request(.bind(peer), now: now)
    }

    func bound(_ peer: TransportAddress, now: NIODeadline) {
        guard var channel = self.channels[peer] else { return }
        channel.isBound = true
        channel.isAsked = false
        channel.refreshAt = now + Self.channelRenewal
        self.channels[peer] = channel
        self.peersByChannel[channel.number] = peer
        // A binding brings a permission with it (RFC 8656 section 12).
        self.permitted(peer, now: now)
        self.flushWaiting()
    }

    func bindingFailed(_ peer: TransportAddress, _ failure: TURNFailure, now: NIODeadline) {
        guard failure.code != TURNErrorCode.allocationMismatch.rawValue else { return self.lose(failure) }
        // Indications take its place. A number that was asked for is not given to another peer: the server may have it.
        self.channels[peer]?.isBound = false
        self.channels[peer]?.isAsked = false
        self.channels[peer]?.refreshAt = now + Self.channelRetry
    }

    func refreshChannels(now: NIODeadline) {
        for (peer, channel) in self.channels where !channel.isAsked {
            guard let due = channel.refreshAt, due <= now else { continue }
            self.channels[peer]?.isAsked = true
            self.request(.bind(peer), now: now)
        }
    }
}
