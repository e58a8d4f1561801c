import Logging
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
    private let logger: Logger
    var clients: [STOMPConnectionID: any STOMPLink] = [:]
    /// Why the broker could not be reached last; told once, until it changes or the broker is there.
    private var failure: String?
    /// Connections to the broker; nil while one is being opened.
    private var links: [STOMPRelayLinkID: STOMPRelayHandler?] = [:]
    private var isShutDown = false

    init(_ service: STOMPService, _ configuration: STOMPRelayConfiguration, eventLoop: any EventLoop, logger: Logger) {
        self.service = service
        self.logger = logger
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
