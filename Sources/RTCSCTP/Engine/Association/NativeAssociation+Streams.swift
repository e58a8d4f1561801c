internal import NIOCore

// Streams that begin anew (RFC 6525).
extension NativeAssociation {
    func resetOutgoingStreams(_ streams: [UInt16]) -> Bool {
        guard self.peer?.supportsReconfiguration == true, self.phase == .established else { return false }
        self.reconfiguration.wanted.append(contentsOf: streams)
        return true
    }

    /// Asks for what is wanted, as soon as all data of the streams has arrived and the last request is answered.
    ///
    /// A request that overtakes data has to wait at the peer, and usrsctp, which then waits for data that comes later still, carries it
    /// out a second time when it is repeated.
    func requestReset() {
        guard self.reconfiguration.current == nil, !self.reconfiguration.wanted.isEmpty, self.phase == .established
        else { return }
        let busy = self.queue.streams.union(self.outstanding.streams)
        let ready = self.reconfiguration.wanted.filter { !busy.contains($0) }
        // As many as a packet has room for.
        let streams = Array(ready.prefix(256))
        guard !streams.isEmpty else { return }
        let taken = Set(streams)
        self.reconfiguration.wanted.removeAll { taken.contains($0) }
        let request = self.makeRequest(streams, lastTSN: TSN.wrap(self.outstanding.cumulative))
        self.reconfiguration.current = request
        self.reconfiguration.tries = 0
        self.enqueue(request.chunk)
        self.timers[.reconfiguration] = self.now + self.roundTrip.timeout
    }

    private func makeRequest(_ streams: [UInt16], lastTSN: UInt32) -> Reconfiguration.Request {
        let number = self.reconfiguration.nextRequest
        self.reconfiguration.nextRequest &+= 1
        var value: [UInt8] = []
        value.append(bigEndian: number)
        value.append(bigEndian: self.reconfiguration.expectedRequest &- 1)
        value.append(bigEndian: lastTSN)
        for stream in streams { value.append(bigEndian: stream) }
        var parameters: [UInt8] = []
        parameters.appendParameter(ParameterType.outgoingReset, value)
        return Reconfiguration.Request(
            number: number,
            lastTSN: lastTSN,
            streams: streams,
            chunk: ControlChunk(type: ChunkType.reconfiguration, value: parameters)
        )
    }

    func reconfigurationTimedOut() {
        guard let current = self.reconfiguration.current, self.phase == .established else { return }
        self.reconfiguration.tries += 1
        // The peer may be waiting for data that we send again: that is no error of the path.
        if self.outstanding.isEmpty, !self.countError() { return }
        self.enqueue(current.chunk)
        let wait = self.roundTrip.value << min(self.reconfiguration.tries, 4)
        self.timers[.reconfiguration] = self.now + .nanoseconds(min(wait, 10_000_000_000))
    }

    // MARK: The peer's

    func receiveReconfiguration(_ value: UnsafeRawBufferPointer) {
        guard self.phase.carriesData else { return }
        var reader = ChunkReader(value)
        // A chunk has two parameters at most (section 3.1).
        for _ in 0..<2 {
            guard let parameter = reader.nextParameter() else { return }
            switch parameter.type {
            case ParameterType.response: self.receiveResponse(parameter.value)
            case ParameterType.outgoingReset: self.receiveOutgoingReset(parameter.value)
            case ParameterType.addOutgoingStreams: self.receiveAddStreams(parameter.value)
            case ParameterType.incomingReset, ParameterType.associationReset, ParameterType.addIncomingStreams:
                // Nobody asks this of a data channel's peer (RFC 8831 section 6.7).
                guard parameter.value.count >= 4 else { continue }
                self.answer(parameter.value.uint32(at: 0)) { _ in .denied }
            default: continue
            }
        }
    }

    private func receiveOutgoingReset(_ value: UnsafeRawBufferPointer) {
        guard value.count >= 12 else { return }
        let streams = stride(from: 12, to: value.count - 1, by: 2).map { value.uint16(at: $0) }
        let lastTSN = value.uint32(at: 8)
        self.answer(value.uint32(at: 0)) { request in
            guard let cumulative = self.reassembly?.cumulative else { return .denied }
            guard TSN.unwrap(lastTSN, near: cumulative) <= cumulative else {
                self.reconfiguration.deferred = .init(request: request, lastTSN: lastTSN, streams: streams)
                return .deferred
            }
            if let done = self.reconfiguration.carriedOut, done.lastTSN == lastTSN, done.streams == streams {
                return .performed
            }
            self.performReset(streams)
            return .performed
        }
    }

    private func receiveAddStreams(_ value: UnsafeRawBufferPointer) {
        guard value.count >= 6 else { return }
        let count = Int(value.uint16(at: 4))
        self.answer(value.uint32(at: 0)) { _ in
            guard self.peerStreams + count <= Self.streamLimit else { return .denied }
            self.peerStreams += count
            return .performed
        }
    }

    /// Answers a request: a new one by what `perform` says, the last one as before (section 5.2.1).
    private func answer(_ request: UInt32, _ perform: (UInt32) -> Reconfiguration.Result) {
        if request == self.reconfiguration.expectedRequest {
            self.reconfiguration.expectedRequest &+= 1
            self.reconfiguration.lastResult = perform(request)
            self.respond(request, self.reconfiguration.lastResult)
        } else if request == self.reconfiguration.expectedRequest &- 1 {
            self.respond(request, self.reconfiguration.lastResult)
        } else {
            self.respond(request, .badSequence)
        }
    }

    private func respond(_ request: UInt32, _ result: Reconfiguration.Result) {
        var value: [UInt8] = []
        value.append(bigEndian: request)
        value.append(bigEndian: result.rawValue)
        var parameters: [UInt8] = []
        parameters.appendParameter(ParameterType.response, value)
        self.enqueue(ControlChunk(type: ChunkType.reconfiguration, value: parameters))
    }

    /// Resets the peer's streams when all that it sent before has come.
    func performDeferredReset() {
        guard let deferred = self.reconfiguration.deferred, let cumulative = self.reassembly?.cumulative,
            TSN.unwrap(deferred.lastTSN, near: cumulative) <= cumulative
        else { return }
        self.reconfiguration.deferred = nil
        self.reconfiguration.carriedOut = deferred
        self.performReset(deferred.streams)
        self.reconfiguration.lastResult = .performed
        self.respond(deferred.request, .performed)
    }

    private func performReset(_ streams: [UInt16]) {
        self.reassembly?.reset(streams)
        self.received.append(.incomingStreamsReset(streams))
    }

    private func receiveResponse(_ value: UnsafeRawBufferPointer) {
        guard value.count >= 8, let current = self.reconfiguration.current,
            value.uint32(at: 0) == current.number
        else { return }
        switch Reconfiguration.Result(rawValue: value.uint32(at: 4)) {
        case .deferred:
            // The answer to this number stays what it is: the next try has another one (section 5.2.7).
            self.reconfiguration.current = self.makeRequest(current.streams, lastTSN: current.lastTSN)
            self.errorCount = 0
            return
        case .performed, .nothingToDo:
            self.queue.reset(current.streams)
            self.received.append(.outgoingStreamsReset(current.streams))
        case .denied, .wrongNumber, .inProgress, .badSequence, nil:
            self.received.append(.outgoingStreamsResetRefused(current.streams))
        }
        self.reconfiguration.current = nil
        self.timers[.reconfiguration] = nil
        self.controls.removeAll { $0.type == ChunkType.reconfiguration && $0.value == current.chunk.value }
    }
}
