package import NIOCore
package import RTCBase

/// A client's session of Engine.IO, protocol revision 3, doing no input or output: the handshake, over requests or a WebSocket, the
/// upgrade from one to the other, signs of life and messages.
///
/// The owner does what ``poll()`` says and reports what comes of it. Messages are counted as ``sent``, and as ``confirmed`` when it
/// is certain that the server has them: a request that brought them was answered, or a ping that was sent behind them. That a
/// WebSocket ended is no proof, in whichever way it did: before it is closed, a ping asks for one.
package struct EngineIOClientSession: Sendable {
    /// What the owner has to do.
    package enum Action: Sendable, Hashable {
        /// Make a `GET`, which the server may hold.
        case get(query: String)
        /// Make a `POST`.
        case post(query: String, body: WebSocketMessage)
        /// Open a WebSocket.
        case openWebSocket(query: String)
        /// Send over the WebSocket.
        case transmit(WebSocketMessage)
        /// Close the WebSocket after what was sent, or stop opening it.
        case closeWebSocket
    }

    /// What ``poll()`` gives.
    package enum Output: Sendable, Hashable {
        /// The owner has to do something.
        case perform(Action)
        /// The session is open.
        case opened
        /// A message came.
        case message(WebSocketMessage)
        /// A WebSocket has taken the session over.
        case upgraded
        /// The session is over, nil if this side closed it: whatever goes on of it is to be ended. Nothing comes after this.
        case closed(SocketIOClientError?)
    }

    /// A request of either kind; there is at most one of each at once.
    package enum Method: Sendable, Hashable {
        case get
        case post
    }

    /// What a request was answered with.
    package struct Response: Sendable, Hashable {
        package var status: Int
        /// Whether the content type is `application/octet-stream`.
        package var isBinary: Bool
        package var body: ByteBuffer
        /// The status in words, if it is no 200.
        package var refusal: SignalingChannelError?

        package init(status: Int, isBinary: Bool, body: ByteBuffer, refusal: SignalingChannelError? = nil) {
            self.status = status
            self.isBinary = isBinary
            self.body = body
            self.refusal = refusal
        }
    }

    /// What became of an ``Action``.
    package enum Report: Sendable, Hashable {
        case response(Method, Response)
        /// There was no response.
        case failed(Method, SignalingChannelError)
        case webSocketOpened
        case webSocketMessage(WebSocketMessage)
        /// The WebSocket is over, or was not opened; nil for an orderly end.
        case webSocketEnded(SignalingChannelError?)
        /// So many bytes of what was to be sent over the WebSocket are on their way.
        case transmitted(Int)
    }

    enum Phase: Sendable, Hashable {
        case opening
        /// A WebSocket was refused, and a request is to tell why.
        case asking(SignalingChannelError)
        case open
        case closing
        case closed
    }

    enum Carrier: Sendable, Hashable {
        case polling
        case webSocket
    }

    /// How far a WebSocket is with taking the session over.
    enum Probe: Sendable, Hashable {
        case connecting
        case probing
        /// It may; what goes on over requests has to end first.
        case pausing
    }

    struct Entry: Sendable {
        var packet: EngineIOPacket
        /// The messages that are whole up to here.
        var sent: UInt64
    }

    /// The most bytes in one request, unless one packet is larger, and on their way into a WebSocket.
    static let window = 64 << 10

    let configuration: SocketIOClientConfiguration
    var phase = Phase.opening
    var carrier: Carrier
    var probe: Probe?
    /// The session's name, once it is open, percent-encoded.
    var id: String?
    var pingInterval = TimeAmount.seconds(25)
    var pingTimeout = TimeAmount.seconds(60)
    var isGetting = false
    var isPosting = false
    var isClosingWebSocket = false
    var isReading = true
    var queue = CircularBuffer<Entry>()
    var queuedBytes = 0
    /// Bytes that were handed to the WebSocket and are not on their way.
    var inFlight = 0
    /// The messages that the request under way brings, when it is answered.
    var posted: UInt64 = 0
    /// The most pings whose answers prove anything.
    static let maximumPings = 64
    /// The messages that were sent before each ping that is not answered; answers come in the order of pings.
    var pinged = CircularBuffer<UInt64>()
    /// Pings behind those, whose answers prove nothing.
    var uncountedPings = 0
    /// Messages that were to be sent.
    package internal(set) var sent: UInt64 = 0
    /// Of them, those that the server has.
    package internal(set) var confirmed: UInt64 = 0
    /// What came, and means nothing here.
    package internal(set) var ignoredPackets = 0

    var lastReceived: NIODeadline
    var nextPing: NIODeadline?
    var openDeadline: NIODeadline?
    var probeDeadline: NIODeadline?
    var closeDeadline: NIODeadline?
    var outputs = CircularBuffer<Output>()
    private let query: String?
    private let nonce: String
    private var requests = 0

    /// A session that is to be opened.
    ///
    /// - Parameter query: What the owner wants to have in the query of every request; nil for nothing.
    package init(
        query: String?,
        configuration: SocketIOClientConfiguration,
        now: NIODeadline,
        random: inout RandomSource
    ) {
        self.query = query
        self.configuration = configuration
        self.carrier = configuration.transport == .webSocket ? .webSocket : .polling
        self.lastReceived = now
        self.openDeadline = now + configuration.openTimeout
        self.nonce = String(random.next(), radix: 36)
        if self.carrier == .webSocket {
            self.perform(.openWebSocket(query: self.makeQuery("websocket")))
        } else {
            self.isGetting = true
            self.perform(.get(query: self.makeQuery("polling")))
        }
    }

    /// Whether it is over.
    package var isClosed: Bool { self.phase == .closed }
    /// Whether a WebSocket carries it.
    package var usesWebSocket: Bool { self.carrier == .webSocket }
    /// Whether what is sent now goes to the transport at once. Who has more than one message keeps them until it does.
    package var canSend: Bool {
        guard self.phase == .open, self.probe != .pausing, self.queuedBytes + self.inFlight < Self.window else {
            return false
        }
        return self.carrier == .webSocket || (!self.isPosting && self.queue.count < EngineIOPayload.maximumPackets)
    }

    // MARK: The owner

    /// Sends messages, one behind the other, which count as one; does nothing if the session is not open.
    ///
    /// - Parameter isCounted: Whether they are to be counted.
    package mutating func send(_ messages: [WebSocketMessage], isCounted: Bool = true) {
        guard self.phase == .open else { return }
        for (index, message) in messages.enumerated() {
            if isCounted, index == messages.count - 1 { self.sent += 1 }
            self.enqueue(EngineIOPacket(.message, message))
        }
    }

    /// Tells that the server has all messages up to this.
    package mutating func confirm(_ number: UInt64) { self.confirmed = max(self.confirmed, min(number, self.sent)) }

    /// Asks for a proof that the server has what was sent, where nothing else will be one. Who is about to send what may make the
    /// server end the session does so before.
    package mutating func verify() {
        guard self.carrier == .webSocket, self.confirmed < self.sent, self.pinged.last != self.sent else { return }
        self.ping()
    }

    /// Tells whether messages are wanted: nothing more is asked for if not, and what is not read is no silence.
    package mutating func setReading(_ isReading: Bool, now: NIODeadline) {
        guard isReading != self.isReading else { return }
        self.isReading = isReading
        if isReading { self.lastReceived = now }
    }

    /// Ends the session, for what its messages are about.
    package mutating func fail(_ error: SignalingChannelError) { self.finish(.channel(error)) }

    /// Closes the session after what was sent.
    package mutating func close(now: NIODeadline) {
        switch self.phase {
        case .closing, .closed: return
        case .opening, .asking: return self.finish(nil)
        case .open: break
        }
        if self.probe != nil { self.dropProbe() }
        self.phase = .closing
        self.closeDeadline = now + self.configuration.closeTimeout
        self.verify()
        self.enqueue(EngineIOPacket(.close))
    }

    // MARK: The four verbs

    /// Takes what became of an ``Action``.
    package mutating func receive(_ report: Report, now: NIODeadline) {
        guard self.phase != .closed else { return }
        switch report {
        case .response(.get, let response): self.receiveGet(response, now)
        case .response(.post, let response): self.receivePost(response)
        case .failed(let method, let error): self.requestFailed(method, error)
        case .webSocketOpened: self.webSocketOpened()
        case .webSocketMessage(let message): self.receive(message, now)
        case .webSocketEnded(let error): self.webSocketEnded(error)
        case .transmitted(let bytes): self.inFlight = max(0, self.inFlight - bytes)
        }
    }

    /// Does what is due: a ping, the end of a session that is silent or not opened in time, of an upgrade that takes too long.
    package mutating func handleTimeout(now: NIODeadline) {
        switch self.phase {
        case .closed: return
        case .opening, .asking:
            guard let deadline = self.openDeadline, now >= deadline else { return }
            self.finish(.channel(.connectionFailed(reason: "no answer in time")))
        case .closing: if let deadline = self.closeDeadline, now >= deadline { self.finish(nil) }
        case .open:
            if let deadline = self.silenceDeadline, now >= deadline {
                return self.finish(.channel(.connectionFailed(reason: "the server said nothing for too long")))
            }
            if let deadline = self.probeDeadline, now >= deadline { self.dropProbe() }
            if let due = self.nextPing, now >= due {
                self.nextPing = now + self.pingInterval
                self.ping()
            }
        }
    }

    /// What is to be done next; nil when there is nothing.
    package mutating func poll() -> Output? {
        if self.outputs.isEmpty { self.settle() }
        return self.outputs.popFirst()
    }

    /// When ``handleTimeout(now:)`` is due; nil when nothing is pending.
    package var nextTimeout: NIODeadline? {
        switch self.phase {
        case .opening, .asking: return self.openDeadline
        case .open: return [self.silenceDeadline, self.probeDeadline, self.nextPing].earliest
        case .closing: return self.closeDeadline
        case .closed: return nil
        }
    }

    private var silenceDeadline: NIODeadline? {
        self.isReading ? self.lastReceived + self.pingInterval + self.pingTimeout : nil
    }

    // MARK: Steps

    mutating func perform(_ action: Action) { self.outputs.append(.perform(action)) }

    mutating func enqueue(_ packet: EngineIOPacket) {
        self.queue.append(Entry(packet: packet, sent: self.sent))
        self.queuedBytes += packet.cost
    }

    private mutating func ping() {
        if self.uncountedPings == 0, self.pinged.count < Self.maximumPings {
            self.pinged.append(self.sent)
        } else {
            self.uncountedPings += 1
        }
        self.enqueue(EngineIOPacket(.ping))
    }

    mutating func finish(_ error: SocketIOClientError?) {
        guard self.phase != .closed else { return }
        self.phase = .closed
        self.outputs.append(.closed(error))
    }

    mutating func violation(_ reason: String) { self.finish(.channel(.protocolViolation(reason: reason))) }

    /// The query of a request.
    mutating func makeQuery(_ transport: String) -> String {
        self.requests += 1
        var query = self.query.map { $0 + "&" } ?? ""
        // What comes last makes every URL another, so that nothing on the way answers from memory.
        query += "EIO=3&transport=\(transport)&t=\(self.nonce)-\(self.requests)"
        if self.configuration.forcesBase64 { query += "&b64=1" }
        if let id = self.id { query += "&sid=\(id)" }
        return query
    }
}
