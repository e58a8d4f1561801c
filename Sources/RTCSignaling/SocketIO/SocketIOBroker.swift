public import NIOCore
public import RTCBase

/// A server of Socket.IO 2 (protocol 4 over Engine.IO 3), doing no input or output: namespaces, events and acknowledgements both
/// ways, bytes, rooms.
///
/// It has an ``EngineIOService`` below it, and takes and gives the same for connections.
public struct SocketIOBroker: Sendable {
    /// What ``poll()`` gives.
    public enum Output: Sendable, Hashable {
        /// A response.
        case respond(ExchangeID, SignalingResponse)
        /// A message to send over a WebSocket.
        case transmit(EngineIOWebSocketID, WebSocketMessage)
        /// A WebSocket to close after what is to be sent over it. Nothing comes after this for it.
        case close(EngineIOWebSocketID)
        /// The owner must decide; only for ``SocketIOConfiguration/guardedNamespaces``.
        case ask(SocketIOQuestion)
        /// A client has a namespace.
        case connected(SocketIOQuestion)
        /// A client sent an event.
        case event(SocketIOSocketID, SocketIOEvent)
        /// A client acknowledged an event that ``emit(_:_:to:acknowledgedBy:now:)`` gave a number for.
        case acknowledged(SocketIOSocketID, UInt64, [SocketIOValue])
        /// A client did not acknowledge an event in time.
        case unacknowledged(SocketIOSocketID, UInt64)
        /// A socket is over; what it had not acknowledged will not be. Nothing comes after this for it.
        case disconnected(SocketIOSocketID, SocketIODisconnectReason)
    }

    struct Client: Sendable {
        var reader: SocketIOPacketReader
        let request: SignalingRequest
        var sockets: [String: SocketIOSocketID] = [:]
    }

    struct RoomKey: Sendable, Hashable {
        var namespace: String
        var name: String
    }

    struct OwedKey: Sendable, Hashable {
        var socket: SocketIOSocketID
        var number: UInt64
    }

    /// Limits and times.
    public let configuration: SocketIOConfiguration

    var outputs = CircularBuffer<Output>()
    var engine: EngineIOService
    var clients: [EngineIOSessionID: Client] = [:]
    var sockets: [SocketIOSocketID: SocketIOSocketState] = [:]
    var members: [String: Set<SocketIOSocketID>] = [:]
    var rooms: [RoomKey: Set<SocketIOSocketID>] = [:]
    var owedDeadlines = DeadlineQueue<OwedKey>()
    private var nextSocket: UInt64 = 0
    var nextAcknowledgement: UInt64 = 0

    /// A broker without clients.
    public init(configuration: SocketIOConfiguration = SocketIOConfiguration(), random: RandomSource = .system) {
        self.configuration = configuration
        self.engine = EngineIOService(configuration: configuration.engine, random: random)
    }

    /// How many sockets there are, with those that were asked about.
    public var socketCount: Int { self.sockets.count }
    /// How many sessions there are, with those that are over and not yet forgotten.
    public var sessionCount: Int { self.engine.sessionCount }
    /// Bytes that wait for polls.
    public var unsentBytes: Int { self.engine.unsentBytes }
    /// How many rooms have members.
    public var roomCount: Int { self.rooms.count }

    // MARK: The four verbs

    /// Takes a request.
    public mutating func receive(_ request: SignalingRequest, exchange: ExchangeID, now: NIODeadline) {
        self.engine.receive(request, exchange: exchange, now: now)
        self.process(now)
    }

    /// Takes a message that came over a WebSocket.
    public mutating func receive(_ message: WebSocketMessage, from webSocket: EngineIOWebSocketID, now: NIODeadline) {
        self.engine.receive(message, from: webSocket, now: now)
        self.process(now)
    }

    /// Does what is due.
    public mutating func handleTimeout(now: NIODeadline) {
        self.engine.handleTimeout(now: now)
        while let owed = self.owedDeadlines.popDue(now: now) {
            guard self.sockets[owed.socket]?.owed.remove(owed.number) != nil else { continue }
            self.outputs.append(.unacknowledged(owed.socket, owed.number))
        }
        self.process(now)
    }

    /// What is to be done next; nil when there is nothing.
    public mutating func poll() -> Output? { self.outputs.popFirst() }

    /// When ``handleTimeout(now:)`` is due at the latest; nil when nothing is pending.
    public var nextTimeout: NIODeadline? { [self.engine.nextTimeout, self.owedDeadlines.next].earliest }

    // MARK: Connections

    /// Why a request for a session is refused; nil if it is not.
    public func refusal(for request: SignalingRequest) -> EngineIORefusal? { self.engine.refusal(for: request) }

    /// A WebSocket was opened; nil if its request is refused.
    public mutating func openWebSocket(_ request: SignalingRequest, now: NIODeadline) -> EngineIOWebSocketID? {
        defer { self.process(now) }
        return self.engine.openWebSocket(request, now: now)
    }

    /// The WebSocket that carries a socket; nil while requests do.
    public func webSocket(of id: SocketIOSocketID) -> EngineIOWebSocketID? { self.engine.webSocket(of: id.session) }

    /// Tells that an exchange is over from the client's side before its response was: the connection was closed.
    public mutating func exchangeEnded(_ exchange: ExchangeID, now: NIODeadline) {
        self.engine.exchangeEnded(exchange, now: now)
        self.process(now)
    }

    /// Tells that a WebSocket is over.
    public mutating func webSocketEnded(_ webSocket: EngineIOWebSocketID, now: NIODeadline) {
        self.engine.webSocketEnded(webSocket, now: now)
        self.process(now)
    }

    // MARK: Below

    /// Takes what the sessions below have to say.
    mutating func process(_ now: NIODeadline) {
        while let output = self.engine.poll() {
            switch output {
            case .respond(let exchange, let response): self.outputs.append(.respond(exchange, response))
            case .transmit(let webSocket, let message): self.outputs.append(.transmit(webSocket, message))
            case .close(let webSocket): self.outputs.append(.close(webSocket))
            case .opened(let id, let request):
                let reader = SocketIOPacketReader(limits: self.configuration)
                self.clients[id] = Client(reader: reader, request: request)
                self.connect(id, namespace: "/", query: "", now)
            case .message(let id, let message): self.receive(message, of: id, now)
            case .upgraded: break
            case .closed(let id, let end): self.ended(id, .session(end))
            }
        }
    }

    private mutating func receive(_ message: WebSocketMessage, of id: EngineIOSessionID, _ now: NIODeadline) {
        switch self.clients[id]?.reader.receive(message) {
        case .packet(let packet): self.receive(packet, of: id, now)
        case .needsMore, nil: break
        case .failure: self.engine.close(id, now: now)
        }
    }

    private mutating func receive(_ packet: SocketIOPacket, of id: EngineIOSessionID, _ now: NIODeadline) {
        if packet.kind == .connect {
            return self.connect(id, namespace: packet.namespace, query: packet.query, now)
        }
        // What is for a namespace that the client does not have, or has no more, is for nobody.
        guard let socket = self.clients[id]?.sockets[packet.namespace], self.sockets[socket]?.isConnected == true else {
            return
        }
        switch packet.kind {
        case .connect, .error: break
        case .disconnect: self.remove(socket, .client)
        case .event:
            guard case .array(let values)? = packet.data, let name = values.first?.string else { return }
            let event = SocketIOEvent(
                name: name,
                arguments: Array(values.dropFirst()),
                acknowledgementID: packet.id
            )
            self.outputs.append(.event(socket, event))
        case .acknowledgement:
            guard let number = packet.id, self.sockets[socket]?.owed.remove(number) != nil else { return }
            self.owedDeadlines.set(nil, for: OwedKey(socket: socket, number: number))
            self.outputs.append(.acknowledged(socket, number, packet.data?.array ?? []))
        }
    }

    // MARK: Namespaces

    private mutating func connect(_ id: EngineIOSessionID, namespace: String, query: String, _ now: NIODeadline) {
        guard let client = self.clients[id], client.sockets[namespace] == nil else { return }
        guard self.configuration.namespaces.contains(namespace) else {
            return self.send(
                SocketIOPacket(.error, namespace: namespace, data: "Invalid namespace"),
                to: id,
                now
            )
        }
        self.nextSocket += 1
        let socket = SocketIOSocketID(session: id, namespace: namespace, number: self.nextSocket)
        self.clients[id]?.sockets[namespace] = socket
        self.sockets[socket] = SocketIOSocketState(id: socket, request: client.request)
        let question = SocketIOQuestion(id: socket, query: query, request: client.request)
        if self.configuration.guardedNamespaces.contains(namespace) {
            self.outputs.append(.ask(question))
        } else {
            self.connected(question, now)
        }
    }

    mutating func connected(_ question: SocketIOQuestion, _ now: NIODeadline) {
        self.sockets[question.id]?.isConnected = true
        self.members[question.id.namespace, default: []].insert(question.id)
        self.send(SocketIOPacket(.connect, namespace: question.id.namespace), to: question.id.session, now)
        self.outputs.append(.connected(question))
    }

    private mutating func ended(_ id: EngineIOSessionID, _ reason: SocketIODisconnectReason) {
        guard let client = self.clients.removeValue(forKey: id) else { return }
        for socket in client.sockets.values { self.remove(socket, reason) }
    }

    /// Takes a socket out of everything.
    mutating func remove(_ id: SocketIOSocketID, _ reason: SocketIODisconnectReason) {
        guard let socket = self.sockets.removeValue(forKey: id) else { return }
        self.clients[id.session]?.sockets[id.namespace] = nil
        for room in socket.rooms { self.removeMember(id, of: room) }
        for number in socket.owed { self.owedDeadlines.set(nil, for: OwedKey(socket: id, number: number)) }
        self.members[id.namespace]?.remove(id)
        if socket.isConnected { self.outputs.append(.disconnected(id, reason)) }
    }

    mutating func removeMember(_ id: SocketIOSocketID, of room: String) {
        let key = RoomKey(namespace: id.namespace, name: room)
        self.rooms[key]?.remove(id)
        if self.rooms[key]?.isEmpty == true { self.rooms[key] = nil }
    }

    mutating func send(_ packet: SocketIOPacket, to id: EngineIOSessionID, _ now: NIODeadline) {
        for message in packet.messages { self.engine.send(message, to: id, now: now) }
    }
}
