public import NIOCore
public import RTCBase
internal import RTCSTUN

extension TURNClient {
    /// Sends datagrams to a peer through the relay: over its channel if it has one, else as indications. Those that come
    /// before the peer's permission wait for it, up to a limit.
    public func send(_ batch: DatagramBatch, to peer: TransportAddress, now: NIODeadline) {
        guard self.phase == .allocated else {
            self.counters.notSent += UInt64(batch.count)
            return
        }
        if let channel = self.channels[peer], channel.isBound {
            self.send(batch, on: channel.number)
        } else if self.permissions[peer.withPort(0)]?.isInstalled == true {
            batch.forEachDatagram { self.transmit(DatagramBatch(self.indication($0, to: peer))) }
        } else {
            self.permit(peer, now: now)
            batch.forEachDatagram { self.hold($0, for: peer) }
        }
    }

    private func hold(_ datagram: ByteBuffer, for peer: TransportAddress) {
        guard self.permissions[peer.withPort(0)] != nil, self.waiting.count < self.configuration.maximumWaiting else {
            self.counters.notSent += 1
            return
        }
        self.waiting.append((peer, datagram))
    }

    /// Sends what waited for permissions that are there now.
    func flushWaiting() {
        guard !self.waiting.isEmpty else { return }
        let waiting = self.waiting
        self.waiting = []
        for entry in waiting {
            if let channel = self.channels[entry.peer], channel.isBound {
                self.send(DatagramBatch(entry.datagram), on: channel.number)
            } else if self.permissions[entry.peer.withPort(0)]?.isInstalled == true {
                self.transmit(DatagramBatch(self.indication(entry.datagram, to: entry.peer)))
            } else {
                self.waiting.append(entry)
            }
        }
    }

    /// One copy of the whole batch, header by header; it stays a batch that the kernel cuts.
    private func send(_ batch: DatagramBatch, on number: UInt16) {
        guard let channel = TURNChannelNumber(rawValue: number) else { return }
        let isPadded = self.configuration.isReliable
        var wrapped = ByteBufferAllocator().buffer(
            capacity: batch.bytes.readableBytes + batch.count * (TURNChannelData.headerSize + (isPadded ? 3 : 0))
        )
        let bytes = batch.bytes.readableBytesSpan
        var offset = 0
        while offset < bytes.byteCount {
            let end = min(offset + batch.segmentSize, bytes.byteCount)
            TURNChannelData.write(bytes.extracting(offset..<end), on: channel, to: &wrapped, isPadded: isPadded)
            offset = end
        }
        guard wrapped.readableBytes > 0 else { return }
        let size = isPadded ? wrapped.readableBytes : batch.segmentSize + TURNChannelData.headerSize
        self.transmit(DatagramBatch(bytes: wrapped, segmentSize: size))
    }

    private func indication(_ datagram: ByteBuffer, to peer: TransportAddress) -> ByteBuffer {
        var builder = STUNMessageBuilder(.indication, .send, STUNTransactionID.random(using: &self.random))
        builder.append(.xorPeerAddress, address: peer)
        builder.append(.data, bytes: datagram.readableBytesView)
        return builder.finish()
    }

    /// Takes one message of the server: a datagram, or what a ``TURNStreamDecoder`` cut out of its stream.
    public func receive(_ datagram: RawSpan, now: NIODeadline) -> Received {
        guard self.phase != .ended, datagram.byteCount >= 4 else { return .nothing }
        if TURNChannelData.isChannelData(firstByte: datagram.unsafeLoad(as: UInt8.self)) {
            return self.receiveChannelData(datagram)
        }
        guard let message = STUNMessage(datagram) else {
            self.counters.malformed += 1
            return .nothing
        }
        switch message.messageClass {
        case .successResponse, .errorResponse:
            self.receiveResponse(message, in: datagram, now: now)
        case .indication where message.method == .data:
            return self.receiveDataIndication(message, in: datagram)
        case .request, .indication:
            self.counters.unexpected += 1
        }
        return .nothing
    }

    private func receiveChannelData(_ datagram: RawSpan) -> Received {
        guard let data = TURNChannelData(datagram) else {
            self.counters.malformed += 1
            return .nothing
        }
        guard let peer = self.peersByChannel[data.channel.rawValue], let relayed = self.relayed(for: peer) else {
            self.counters.unknownPeer += 1
            return .nothing
        }
        return .data(data.payloadRange, from: peer, to: relayed)
    }

    private func receiveDataIndication(_ message: STUNMessage, in datagram: RawSpan) -> Received {
        let attributes = TURNAttributes(of: message, in: datagram)
        guard let peer = attributes.peerAddress, let range = attributes.dataRange else { return .nothing }
        // Only those that were let through may send (RFC 8656 section 11.6).
        guard self.permissions[peer.withPort(0)] != nil, let relayed = self.relayed(for: peer) else {
            self.counters.unknownPeer += 1
            return .nothing
        }
        return .data(range, from: peer, to: relayed)
    }

    private func relayed(for peer: TransportAddress) -> TransportAddress? {
        self.allocation?.relayed.first { $0.family == peer.family }
    }
}
