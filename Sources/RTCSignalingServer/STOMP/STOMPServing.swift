import NIOCore
import RTCSignaling

/// The way from a broker to one client.
protocol STOMPLink: AnyObject {
    /// Writes one frame, and says when its bytes are out.
    func transmit(_ bytes: ByteBuffer, whenDone: @escaping () -> Void)
    /// Closes after what was written.
    func close()
}

/// Who serves a server's clients of STOMP, confined to its event loop.
protocol STOMPServing: AnyObject {
    var queuedMessages: Int { get }
    var slowConnections: Int { get }
    var unsentBytes: Int { get }

    /// A client came; nil if there are as many as allowed.
    func open(_ link: any STOMPLink) -> STOMPConnectionID?
    func receive(_ bytes: ByteBuffer, from id: STOMPConnectionID)
    func ended(_ id: STOMPConnectionID)
    /// Closes all connections.
    func shutdown()
    func publish(to destination: String, headers: [STOMPFrame.Header], body: ByteBuffer)
    func send(to id: STOMPConnectionID, destination: String, headers: [STOMPFrame.Header], body: ByteBuffer)
    func close(_ id: STOMPConnectionID, reason: String)
}

/// What a broker of its own and a relay are to clients and to the application.
protocol STOMPEngine: DrivenEngine {
    var slowConnections: Int { get }
    var unsentBytes: Int { get }

    mutating func open(now: NIODeadline) -> STOMPConnectionID?
    mutating func receive(_ bytes: ByteBuffer, from id: STOMPConnectionID, now: NIODeadline)
    mutating func connectionEnded(_ id: STOMPConnectionID, now: NIODeadline)
    mutating func didTransmit(_ count: Int, to id: STOMPConnectionID, now: NIODeadline)
    mutating func answer(_ id: STOMPConnectionID, _ answer: STOMPAnswer, now: NIODeadline)
    mutating func confirm(_ sent: STOMPBroker.Sent, now: NIODeadline)
    mutating func close(_ id: STOMPConnectionID, reason: String, now: NIODeadline)
    mutating func publish(
        to destination: String,
        headers: [STOMPFrame.Header],
        body: ByteBuffer,
        now: NIODeadline
    ) -> Bool
    mutating func send(
        to id: STOMPConnectionID,
        destination: String,
        headers: [STOMPFrame.Header],
        body: ByteBuffer,
        now: NIODeadline
    )
}

extension STOMPBroker: STOMPEngine {}
extension STOMPRelay: STOMPEngine {}

/// Drives whichever serves the clients.
protocol STOMPEngineDriver: EngineDriver, STOMPServing where Engine: STOMPEngine {
    var service: STOMPService { get }
    var eventLoop: any EventLoop { get }
    var clients: [STOMPConnectionID: any STOMPLink] { get set }
}

extension STOMPEngineDriver {
    var slowConnections: Int { self.engine.slowConnections }
    var unsentBytes: Int { self.engine.unsentBytes }

    // MARK: Clients

    func open(_ link: any STOMPLink) -> STOMPConnectionID? {
        guard let id = self.engine.open(now: .now()) else { return nil }
        self.clients[id] = link
        self.pumpOutputs()
        return id
    }

    func receive(_ bytes: ByteBuffer, from id: STOMPConnectionID) {
        self.drive { $0.receive(bytes, from: id, now: .now()) }
    }

    func ended(_ id: STOMPConnectionID) {
        self.engine.connectionEnded(id, now: .now())
        self.clients[id] = nil
        self.pumpOutputs()
    }

    /// Ends all clients with an `ERROR`.
    func closeClients() {
        let ids = Array(self.clients.keys)
        self.drive { engine in
            for id in ids { engine.close(id, reason: "the server stops", now: .now()) }
        }
    }

    // MARK: The application

    func publish(to destination: String, headers: [STOMPFrame.Header], body: ByteBuffer) {
        self.drive { _ = $0.publish(to: destination, headers: headers, body: body, now: .now()) }
    }

    func send(to id: STOMPConnectionID, destination: String, headers: [STOMPFrame.Header], body: ByteBuffer) {
        self.drive { $0.send(to: id, destination: destination, headers: headers, body: body, now: .now()) }
    }

    func close(_ id: STOMPConnectionID, reason: String) {
        self.drive { $0.close(id, reason: reason, now: .now()) }
    }

    // MARK: What the engine says

    func transmit(_ bytes: ByteBuffer, to id: STOMPConnectionID) {
        let count = bytes.readableBytes
        self.clients[id]?.transmit(bytes) { [weak self] in
            self?.drive { $0.didTransmit(count, to: id, now: .now()) }
        }
    }

    func ask(_ question: STOMPQuestion) {
        self.service.answer(question, on: self.eventLoop) { answer in
            self.drive { $0.answer(question.connection, answer, now: .now()) }
        }
    }

    /// Gives the application what a client sent to it.
    func hand(over sent: STOMPBroker.Sent) {
        switch self.service.messagesContinuation.yield(sent) {
        case .enqueued: self.engine.confirm(sent, now: .now())
        case .dropped: self.engine.close(sent.connection, reason: "too many messages", now: .now())
        // Nobody reads any more: there is no receipt.
        default: break
        }
    }
}
