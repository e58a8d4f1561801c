import NIOCore
import RTCSignaling

/// Drives a ``STOMPBroker`` for a server, confined to its event loop.
final class STOMPDriver: STOMPEngineDriver {
    var engine: STOMPBroker
    let pump: EnginePump
    let service: STOMPService
    let eventLoop: any EventLoop
    var clients: [STOMPConnectionID: any STOMPLink] = [:]

    init(_ service: STOMPService, eventLoop: any EventLoop) {
        self.service = service
        self.eventLoop = eventLoop
        self.engine = STOMPBroker(configuration: service.configuration)
        self.pump = EnginePump(eventLoop: eventLoop)
    }

    var queuedMessages: Int { self.engine.queuedMessages }

    func shutdown() {
        self.closeClients()
        self.pump.cancel()
        self.service.detach()
    }

    func perform(_ output: STOMPBroker.Output) {
        switch output {
        case .transmit(let id, let bytes): self.transmit(bytes, to: id)
        case .close(let id): self.clients.removeValue(forKey: id)?.close()
        case .ask(let question): self.ask(question)
        case .connected: break
        case .sent(let sent): self.hand(over: sent)
        }
    }
}
