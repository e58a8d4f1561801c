public import NIOCore

/// A client's connection of STOMP 1.0, 1.1 or 1.2, doing no input or output: the frames that set it up, heart-beats, and frames
/// that come in.
public struct STOMPClientConnection: Sendable {
    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// Bytes to write.
        case transmit(ByteBuffer)
        /// The broker took the client in, with this frame.
        case connected(STOMPFrame)
        /// A message came.
        case message(STOMPFrame)
        /// The broker confirms the frame that asked for a receipt of this name.
        case receipt(String)
        /// The connection is over: close the transport. Nothing comes after this.
        case closed(End)
    }

    /// How a connection ended.
    public enum End: Error, Sendable, Hashable {
        /// The broker sent an `ERROR`.
        case error(STOMPFrame)
        /// The broker said nothing for too long, or did not answer in time.
        case silence
        /// The broker broke the protocol.
        case protocolViolation(reason: String)
        /// The transport ended.
        case transportEnded
    }

    private enum Phase: Sendable {
        case connecting
        case connected
        case closed
    }

    /// The version that was agreed upon; the oldest offered one until then.
    public private(set) var version: STOMPVersion
    /// How the connection was set up.
    public let configuration: STOMPClientConfiguration

    private var phase = Phase.connecting
    private var reader = STOMPFrameReader()
    private var outputs = CircularBuffer<Output>()
    private var liveness: STOMPLiveness

    /// A connection on a transport that has just been opened; begins with `CONNECT`.
    ///
    /// - Parameter host: The virtual host.
    public init(host: String, configuration: STOMPClientConfiguration, now: NIODeadline) {
        self.configuration = configuration
        self.version = configuration.versions.min() ?? .v1_0
        self.liveness = STOMPLiveness(setUpWithin: configuration.connectTimeout, now: now)
        self.reader.limits.bodySize = configuration.maximumBodySize
        self.reader.limits.headSize = configuration.maximumHeadSize
        self.reader.limits.headers = 256
        let milliseconds = { (time: TimeAmount) in max(0, time.nanoseconds / 1_000_000) }
        let versions = configuration.versions.sorted().map(\.rawValue).joined(separator: ",")
        var headers: [STOMPFrame.Header] = [
            .init("accept-version", versions), .init("host", configuration.host ?? host),
            .init(
                "heart-beat",
                "\(milliseconds(configuration.heartbeatInterval)),\(milliseconds(configuration.wantedHeartbeatInterval))"
            ),
        ]
        if let login = configuration.login { headers.append(.init("login", login)) }
        if let passcode = configuration.passcode { headers.append(.init("passcode", passcode)) }
        self.outputs.append(.transmit(STOMPFrame("CONNECT", headers + configuration.headers).encoded(for: .v1_0)))
    }

    // MARK: The four verbs

    /// Takes bytes from the transport, cut anywhere.
    public mutating func receive(_ bytes: ByteBuffer, now: NIODeadline) {
        guard self.phase != .closed else { return }
        self.liveness.lastReceived = now
        self.reader.append(bytes)
        while self.phase != .closed {
            switch self.reader.next() {
            case .needsMore: return
            case .failure(let reason): self.close(.protocolViolation(reason: reason))
            case .frame(let frame): self.receive(frame)
            }
        }
    }

    /// The broker's end of the transport was closed.
    public mutating func receiveEnd() { self.close(.transportEnded) }

    /// Does what is due: a heart-beat, or the end.
    public mutating func handleTimeout(now: NIODeadline) {
        guard self.phase != .closed else { return }
        switch self.liveness.due(now: now) {
        case .setUp, .silence: self.close(.silence)
        case .heartbeat:
            self.liveness.lastSent = now
            self.outputs.append(.transmit(ByteBuffer(string: "\n")))
        case nil: break
        }
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due; nil when nothing is pending.
    public var nextTimeout: NIODeadline? { self.phase == .closed ? nil : self.liveness.nextTimeout }

    // MARK: The owner

    /// The bytes of a frame in the version that is spoken, which the owner writes; they count as a sign of life.
    public mutating func encode(_ frame: STOMPFrame, now: NIODeadline) -> ByteBuffer {
        self.liveness.lastSent = now
        return frame.encoded(for: self.version)
    }

    /// Tells whether the transport is read from: what is not read is no silence of the broker's.
    public mutating func setReading(_ isReading: Bool, now: NIODeadline) {
        self.liveness.setReading(isReading, now: now)
    }

    // MARK: Frames

    private mutating func receive(_ frame: STOMPFrame) {
        switch (frame.command, self.phase) {
        case ("ERROR", _): self.close(.error(frame))
        case ("CONNECTED", .connecting): self.connected(frame)
        case ("MESSAGE", .connected): self.outputs.append(.message(frame))
        case ("RECEIPT", .connected):
            guard let id = frame["receipt-id"] else {
                return self.close(.protocolViolation(reason: "a receipt without a name"))
            }
            self.outputs.append(.receipt(id))
        default: self.close(.protocolViolation(reason: "\(frame.command) is not expected"))
        }
    }

    private mutating func connected(_ frame: STOMPFrame) {
        // Brokers of 1.0 name no version.
        guard let version = STOMPVersion(rawValue: frame["version"] ?? "1.0"),
            self.configuration.versions.contains(version)
        else { return self.close(.protocolViolation(reason: "a version that was not offered")) }
        self.version = version
        self.reader.version = version
        self.phase = .connected
        self.liveness.setUpDeadline = nil
        let beats = (frame["heart-beat"] ?? "0,0").split(separator: ",").map { Int64($0.trimmingSpaces()) ?? 0 }
        // No more than what a time can be.
        let limit: Int64 = 1_000_000_000
        if beats.count == 2, version > .v1_0 {
            let (sends, wants) = (TimeAmount.milliseconds(min(beats[0], limit)), min(beats[1], limit))
            if wants > 0, self.configuration.heartbeatInterval > .zero {
                self.liveness.sendInterval = max(self.configuration.heartbeatInterval, .milliseconds(wants))
            }
            if sends > .zero, self.configuration.wantedHeartbeatInterval > .zero {
                self.liveness.receiveTimeout = max(self.configuration.wantedHeartbeatInterval, sends) * 2
            }
        }
        self.outputs.append(.connected(frame))
    }

    private mutating func close(_ end: End) {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.outputs.append(.closed(end))
    }
}
