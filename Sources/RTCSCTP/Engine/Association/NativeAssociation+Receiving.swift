internal import NIOCore

// Packets from the peer. What is malformed is skipped: nothing here throws, traps or goes round in circles.
extension NativeAssociation {
    func receive(_ packet: UnsafeRawBufferPointer) {
        guard packet.count >= ChunkReader.packetHeaderSize + ChunkReader.headerSize, self.phase != .closed,
            self.phase != .ended, packet.uint16(at: 0) == self.remotePort,
            packet.uint16(at: 2) == self.configuration.localPort
        else { return }
        let tag = packet.uint32(at: 4)
        var reader = ChunkReader(packet: packet)
        guard let first = reader.nextChunk() else { return }
        guard first.type != ChunkType.initiation else {
            // An INIT comes alone and without a tag (RFC 9260 sections 4.3 and 8.5.1).
            if tag == 0, reader.nextChunk() == nil { self.receiveInit(first.value) }
            return
        }
        var chunk: ChunkReader.Chunk? = first
        if first.type == ChunkType.cookieEcho {
            guard self.receiveCookie(first.value, tag: tag) else { return }
            chunk = reader.nextChunk()
        } else if !self.accepts(tag, of: first) {
            return
        }
        var carriedData = false
        while let current = chunk, self.phase != .ended {
            if current.type == ChunkType.data {
                carriedData = true
                self.receiveData(current)
            } else if !self.receiveControl(current) {
                break
            }
            chunk = reader.nextChunk()
        }
        if carriedData {
            self.acknowledgement.notePacket(now: self.now)
            self.reportGap()
        }
        self.afterPacket()
    }

    /// Section 8.5.
    private func accepts(_ tag: UInt32, of chunk: ChunkReader.Chunk) -> Bool {
        let isReflected = chunk.flags & 1 != 0
        if isReflected, chunk.type == ChunkType.abort || chunk.type == ChunkType.shutdownComplete {
            return tag == self.peerTag && self.peerTag != 0
        }
        return tag == self.localTag
    }

    /// - Returns: Whether the packet's further chunks are to be read.
    private func receiveControl(_ chunk: ChunkReader.Chunk) -> Bool {
        switch chunk.type {
        case ChunkType.sack: self.receiveSack(chunk.value)
        case ChunkType.initiationAck: self.receiveInitAck(chunk.value)
        case ChunkType.cookieAck: self.receiveCookieAck()
        case ChunkType.heartbeat: self.receiveHeartbeat(chunk.value)
        case ChunkType.heartbeatAck: self.receiveHeartbeatAck(chunk.value)
        case ChunkType.abort: self.receiveAbort(chunk.value)
        case ChunkType.error: self.receiveError(chunk.value)
        case ChunkType.shutdown: self.receiveShutdown(chunk.value)
        case ChunkType.shutdownAck: self.receiveShutdownAck()
        case ChunkType.shutdownComplete: self.receiveShutdownComplete()
        case ChunkType.reconfiguration: self.receiveReconfiguration(chunk.value)
        case ChunkType.forwardTSN: self.receiveForwardTSN(chunk.value)
        case ChunkType.initiation, ChunkType.cookieEcho: break
        default: return self.receiveUnknown(chunk)
        }
        return true
    }

    /// The two highest bits of a type say what to do with an unknown one (section 3.2).
    private func receiveUnknown(_ chunk: ChunkReader.Chunk) -> Bool {
        if chunk.type & 0x40 != 0, chunk.value.count <= 256 {
            var copy = [chunk.type, chunk.flags]
            copy.append(bigEndian: UInt16(ChunkReader.headerSize + chunk.value.count))
            copy.append(contentsOf: chunk.value)
            var cause: [UInt8] = []
            cause.appendParameter(ErrorCause.unrecognizedChunk, copy)
            self.enqueue(ControlChunk(type: ChunkType.error, value: cause))
        }
        return chunk.type & 0x80 != 0
    }

    /// Queues a chunk, unless the peer makes us answer more than we send.
    func enqueue(_ chunk: ControlChunk) {
        guard self.controls.count < Self.maximumControls else { return }
        self.controls.append(chunk)
    }

    // MARK: Data

    private func receiveData(_ chunk: ChunkReader.Chunk) {
        guard self.phase.carriesData || self.phase == .shutdownSent, self.reassembly != nil else { return }
        guard let data = DataChunk(chunk) else {
            // Data without bytes (section 6.2): the peer is broken.
            if chunk.value.count == DataChunk.headerSize { self.lose(cause: ErrorCause.noUserData) }
            return
        }
        let window = self.receiveWindow
        // One packet more than was announced: what came to probe a closed window.
        guard window > 0 || self.reassembly?.hasGaps == true else {
            self.acknowledgement.isUrgent = true
            return
        }
        switch self.reassembly?.take(data, room: window, to: &self.received) {
        case .inOrder:
            if self.reassembly?.hasGaps == true || data.flags.contains(.immediate) {
                self.acknowledgement.isUrgent = true
            }
        case .outOfOrder, .duplicate, .refused:
            self.acknowledgement.isUrgent = true
        case nil:
            break
        }
        // Something arrived after our SHUTDOWN: the peer has not seen it (section 9.2).
        if self.phase == .shutdownSent { self.sendShutdown() }
    }

    private func receiveForwardTSN(_ value: UnsafeRawBufferPointer) {
        guard value.count >= 4, self.reassembly != nil else { return }
        var skipped: [(stream: UInt16, sequence: UInt16)] = []
        var offset = 4
        while offset + 4 <= value.count {
            skipped.append((value.uint16(at: offset), value.uint16(at: offset + 2)))
            offset += 4
        }
        _ = self.reassembly?.skip(through: value.uint32(at: 0), skipped, to: &self.received)
        self.acknowledgement.isUrgent = true
    }

    /// Whatever a packet made possible.
    private func afterPacket() {
        self.performDeferredReset()
        self.advanceShutdown()
    }

    // MARK: Errors and life signs

    private func receiveAbort(_ value: UnsafeRawBufferPointer) {
        var reader = ChunkReader(value)
        self.lose(cause: reader.nextParameter()?.type)
    }

    private func receiveError(_ value: UnsafeRawBufferPointer) {
        var reader = ChunkReader(value)
        while let cause = reader.nextParameter() {
            // The cookie was too old: begin again (section 5.2.6). Any other error is the peer's opinion.
            if cause.type == ErrorCause.staleCookie, self.phase == .cookieEchoed {
                self.phase = .cookieWait
                self.timers[.handshake] = self.now
            }
        }
    }

    private func receiveHeartbeat(_ value: UnsafeRawBufferPointer) {
        guard value.count <= 1_024 else { return }
        self.enqueue(ControlChunk(type: ChunkType.heartbeatAck, value: Array(value)))
    }

    private func receiveHeartbeatAck(_ value: UnsafeRawBufferPointer) {
        var reader = ChunkReader(value)
        guard let info = reader.nextParameter(), info.type == ParameterType.heartbeatInfo, info.value.count == 8,
            self.timers[.heartbeatAnswer] != nil
        else { return }
        let sent = Int64(info.value.uint32(at: 0)) << 32 | Int64(info.value.uint32(at: 4))
        let passed = Int64(clamping: self.now.uptimeNanoseconds) - sent
        self.timers[.heartbeatAnswer] = nil
        self.errorCount = 0
        if passed >= 0, passed < 60_000_000_000, self.outstanding.isEmpty {
            self.roundTrip.addSample(.nanoseconds(passed))
        }
    }

    func sendHeartbeat() {
        let sent = self.now.uptimeNanoseconds
        var value: [UInt8] = []
        var info: [UInt8] = []
        info.append(bigEndian: UInt32(truncatingIfNeeded: sent >> 32))
        info.append(bigEndian: UInt32(truncatingIfNeeded: sent))
        value.appendParameter(ParameterType.heartbeatInfo, info)
        self.enqueue(ControlChunk(type: ChunkType.heartbeat, value: value))
        self.timers[.heartbeatAnswer] = self.now + self.roundTrip.timeout
        self.scheduleHeartbeat()
    }

    func scheduleHeartbeat() {
        let interval = self.configuration.tuning.heartbeatMilliseconds
        self.timers[.heartbeat] = interval > 0 ? self.now + .milliseconds(Int64(interval)) : nil
    }
}
