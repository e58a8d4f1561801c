internal import NIOCore
internal import RTCBase
internal import RTCTURN

/// A client's connection as its shard sees it: what is written in a burst leaves together.
final class ShardStream {
    let client: StreamClient
    var buffer = ByteBuffer()
    var isCutOff = false
    /// How many writes it had taken when that was last seen to grow, and when that was.
    private var progress = -1
    private var progressAt = NIODeadline.uptimeNanoseconds(0)

    /// Since when it has read nothing of what waits; `nil` if nothing waits, or it has just read.
    func stalledSince(now: NIODeadline) -> NIODeadline? {
        let progress = self.client.writesDone
        guard self.client.waitingBytes > 0, progress == self.progress else {
            self.progress = progress
            self.progressAt = now
            return nil
        }
        return self.progressAt
    }

    init(_ client: StreamClient) { self.client = client }
}

extension TURNShard {
    /// Writes to a client's connection. What peers sent is dropped if the client reads too slowly; messages of the server's own
    /// are not, and a client that does not read even those is cut off.
    func send(
        head: UnsafeRawBufferPointer,
        body: UnsafeRawBufferPointer,
        padding: Int,
        to client: TURNFiveTuple,
        isControl: Bool = false
    ) {
        guard let stream = self.streams[client] else { return }
        let limit = self.setting.configuration.configuration.bytesPerConnection
        let waiting = stream.client.waitingBytes + stream.buffer.readableBytes
        guard waiting + body.count <= limit || isControl else {
            self.drops.slowReaders += 1
            return
        }
        guard waiting <= 2 * limit else { return self.cutOff(stream) }
        if stream.buffer.readableBytes == 0 { self.dirtyStreams.append(stream) }
        stream.buffer.writeBytes(head)
        stream.buffer.writeBytes(body)
        stream.buffer.writeRepeatingByte(0, count: padding)
    }

    func flushStreams() {
        guard !self.dirtyStreams.isEmpty else { return }
        for stream in self.dirtyStreams { self.flush(stream) }
        self.dirtyStreams.removeAll(keepingCapacity: true)
    }

    /// Closes connections whose clients have read nothing for too long: what waits for them is memory, and nobody will read it.
    /// Called once a second.
    func closeStalledStreams(now: NIODeadline) {
        let timeout = self.setting.configuration.configuration.stalledReaderTimeout
        for stream in self.streams.values {
            guard let since = stream.stalledSince(now: now), now - since >= timeout else { continue }
            self.cutOff(stream)
        }
    }

    private func cutOff(_ stream: ShardStream) {
        guard !stream.isCutOff else { return }
        stream.isCutOff = true
        self.drops.stalledReaders += 1
        stream.client.channel.close(promise: nil)
    }

    private func flush(_ stream: ShardStream) {
        guard stream.buffer.readableBytes > 0 else { return }
        stream.client.write(stream.buffer)
        stream.buffer = ByteBuffer()
    }

    // MARK: Relaying TCP (RFC 6062)

    func openTCPRelay(_ request: TURNRelayRequest, _ addresses: ValidConfiguration.Relay) {
        let ports = self.setting.configuration.relayPorts
        let start = self.random.next()
        let mailbox = self.setting.mailbox
        self.setting.streams.openRelay(request.id, on: addresses.address, ports, start: start, mailbox) { result in
            switch result {
            case .success(let channel):
                guard let address = channel.localAddress.flatMap({ TransportAddress($0) }) else { fallthrough }
                let announced = addresses.announced.withPort(address.port)
                if !mailbox.post(.relayOpened(request.id, announced, channel)) { channel.close(promise: nil) }
            case .failure: mailbox.post(.relayFailed(request.id))
            }
        }
    }

    func connectPeer(_ connection: UInt32, _ relay: TURNRelayID, _ peer: TransportAddress) {
        guard let local = self.tcpRelays[relay]?.localAddress else {
            return self.core.peerConnectionFailed(connection, now: .now())
        }
        self.connectingPeers.insert(connection)
        let mailbox = self.setting.mailbox
        self.setting.streams.connect(connection, from: local, to: peer, mailbox) { result in
            switch result {
            case .success(let stream):
                if !mailbox.post(.peerConnected(connection, stream)) { stream.channel.close(promise: nil) }
            case .failure: mailbox.post(.peerFailed(connection))
            }
        }
    }

    func accept(_ stream: PeerStream, on relay: TURNRelayID, from peer: TransportAddress, now: NIODeadline) {
        guard let id = self.core.peerAccepted(on: relay, from: peer, now: now) else {
            return stream.channel.close(promise: nil)
        }
        self.peerStreams[id] = stream
        stream.setConnection(id, self.setting.mailbox)
    }

    func join(_ client: TURNFiveTuple, _ connection: UInt32) {
        guard let peer = self.peerStreams[connection] else { return }
        guard let stream = self.streams[client] else { return peer.channel.close(promise: nil) }
        // The answer to ConnectionBind goes first.
        self.flush(stream)
        stream.client.join(peer)
        peer.join(stream.client.channel)
    }
}
