import Logging
import NIOCore
import NIOPosix
import RTCBase
import RTCSignaling

/// Drives a ``STOMPRelay`` for a server, confined to its event loop.
final class STOMPRelayDriver: STOMPServing {
    private var relay: STOMPRelay
    private let service: STOMPService
    private let configuration: STOMPRelayConfiguration
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let timer: LoopTimer
    /// Why the broker could not be reached last; told once, until it changes or the broker is there.
    private var failure: String?
    private var clients: [STOMPConnectionID: any STOMPLink] = [:]
    /// Connections to the broker; nil while one is being opened.
    private var links: [STOMPRelayLinkID: STOMPRelayHandler?] = [:]
    private var isPumping = false
    private var isShutDown = false

    init(_ service: STOMPService, _ configuration: STOMPRelayConfiguration, eventLoop: any EventLoop, logger: Logger) {
        self.service = service
        self.logger = logger
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.relay = STOMPRelay(relay: configuration, configuration: service.configuration, now: .now())
        self.timer = LoopTimer(eventLoop: eventLoop)
        self.pump()
    }

    var queuedMessages: Int { self.relay.pendingMessages }
    var slowConnections: Int { self.relay.slowConnections }
    var unsentBytes: Int { self.relay.unsentBytes }

    // MARK: Clients

    func open(_ link: any STOMPLink) -> STOMPConnectionID? {
        guard let id = self.relay.open(now: .now()) else { return nil }
        self.clients[id] = link
        self.pump()
        return id
    }

    func receive(_ bytes: ByteBuffer, from id: STOMPConnectionID) {
        self.relay.receive(bytes, from: id, now: .now())
        self.pump()
    }

    func ended(_ id: STOMPConnectionID) {
        self.relay.connectionEnded(id, now: .now())
        self.clients[id] = nil
        self.pump()
    }

    func shutdown() {
        for id in self.clients.keys { self.relay.close(id, reason: "the server stops", now: .now()) }
        self.pump()
        self.isShutDown = true
        self.timer.cancel()
        for link in self.links.values { link?.close() }
        self.service.detach()
    }

    // MARK: The application

    func publish(to destination: String, headers: [STOMPFrame.Header], body: ByteBuffer) {
        self.relay.publish(to: destination, headers: headers, body: body, now: .now())
        self.pump()
    }

    func send(to id: STOMPConnectionID, destination: String, headers: [STOMPFrame.Header], body: ByteBuffer) {
        self.relay.send(to: id, destination: destination, headers: headers, body: body, now: .now())
        self.pump()
    }

    func close(_ id: STOMPConnectionID, reason: String) {
        self.relay.close(id, reason: reason, now: .now())
        self.pump()
    }

    // MARK: The broker

    private func connect(_ id: STOMPRelayLinkID) {
        self.links[id] = .some(nil)
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        let tls = self.service.relayTLS
        let host = self.configuration.host
        let timeout = self.configuration.connectTimeout
        ClientBootstrap(group: self.eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connectTimeout(timeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try tls?.add(to: channel, host: host)
                    let handler = STOMPRelayHandler(bound.value, id, handshakeTimeout: tls == nil ? nil : timeout)
                    try channel.pipeline.syncOperations.addHandler(handler)
                }
            }
            .connect(host: host, port: self.configuration.port)
            .assumeIsolated()
            .whenComplete { result in
                guard case .failure(let error) = result else { return }
                self.failed(id, error)
                self.ended(id)
            }
    }

    /// A connection to the broker does not come about, or breaks.
    func failed(_ id: STOMPRelayLinkID, _ error: any Error) {
        guard self.links[id] != nil, !self.isShutDown else { return }
        let reason = TLSFailure.describe(error) ?? "\(error)"
        guard reason != self.failure else { return }
        self.failure = reason
        self.logger.warning("no connection to the STOMP broker", metadata: ["reason": "\(reason)"])
    }

    /// A connection to the broker is there; false if nobody wants it any more.
    func opened(_ id: STOMPRelayLinkID, _ handler: STOMPRelayHandler) -> Bool {
        guard self.links[id] != nil, !self.isShutDown else { return false }
        self.links[id] = handler
        self.failure = nil
        self.relay.linkOpened(id, now: .now())
        self.pump()
        return true
    }

    func receive(_ bytes: ByteBuffer, fromBroker id: STOMPRelayLinkID) {
        self.relay.receive(bytes, fromBroker: id, now: .now())
        self.pump()
    }

    func ended(_ id: STOMPRelayLinkID) {
        self.links[id] = nil
        self.relay.linkEnded(id, now: .now())
        self.pump()
    }

    // MARK: Driving

    private func pump() {
        // Links may report while they write; the outer loop takes it.
        guard !self.isPumping, !self.isShutDown else { return }
        self.isPumping = true
        defer { self.isPumping = false }
        while let output = self.relay.poll() { self.perform(output) }
        self.timer.set(self.relay.nextTimeout) { [weak self] in
            self?.relay.handleTimeout(now: .now())
            self?.pump()
        }
    }

    private func perform(_ output: STOMPRelay.Output) {
        switch output {
        case .transmit(let id, let bytes):
            let count = bytes.readableBytes
            self.clients[id]?.transmit(bytes) { [weak self] in
                self?.relay.didTransmit(count, to: id, now: .now())
                self?.pump()
            }
        case .close(let id): self.clients.removeValue(forKey: id)?.close()
        case .ask(let question):
            self.service.answer(question, on: self.eventLoop) { answer in
                self.relay.answer(question.connection, answer, now: .now())
                self.pump()
            }
        case .sent(let sent):
            switch self.service.messagesContinuation.yield(sent) {
            case .enqueued: self.relay.confirm(sent, now: .now())
            case .dropped: self.relay.close(sent.connection, reason: "too many messages", now: .now())
            // Nobody reads any more: there is no receipt.
            default: break
            }
        case .open(let id): self.connect(id)
        case .transmitToBroker(let id, let bytes):
            let count = bytes.readableBytes
            self.links[id]??.transmit(bytes) { [weak self] in self?.relay.didTransmit(count, toBroker: id) }
        case .closeLink(let id): self.links.removeValue(forKey: id)??.close()
        case .setReading(let id, let isReading): self.links[id]??.setReading(isReading)
        case .availability(let isAvailable): self.service.availabilityContinuation.yield(isAvailable)
        }
    }
}
