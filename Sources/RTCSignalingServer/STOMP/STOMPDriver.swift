import NIOCore
import RTCBase
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

/// Drives a ``STOMPBroker`` for a server, confined to its event loop.
final class STOMPDriver: STOMPServing {
    private var broker: STOMPBroker
    private let service: STOMPService
    private let eventLoop: any EventLoop
    private let timer: LoopTimer
    private var links: [STOMPConnectionID: any STOMPLink] = [:]
    private var isPumping = false

    init(_ service: STOMPService, eventLoop: any EventLoop) {
        self.service = service
        self.eventLoop = eventLoop
        self.broker = STOMPBroker(configuration: service.configuration)
        self.timer = LoopTimer(eventLoop: eventLoop)
    }

    var queuedMessages: Int { self.broker.queuedMessages }
    var slowConnections: Int { self.broker.slowConnections }
    var unsentBytes: Int { self.broker.unsentBytes }

    // MARK: Connections

    func open(_ link: any STOMPLink) -> STOMPConnectionID? {
        guard let id = self.broker.open(now: .now()) else { return nil }
        self.links[id] = link
        self.pump()
        return id
    }

    func receive(_ bytes: ByteBuffer, from id: STOMPConnectionID) {
        self.broker.receive(bytes, from: id, now: .now())
        self.pump()
    }

    func ended(_ id: STOMPConnectionID) {
        self.broker.connectionEnded(id, now: .now())
        self.links[id] = nil
        self.pump()
    }

    func shutdown() {
        for id in self.links.keys { self.broker.close(id, reason: "the server stops", now: .now()) }
        self.pump()
        self.timer.cancel()
        self.service.detach()
    }

    // MARK: The application

    func publish(to destination: String, headers: [STOMPFrame.Header], body: ByteBuffer) {
        self.broker.publish(to: destination, headers: headers, body: body, now: .now())
        self.pump()
    }

    func send(to id: STOMPConnectionID, destination: String, headers: [STOMPFrame.Header], body: ByteBuffer) {
        self.broker.send(to: id, destination: destination, headers: headers, body: body, now: .now())
        self.pump()
    }

    func close(_ id: STOMPConnectionID, reason: String) {
        self.broker.close(id, reason: reason, now: .now())
        self.pump()
    }

    // MARK: Driving

    private func pump() {
        // Links may report while they write; the outer loop takes it.
        guard !self.isPumping else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        while let output = self.broker.poll() { self.perform(output) }
        self.timer.set(self.broker.nextTimeout) { [weak self] in
            self?.broker.handleTimeout(now: .now())
            self?.pump()
        }
    }

    private func perform(_ output: STOMPBroker.Output) {
        switch output {
        case .transmit(let id, let bytes):
            let count = bytes.readableBytes
            self.links[id]?.transmit(bytes) { [weak self] in
                self?.broker.didTransmit(count, to: id, now: .now())
                self?.pump()
            }
        case .close(let id): self.links.removeValue(forKey: id)?.close()
        case .ask(let question): self.ask(question)
        case .connected: break
        case .sent(let sent):
            switch self.service.messagesContinuation.yield(sent) {
            case .enqueued: self.broker.confirm(sent, now: .now())
            case .dropped: self.broker.close(sent.connection, reason: "too many messages", now: .now())
            // Nobody reads any more: there is no receipt.
            default: break
            }
        }
    }

    private func ask(_ question: STOMPQuestion) {
        self.service.answer(question, on: self.eventLoop) { answer in
            self.broker.answer(question.connection, answer, now: .now())
            self.pump()
        }
    }
}
