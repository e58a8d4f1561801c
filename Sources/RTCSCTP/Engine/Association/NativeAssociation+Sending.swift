internal import NIOCore

// Packets for the peer: control chunks first, then an acknowledgement, then data (RFC 9260 section 6.10).
extension NativeAssociation {
    /// The most packets made at a time in answer to what came: a longer burst would overrun queues on the way.
    private static let burst = 64

    func drainPackets(_ body: (UnsafeRawBufferPointer) -> Void) {
        guard self.hasSomethingToSay else { return }
        withUnsafeTemporaryAllocation(byteCount: self.configuration.packetSize, alignment: 16) { memory in
            self.sendImmediate(memory, body)
            self.prepare()
            while true {
                var packet = PacketWriter(memory)
                self.fill(&packet)
                guard !packet.isEmpty else { break }
                body(
                    packet.finish(
                        sourcePort: self.configuration.localPort,
                        destinationPort: self.remotePort,
                        tag: self.isInitiating ? 0 : self.peerTag
                    )
                )
            }
        }
    }

    private var hasSomethingToSay: Bool {
        !self.controls.isEmpty || !self.immediate.isEmpty || self.acknowledgement.isPending || self.mustSkip
            || self.mustProbe || self.outstanding.lostCount > 0 || !self.queue.isEmpty
            || !self.reconfiguration.wanted.isEmpty
    }

    /// Whether the packet at hand is that of an INIT, which has no tag.
    private var isInitiating: Bool { self.phase == .cookieWait }

    private func sendImmediate(_ memory: UnsafeMutableRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
        for (tag, chunk) in self.immediate where chunk.size <= memory.count - ChunkReader.packetHeaderSize {
            var packet = PacketWriter(memory)
            chunk.write(to: &packet)
            body(
                packet.finish(
                    sourcePort: self.configuration.localPort,
                    destinationPort: self.remotePort,
                    tag: tag
                )
            )
        }
        self.immediate.removeAll()
    }

    private func prepare() {
        guard self.phase.carriesData else { return }
        self.queue.dropExpired(now: self.now)
        self.abandonOverdue()
        self.requestReset()
        let idle = self.now - self.lastSentAt
        if self.outstanding.isEmpty, !self.queue.isEmpty, idle.nanoseconds > self.roundTrip.value {
            self.congestion.rested(initialPackets: self.configuration.tuning.initialWindowPackets)
        }
    }

    private func fill(_ packet: inout PacketWriter) {
        self.writeControls(&packet)
        guard self.phase.carriesData || self.phase == .shutdownSent else { return }
        // Nothing may follow data (section 6.10), so a lone packet's acknowledgement goes along before it.
        if self.acknowledgement.isDue || self.acknowledgement.isPending && self.hasSendableData {
            self.writeSack(&packet)
        }
        if self.mustSkip { self.writeForwardTSN(&packet) }
        if self.phase.carriesData { self.writeData(&packet) }
    }

    private func writeControls(_ packet: inout PacketWriter) {
        while let chunk = self.controls.first, chunk.size <= packet.room {
            // Nothing shares a packet with an INIT (section 4.3).
            chunk.write(to: &packet)
            self.controls.removeFirst()
        }
        if let chunk = self.controls.first, packet.isEmpty, chunk.size > packet.room { self.controls.removeFirst() }
    }

    // MARK: Acknowledgements

    private static let sackFixedSize = 16
    private static let maximumGapBlocks = 64

    /// Peers take a chunk for lost when three acknowledgements say that later ones arrived (section 7.2.4): the first few packets of
    /// a burst behind a gap get one each.
    func reportGap() {
        guard self.reassembly?.hasGaps == true, self.immediate.count < 3, self.phase.carriesData else { return }
        withUnsafeTemporaryAllocation(byteCount: self.configuration.packetSize, alignment: 16) { memory in
            var packet = PacketWriter(memory)
            self.writeSack(&packet)
            let start = ChunkReader.packetHeaderSize + ChunkReader.headerSize
            guard packet.count > start else { return }
            let value = [UInt8](UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[start..<packet.count]))
            self.immediate.append((self.peerTag, ControlChunk(type: ChunkType.sack, value: value)))
        }
    }

    private func writeSack(_ packet: inout PacketWriter) {
        guard let reassembly = self.reassembly else { return }
        let duplicates = reassembly.duplicates
        let room = packet.room - Self.sackFixedSize - 4 * duplicates.count
        guard room >= 0 else { return }
        var blocks: [(UInt16, UInt16)] = []
        if reassembly.hasGaps {
            reassembly.forEachGapBlock(limit: min(Self.maximumGapBlocks, room / 4)) { blocks.append(($0, $1)) }
        }
        packet.appendChunkHeader(
            type: ChunkType.sack,
            flags: 0,
            valueSize: Self.sackFixedSize - ChunkReader.headerSize + 4 * (blocks.count + duplicates.count)
        )
        let window = self.receiveWindow
        packet.append(TSN.wrap(reassembly.cumulative))
        packet.append(UInt32(clamping: window))
        packet.append(UInt16(blocks.count))
        packet.append(UInt16(duplicates.count))
        for (first, last) in blocks {
            packet.append(first)
            packet.append(last)
        }
        for duplicate in duplicates { packet.append(duplicate) }
        self.reassembly?.clearDuplicates()
        self.announcedWindow = window
        self.acknowledgement.noteSent()
    }

    private func writeForwardTSN(_ packet: inout PacketWriter) {
        self.mustSkip = false
        guard let skip = self.outstanding.skip else { return }
        let room = (packet.room - ChunkReader.headerSize - 4) / 4
        guard room >= 0 else { return }
        let streams = skip.streams.prefix(room)
        packet.appendChunkHeader(type: ChunkType.forwardTSN, flags: 0, valueSize: 4 + 4 * streams.count)
        packet.append(TSN.wrap(skip.number))
        for (stream, sequence) in streams {
            packet.append(stream)
            packet.append(sequence)
        }
        if self.timers[.retransmission] == nil { self.restartTimers() }
    }

    // MARK: Data

    private func writeData(_ packet: inout PacketWriter) {
        if self.mustProbe { self.writeProbe(&packet) }
        while self.outstanding.lostCount > 0 {
            guard let size = self.outstanding.nextLostSize, self.mayWrite(size, to: packet),
                let (number, chunk) = self.outstanding.takeLost(room: packet.room, now: self.now)
            else {
                return
            }
            chunk.write(to: &packet, tsn: number)
            self.noteSent()
        }
        while let message = self.queue.first {
            let capacity = min(packet.room - SentChunk.headerSize, self.chunkCapacity)
            let wanted = message.rest.readableBytes
            // What does not fit waits for the next packet, but a large message fills this one up.
            guard
                capacity >= min(wanted, self.chunkCapacity)
                    || !packet.isEmpty && wanted > self.chunkCapacity && capacity >= 256
            else { return }
            let size = SentChunk.headerSize + (min(wanted, capacity) + 3) & ~3
            guard self.mayWrite(size, to: packet),
                let chunk = self.queue.nextChunk(size: capacity & ~3, now: self.now)
            else { return }
            let number = self.outstanding.append(chunk)
            chunk.write(to: &packet, tsn: number)
            self.peerWindow = max(0, self.peerWindow - chunk.size)
            self.noteSent()
        }
        if self.queue.isEmpty { self.isWindowFull = self.isWindowFull && !self.outstanding.isEmpty }
    }

    /// Whether the windows let a chunk of this size go.
    private func mayWrite(_ size: Int, to packet: PacketWriter) -> Bool {
        guard size <= packet.room else { return false }
        let inFlight = self.outstanding.bytesInFlight
        if inFlight > 0, inFlight + size > self.congestion.window { self.isWindowFull = true }
        return self.windowsAdmit(size)
    }

    private func windowsAdmit(_ size: Int) -> Bool {
        let inFlight = self.outstanding.bytesInFlight
        // With nothing under way one chunk may always go (section 6.1, rule A): it finds out about a closed window.
        return inFlight == 0 || inFlight + size <= self.congestion.window && size <= self.peerWindow
    }

    private var hasSendableData: Bool {
        guard self.phase.carriesData else { return false }
        if self.mustProbe { return true }
        if let size = self.outstanding.nextLostSize { return self.windowsAdmit(size) }
        guard let message = self.queue.first else { return false }
        return self.windowsAdmit(SentChunk.headerSize + min(message.rest.readableBytes, self.chunkCapacity))
    }

    private func writeProbe(_ packet: inout PacketWriter) {
        self.mustProbe = false
        guard let (number, chunk) = self.outstanding.takeProbe(now: self.now), chunk.size <= packet.room else { return }
        var probe = chunk
        probe.flags.insert(.immediate)
        probe.write(to: &packet, tsn: number)
        self.timers[.retransmission] = self.now + self.roundTrip.timeout
        self.lastSentAt = self.now
    }

    private func noteSent() {
        self.lastSentAt = self.now
        if self.timers[.retransmission] == nil { self.restartTimers() }
    }
}
