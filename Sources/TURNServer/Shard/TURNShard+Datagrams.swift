internal import NIOCore
internal import RTCBase
internal import RTCTURN

extension TURNShard {
    // MARK: From clients

    func receiveFromClients(_ listener: Listener, now: NIODeadline) {
        // A busy listener leaves room for relays, whose datagrams wait in small buffers.
        for _ in 0..<4 {
            let count = self.clientArena.receive(on: listener.socket, first: 0, limit: self.clientArena.slots)
            for slot in 0..<count { self.receive(self.clientArena.read(at: slot), on: listener, now: now) }
            self.flushRelay()
            self.drainOutputs(now: now)
            guard count == self.clientArena.slots else { return }
        }
    }

    private func receive(_ read: DatagramArena.Read, on listener: Listener, now: NIODeadline) {
        let client = TURNFiveTuple(client: read.source, server: listener.socket.address, transport: .udp)
        var start = 0
        repeat {
            let end = min(start + max(read.segmentSize, 1), read.bytes.count)
            let datagram = UnsafeRawBufferPointer(rebasing: read.bytes[start..<end])
            if let forward = self.core.receive(datagram.bytes, from: client, now: now) {
                self.send(UnsafeRawBufferPointer(rebasing: datagram[forward.payload]), forward)
            }
            start = end
        } while start < read.bytes.count
    }

    /// Sends application data from a relay; the bytes must stay until ``flushRelay()``.
    func send(_ payload: UnsafeRawBufferPointer, _ forward: TURNForward) {
        guard let relay = self.relays[forward.relay.slot] else { return }
        if forward.dontFragment { return self.sendUnfragmented(payload, forward, relay.socket) }
        if self.sendingRelay?.descriptor != relay.socket.descriptor {
            self.flushRelay()
            self.sendingRelay = relay.socket
        }
        if self.relaySender.add(to: forward.peer, body: payload) { return }
        self.flushRelay()
        self.sendingRelay = relay.socket
        _ = self.relaySender.add(to: forward.peer, body: payload)
    }

    private func sendUnfragmented(_ payload: UnsafeRawBufferPointer, _ forward: TURNForward, _ socket: DatagramSocket) {
        self.flushRelay()
        socket.setDontFragment(true)
        _ = self.relaySender.add(to: forward.peer, body: payload)
        self.drops.unsent += self.relaySender.flush(on: socket)
        socket.setDontFragment(false)
    }

    func flushRelay() {
        guard let socket = self.sendingRelay else { return }
        self.sendingRelay = nil
        self.drops.unsent += self.relaySender.flush(on: socket)
    }

    // MARK: From peers

    func receiveFromPeers(of relay: Relay, now: NIODeadline) {
        if self.usedPeerSlots + Self.slotsPerRelay > self.peerArena.slots { self.flush() }
        let first = self.usedPeerSlots
        let count = self.peerArena.receive(on: relay.socket, first: first, limit: Self.slotsPerRelay)
        self.usedPeerSlots += count
        for slot in first..<first + count { self.receive(self.peerArena.read(at: slot), of: relay, now: now) }
    }

    private func receive(_ read: DatagramArena.Read, of relay: Relay, now: NIODeadline) {
        var start = 0
        repeat {
            let end = min(start + max(read.segmentSize, 1), read.bytes.count)
            let payload = UnsafeRawBufferPointer(rebasing: read.bytes[start..<end])
            if let delivery = self.core.deliver(relay.id, from: read.source, count: payload.count, now: now) {
                self.send(payload, delivery, relay)
            }
            start = end
        } while start < read.bytes.count
    }

    private func send(_ payload: UnsafeRawBufferPointer, _ delivery: TURNDelivery, _ relay: Relay) {
        let size = delivery.headerSize
        delivery.writeHeader(to: self.head, payloadCount: payload.count)
        let head = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(self.head)[..<size])
        let padding = delivery.paddingSize(forPayloadOf: payload.count)
        if delivery.client.transport.isStream {
            return self.send(head: head, body: payload, padding: padding, to: delivery.client)
        }
        guard let index = relay.listener ?? self.listenerIndex[delivery.client.server] else { return }
        let listener = self.listeners[index]
        if listener.sender.add(to: delivery.client.client, head: head, body: payload, padding: padding) { return }
        self.flush(listener)
        _ = listener.sender.add(to: delivery.client.client, head: head, body: payload, padding: padding)
    }

    func receiveErrors(of relay: Relay, now: NIODeadline) {
        relay.socket.takeErrors(limit: 16) { peer, icmp in
            self.core.receiveICMP(icmp, about: peer, on: relay.id, now: now)
        }
        self.drainOutputs(now: now)
    }

    // MARK: Sending

    /// Sends everything that was collected.
    func flush() {
        self.flushRelay()
        for listener in self.listeners { self.flush(listener) }
        self.usedPeerSlots = 0
        self.flushStreams()
    }

    func flush(_ listener: Listener) {
        if !listener.sender.isEmpty { self.drops.unsent += listener.sender.flush(on: listener.socket) }
    }

    /// Sends a message of the core's to a client.
    func send(_ message: ByteBuffer, to client: TURNFiveTuple, from origin: TransportAddress) {
        message.withUnsafeReadableBytes { bytes in
            if client.transport.isStream {
                let none = UnsafeRawBufferPointer(start: nil, count: 0)
                return self.send(head: none, body: bytes, padding: 0, to: client, isControl: true)
            }
            guard let index = self.listenerIndex[origin] else { return }
            let listener = self.listeners[index]
            if !listener.sender.add(to: client.client, body: bytes) {
                self.flush(listener)
                _ = listener.sender.add(to: client.client, body: bytes)
            }
            // The bytes do not stay.
            self.flush(listener)
        }
    }
}
