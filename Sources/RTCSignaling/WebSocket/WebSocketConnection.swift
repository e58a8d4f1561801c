public import NIOCore
public import RTCBase

/// One side of a WebSocket connection after its handshake (RFC 6455), doing no input or output.
///
/// Bytes go in through ``receive(_:now:)``; ``poll()`` gives what is to be written and what happened, until nil. Nothing that a
/// peer sends throws: what is against the rules closes the connection with the code that the RFC names for it.
public struct WebSocketConnection: Sendable {
    /// Which side this is: clients mask what they send, servers do not.
    public enum Role: Sendable, Hashable {
        /// The side that accepted.
        case server
        /// The side that opened.
        case client
    }

    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// Bytes to write; ``didTransmit(_:)`` is told when they are out.
        case transmit(ByteBuffer)
        /// A message came.
        case message(WebSocketMessage)
        /// The connection is over: close the transport after what is to be written. Nothing comes after this.
        case closed(WebSocketClosure)
    }

    private enum State: Hashable {
        case open
        /// A close frame was sent and the peer's is awaited.
        case closing(WebSocketClosure)
        case closed
    }

    /// Limits and times.
    public let configuration: WebSocketConfiguration
    /// Which side this is.
    public let role: Role
    /// Bytes that were handed out or wait to be, and are not yet written.
    public private(set) var unsentBytes = 0

    private var state = State.open
    private var outputs = CircularBuffer<Output>()
    private var random: RandomSource
    private var reader = WebSocketMessageReader()
    private var compressor: WebSocketCompressor?
    /// When something last came; what the times of silence are counted from.
    private var lastReceived: NIODeadline
    /// When a ping was last sent since then.
    private var lastPing: NIODeadline?
    private var closeDeadline: NIODeadline?
    private var isReading = true
    /// Whether nothing more comes from the transport.
    private var hasEnded = false

    /// A connection whose handshake has just been done.
    ///
    /// - Parameter deflate: What was agreed upon about compression in the handshake; nil for nothing. Copies of a connection that
    ///   compresses share its windows: only one of them goes on.
    public init(
        role: Role = .server,
        configuration: WebSocketConfiguration = WebSocketConfiguration(),
        deflate: WebSocketDeflateAgreement? = nil,
        random: RandomSource = .system,
        now: NIODeadline
    ) {
        self.role = role
        self.configuration = configuration
        self.random = random
        self.lastReceived = now
        if let deflate {
            let ways = configuration.deflate ?? WebSocketDeflateConfiguration()
            self.compressor = WebSocketCompressor(deflate, ways, role: role)
            self.reader.decompressor = WebSocketDecompressor(deflate, role: role)
        }
    }

    /// Whether messages can be sent.
    public var isOpen: Bool { self.state == .open }

    // MARK: The four verbs

    /// Takes bytes from the transport; ``poll()`` looks at them as far as messages are wanted.
    public mutating func receive(_ bytes: ByteBuffer, now: NIODeadline) {
        guard self.state != .closed else { return }
        self.lastReceived = now
        self.lastPing = nil
        self.reader.append(bytes)
    }

    /// The peer's end of the transport was closed.
    ///
    /// What came before is still handed out. A server waits no longer than ``WebSocketConfiguration/closeTimeout`` until it is
    /// wanted; a client waits as long as it takes.
    public mutating func receiveEnd(now: NIODeadline) {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        if self.state == .open, self.role == .server { self.closeDeadline = now + self.configuration.closeTimeout }
    }

    /// Says whether more messages are wanted. While they are not, what came stays as it came, compressed perhaps, and a peer that
    /// is not heard is not silent.
    public mutating func setReading(_ isReading: Bool, now: NIODeadline) {
        guard isReading != self.isReading else { return }
        self.isReading = isReading
        self.lastReceived = now
        self.lastPing = nil
    }

    /// Does what is due.
    public mutating func handleTimeout(now: NIODeadline) {
        switch self.state {
        case .open:
            if let deadline = self.closeDeadline, now >= deadline {
                self.end()
            } else if let deadline = self.idleDeadline, now >= deadline {
                self.finish(WebSocketClosure(origin: .failure, code: .abnormal, reason: "silent for too long"))
            } else if let next = self.nextPing, now >= next {
                self.lastPing = now
                self.sendFrame(.ping, ByteBuffer())
                if let text = self.configuration.heartbeatText { self.send(.text(text)) }
            }
        case .closing(let closure):
            if let deadline = self.closeDeadline, now >= deadline { self.finish(closure) }
        case .closed: break
        }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? {
        while self.outputs.isEmpty, self.isReading || self.state != .open, self.state != .closed {
            guard self.takeNext() else {
                if self.hasEnded { self.end() }
                break
            }
        }
        return self.outputs.popFirst()
    }

    /// Takes what is next in the bytes that came; false if more of them are needed.
    private mutating func takeNext() -> Bool {
        switch self.reader.next(
            expectsMask: self.role == .server,
            frameLimit: self.configuration.maximumFrameSize,
            messageLimit: self.configuration.maximumMessageSize
        ) {
        case .needsMore: return false
        case .message(let message):
            if self.state == .open { self.outputs.append(.message(message)) }
        case .ping(let payload):
            if self.state == .open { self.sendFrame(.pong, payload) }
        case .pong: break
        case .close(let code, let reason): self.receivedClose(code, reason)
        case .failure(let code): self.fail(code)
        }
        return true
    }

    /// When ``handleTimeout(now:)`` is due; nil when nothing is pending.
    public var nextTimeout: NIODeadline? {
        switch self.state {
        case .open: return [self.nextPing, self.idleDeadline, self.closeDeadline].earliest
        case .closing: return self.closeDeadline
        case .closed: return nil
        }
    }

    private var idleDeadline: NIODeadline? {
        self.isReading ? self.configuration.idleTimeout.map { self.lastReceived + $0 } : nil
    }

    private var nextPing: NIODeadline? {
        self.hasEnded ? nil : self.configuration.pingInterval.map { (self.lastPing ?? self.lastReceived) + $0 }
    }

    // MARK: Sending

    /// Sends a message as one frame; does nothing unless ``isOpen``.
    ///
    /// If the peer has let more than ``WebSocketConfiguration/maximumUnsentBytes`` wait, the connection ends instead.
    public mutating func send(_ message: WebSocketMessage) {
        guard self.state == .open else { return }
        switch message {
        case .text(let text): self.sendMessage(.text, ByteBuffer(string: text))
        case .binary(let bytes): self.sendMessage(.binary, bytes)
        }
    }

    /// Begins to close; does nothing unless ``isOpen``.
    ///
    /// - Parameters:
    ///   - code: What the peer is told; one that may not be sent becomes ``WebSocketCloseCode/normal``.
    ///   - reason: Text for people, cut to the 123 bytes that fit.
    public mutating func close(code: WebSocketCloseCode = .normal, reason: String = "", now: NIODeadline) {
        guard self.state == .open else { return }
        let code = code.isSendable ? code : .normal
        let reason = reason.prefixOfUTF8(123)
        let closure = WebSocketClosure(origin: .local, code: code, reason: reason)
        self.sendFrame(.close, Self.closePayload(code, reason))
        guard self.state == .open else { return }
        guard !self.hasEnded else { return self.finish(closure) }
        self.state = .closing(closure)
        self.closeDeadline = now + self.configuration.closeTimeout
    }

    /// Tells that bytes of ``Output/transmit(_:)`` were written.
    public mutating func didTransmit(_ count: Int) { self.unsentBytes = max(0, self.unsentBytes - count) }

    private mutating func sendMessage(_ opcode: WebSocketOpcode, _ payload: ByteBuffer) {
        if let compressed = self.compressor?.compress(payload) {
            self.sendFrame(opcode, compressed, isCompressed: true)
        } else {
            self.sendFrame(opcode, payload)
        }
    }

    private mutating func sendFrame(_ opcode: WebSocketOpcode, _ payload: ByteBuffer, isCompressed: Bool = false) {
        let key: UInt32? = self.role == .client ? UInt32(truncatingIfNeeded: self.random.next()) : nil
        let header = WebSocketFrameHeader(
            isFinal: true,
            isCompressed: isCompressed,
            opcode: opcode,
            maskingKey: key,
            length: payload.readableBytes
        )
        var frame = ByteBuffer()
        frame.reserveCapacity(payload.readableBytes + 14)
        header.write(to: &frame)
        var payload = payload
        if let key { WebSocketFrameHeader.mask(&payload, key: key, offset: 0) }
        frame.writeBuffer(&payload)
        self.unsentBytes += frame.readableBytes
        guard self.unsentBytes <= self.configuration.maximumUnsentBytes else {
            return self.finish(WebSocketClosure(origin: .failure, code: .abnormal, reason: "reads too slowly"))
        }
        self.outputs.append(.transmit(frame))
    }

    // MARK: Ends

    private mutating func end() {
        switch self.state {
        case .open: self.finish(WebSocketClosure(origin: .peer, code: .abnormal, reason: ""))
        case .closing(let closure): self.finish(closure)
        case .closed: break
        }
    }

    private mutating func receivedClose(_ code: WebSocketCloseCode, _ reason: String) {
        if case .closing(let closure) = self.state { return self.finish(closure) }
        // The answer has the same code (RFC 6455 section 5.5.1).
        self.sendFrame(.close, code == .noStatus ? ByteBuffer() : Self.closePayload(code, ""))
        self.finish(WebSocketClosure(origin: .peer, code: code, reason: reason))
    }

    private mutating func fail(_ code: WebSocketCloseCode) {
        if case .closing(let closure) = self.state { return self.finish(closure) }
        self.sendFrame(.close, Self.closePayload(code, ""))
        self.finish(WebSocketClosure(origin: .failure, code: code, reason: ""))
    }

    private mutating func finish(_ closure: WebSocketClosure) {
        guard self.state != .closed else { return }
        self.state = .closed
        self.reader = WebSocketMessageReader()
        self.compressor = nil
        self.outputs.append(.closed(closure))
    }

    private static func closePayload(_ code: WebSocketCloseCode, _ reason: String) -> ByteBuffer {
        var payload = ByteBuffer()
        payload.writeInteger(code.rawValue)
        payload.writeString(reason)
        return payload
    }
}

extension Sequence where Element == NIODeadline? {
    /// The earliest of the deadlines that are there.
    var earliest: NIODeadline? { self.lazy.compactMap { $0 }.min() }
}

extension String {
    /// As many whole characters from the beginning as fit into `count` bytes of UTF-8.
    func prefixOfUTF8(_ count: Int) -> String {
        guard self.utf8.count > count else { return self }
        var end = self.startIndex
        var size = 0
        for index in self.indices {
            size += self[index].utf8.count
            guard size <= count else { break }
            end = self.index(after: index)
        }
        return String(self[..<end])
    }
}
