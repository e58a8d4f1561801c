import NIOCore
import NIOPosix
import RTCBase
import RTCSignaling

/// Drives a ``STOMPRelay`` for a server, confined to its event loop.
final class STOMPRelayDriver: STOMPEngineDriver {
    var engine: STOMPRelay
    let pump: EnginePump
    let service: STOMPService
    private let configuration: STOMPRelayConfiguration
    let eventLoop: any EventLoop
    var clients: [STOMPConnectionID: any STOMPLink] = [:]
    /// Connections to the broker; nil while one is being opened.
    private var links: [STOMPRelayLinkID: STOMPRelayHandler?] = [:]
    private var isShutDown = false

    init(_ service: STOMPService, _ configuration: STOMPRelayConfiguration, eventLoop: any EventLoop) {
        self.service = service
        self.configuration = configuration
        self.eventLoop = eventLoop
        self.engine = STOMPRelay(relay: configuration, configuration: service.configuration, now: .now())
        self.pump = EnginePump(eventLoop: eventLoop)
        self.pumpOutputs()
    }

    var queuedMessages: Int { self.engine.pendingMessages }

    func shutdown() {
        self.closeClients()
        self.isShutDown = true
        self.pump.stop()
        for link in self.links.values { link?.close() }
        self.service.detach()
    }

    // MARK: The broker

    private func connect(_ id: STOMPRelayLinkID) {
        self.links[id] = .some(nil)
        let bound = NIOLoopBound(self, eventLoop: self.eventLoop)
        ClientBootstrap(group: self.eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .connectTimeout(self.configuration.connectTimeout)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(STOMPRelayHandler(bound.value, id))
                }
            }
            .connect(host: self.configuration.host, port: self.configuration.port)
            .assumeIsolated()
            .whenComplete { result in
                if case .failure = result { self.ended(id) }
            }
    }

    /// A connection to the broker is there; false if nobody wants it any more.
    func opened(_ id: STOMPRelayLinkID, _ handler: STOMPRelayHandler) -> Bool {
        guard self.links[id] != nil, !self.isShutDown else { return false }
        self.links[id] = handler
        self.drive { $0.linkOpened(id, now: .now()) }
        return true
    }

    func receive(_ bytes: ByteBuffer, fromBroker id: STOMPRelayLinkID) {
        self.drive { $0.receive(bytes, fromBroker: id, now: .now()) }
    }

    func ended(_ id: STOMPRelayLinkID) {
        self.links[id] = nil
        self.drive { $0.linkEnded(id, now: .now()) }
    }

    // MARK: What the relay says

    func perform(_ output: STOMPRelay.Output) {
        switch output {
        case .transmit(let id, let bytes): self.transmit(bytes, to: id)
        case .close(let id): self.clients.removeValue(forKey: id)?.close()
        case .ask(let question): self.ask(question)
        case .sent(let sent): self.hand(over: sent)
        case .open(let id): self.connect(id)
        case .transmitToBroker(let id, let bytes):
            let count = bytes.readableBytes
            self.links[id]??.transmit(bytes) { [weak self] in self?.engine.didTransmit(count, toBroker: id) }
        case .closeLink(let id): self.links.removeValue(forKey: id)??.close()
        case .setReading(let id, let isReading): self.links[id]??.setReading(isReading)
        case .availability(let isAvailable): self.service.availabilityContinuation.yield(isAvailable)
        }
    }
}
